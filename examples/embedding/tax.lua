-- The taxes, in Lua: from hundredths without to a text with them.

local uwsgi = require 'uwsgi'

local rate = 1.25

uwsgi.register_rpc('with_tax', function(cents) return ('%.2f'):format(cents * rate / 100) end, 1)

-- The embedding program says when taxes change.
uwsgi.register_signal(2, 'workers', function()
  rate = tonumber(uwsgi.cache_get('rate'))
  uwsgi.call('rate_changed', tostring(uwsgi.worker_id()))
end)

return function()
  return '200 OK', { ['Content-Type'] = 'text/plain' }, coroutine.wrap(function() coroutine.yield(tostring(rate)) end)
end
