-- An app that gives itself a second and then never answers.
local uwsgi = require 'uwsgi'

return function(env)
  uwsgi.set_user_harakiri(1)
  while true do end
end
