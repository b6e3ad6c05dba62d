-- Registers in its first mule a function that answers, and one that ends the mule.
local uwsgi = require 'uwsgi'

if uwsgi.mule_id() == 1 then
  uwsgi.register_rpc('lives', function() return 'alive' end)
  uwsgi.register_rpc('dies', function()
    uwsgi.set_user_harakiri(1)
    local _ = (('a'):rep(40)):find(('a-'):rep(40) .. 'b')
  end)
end

return function() return '200 OK', {}, '' end
