-- Registers functions, handlers and hooks while it loads, then runs the Lua that is posted.
uwsgi.register_rpc('lua_echo', function(data) return 'lua:' .. data end, 1)
uwsgi.register_rpc('lua_fail', function() error('lua says no') end)
uwsgi.register_rpc('lua_relay', function(target, data) return uwsgi.call(target, data) end, 2)

local function on_signal(signum) uwsgi.cache_inc('lua-signal-' .. signum) end
uwsgi.register_signal(11, 'worker', on_signal)
uwsgi.register_signal(14, 'workers', on_signal)
uwsgi.register_signal(17, 'mule1', on_signal)
uwsgi.register_signal(20, '', function() error('lua signal fails') end)
uwsgi.add_rb_timer(11, 1, 3)

if uwsgi.opt['spool-language'] == 'lua' then
  uwsgi.spooler = function(env)
    uwsgi.cache_update('lua-spool', env.what .. ' ' .. (env.body or ''))
    return uwsgi.SPOOL_OK
  end
end
if uwsgi.opt['mule-language'] == 'lua' then
  uwsgi.mule_msg_hook = function(message) uwsgi.cache_update('lua-mule-' .. uwsgi.mule_id(), message) end
end

return function(env)
  local chunk, message = load(env.input:read(), '=posted')
  local ok, result = false, message
  if chunk then ok, result = pcall(chunk) end
  return ok and '200 OK' or '500 Raised', { ['Content-Type'] = 'text/plain' }, tostring(result)
end
