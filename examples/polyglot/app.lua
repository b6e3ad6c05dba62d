-- A WSAPI application: a function of the environment that returns status, headers and an iterator over the body.

local uwsgi = require 'uwsgi'

-- Every language of this server may call it: uwsgi.call('lua_says', ...)
uwsgi.register_rpc('lua_says', function(who) return ('hello %s, says %s'):format(who, _VERSION) end, 1)

local function hello(env)
  local path = env.PATH_INFO ~= '' and env.PATH_INFO or '/'
  return ('%s in worker %d: %s %s\n'):format(_VERSION, uwsgi.worker_id(), env.REQUEST_METHOD, path)
end

local function call()
  local answer = uwsgi.call('js_says', 'Lua') or 'no JavaScript here'
  -- The cache is shared memory: all workers and all languages count together.
  uwsgi.cache_inc('calls')
  return ('%s (call %d)\n'):format(answer, uwsgi.cache_num('calls'))
end

return function(env)
  local text = env.PATH_INFO == '/call' and call() or hello(env)
  local headers = { ['Content-Type'] = 'text/plain; charset=utf-8', ['Content-Length'] = #text }
  return '200 OK', headers, coroutine.wrap(function()
    coroutine.yield(text)
  end)
end
