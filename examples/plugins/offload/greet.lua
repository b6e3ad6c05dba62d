-- An app with a function for everybody.
local uwsgi = require 'uwsgi'

uwsgi.register_rpc('greet', function(whom)
  return 'hello ' .. whom .. ', says an RPC function\n'
end)

return function(env)
  return '200 OK', { ['Content-Type'] = 'text/plain' }, 'hello from a Lua app\n'
end
