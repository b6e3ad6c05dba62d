-- A Lua app beside a Forth program: each calls the other's functions.
local uwsgi = require 'uwsgi'

uwsgi.register_rpc('lua_says', function(who)
  return 'hello ' .. who .. ', says Lua'
end)

return function(env)
  local said = uwsgi.call('forth_says', 'Lua')
  local sum = uwsgi.call('forth_add', '19', '23')
  return '200 OK', { ['Content-Type'] = 'text/plain' }, said .. ', and that 19 and 23 are ' .. sum .. '\n'
end
