-- One worker, many requests at once: each of these waits for others that come meanwhile.
local arrived, released, seen = {}, {}, {}

uwsgi.register_rpc('lua_waits', function(name)
  while not released[name] do uwsgi.suspend() end
  return 'released ' .. name
end)

local ways = {}

-- Until so many requests are in here.
function ways.barrier(env, name, count)
  arrived[name] = (arrived[name] or 0) + 1
  while arrived[name] < tonumber(count) do uwsgi.suspend() end
  return 200, {}, coroutine.wrap(function() return env.QUERY_STRING end)
end

function ways.hold(_, name)
  seen[name] = true
  coroutine.wrap(function() while not released[name] do coroutine.wrap(uwsgi.suspend)() end end)()
  return 200, {}, 'held ' .. name
end

function ways.release(_, name)
  while not seen[name] do uwsgi.suspend() end
  released[name] = true
  return 200, {}, 'done'
end

function ways.sleep(_, seconds)
  uwsgi.async_sleep(tonumber(seconds))
  uwsgi.suspend()
  return 200, {}, 'slept ' .. uwsgi.ready_fd()
end

function ways.ask(_, address)
  local fd = uwsgi.async_connect(address)
  uwsgi.wait_fd_write(fd, 30)
  uwsgi.suspend()
  if not uwsgi.is_connected(fd) then return 502, {}, 'refused' end
  uwsgi.send(fd, 'question\n')
  uwsgi.wait_fd_read(fd, 30)
  uwsgi.suspend()
  return 200, {}, uwsgi.recv(fd, 4096)
end

function ways.body(env, name)
  seen[name] = true
  return 200, {}, coroutine.wrap(function() return env.input:read(4) end)() .. '|' .. env.input:read()
end

function ways.stream(_, name)
  return 200, {}, coroutine.wrap(function()
    coroutine.yield('begun ')
    seen[name] = true
    while not released[name] do coroutine.yield('') end
    coroutine.yield('ended')
  end)
end

function ways.rpc(_, name)
  seen[name] = true
  return 200, {}, uwsgi.rpc('', 'lua_waits', name)
end

function ways.overrun(_, how)
  uwsgi.set_user_harakiri(1)
  local function wait() uwsgi.async_sleep(600) uwsgi.suspend() end
  while true do
    if how == 'raise' then wait() else pcall(wait) end
  end
end

return function(env)
  local way, rest = env.PATH_INFO:match('^/(%w+)/?(.*)$')
  local arguments = {}
  for word in rest:gmatch('[^/]+') do arguments[#arguments + 1] = word end
  return ways[way](env, table.unpack(arguments))
end
