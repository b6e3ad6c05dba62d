-- A WSAPI application: a function of the environment that returns status, headers and an iterator over the body.

local uwsgi = require 'uwsgi'

return function(env)
  local path = env.PATH_INFO ~= '' and env.PATH_INFO or '/'
  local text = ('%s in worker %d: %s %s\n'):format(_VERSION, uwsgi.worker_id(), env.REQUEST_METHOD, path)
  local headers = { ['Content-Type'] = 'text/plain; charset=utf-8', ['Content-Length'] = #text }
  return '200 OK', headers, coroutine.wrap(function()
    coroutine.yield(text)
  end)
end
