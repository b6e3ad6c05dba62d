-- Nanoseconds per call of functions of the uwsgi table, timed inside the handler. The query names the call.
local value = ('x'):rep(100)

uwsgi.register_rpc('lua_echo', function(data) return data end)

-- What does no request's work is counted by the processor's time: Lua has no finer clock. Calls that wait need another one.
local clock = os.clock

local calls = {
  cache_get = function() uwsgi.cache_get('key') end,
  cache_set = function() uwsgi.cache_update('written', value) end,
  lock = function()
    uwsgi.lock()
    uwsgi.unlock()
  end,
  call_python = function() uwsgi.call('python_echo', 'data') end,
  call_lua = function() uwsgi.call('lua_echo', 'data') end,
  call_js = function() uwsgi.call('js_echo', 'data') end,
  remote = function() uwsgi.rpc(uwsgi.opt.remote, 'upper', 'data') end,
  nothing = function() uwsgi.connection_fd() end,
}

return function(env)
  local name, count = env.QUERY_STRING:match('^(.-)=(%d+)$')
  local call, total = calls[name], tonumber(count)
  uwsgi.cache_update('key', value)
  local now = name == 'remote' and function() return uwsgi.micros() / 1e6 end or clock
  local start = now()
  for _ = 1, total do call() end
  local spent = now() - start
  return '200 OK', { ['Content-Type'] = 'text/plain' }, coroutine.wrap(function()
    coroutine.yield(tostring(spent / total * 1e9))
  end)
end
