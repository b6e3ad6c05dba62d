-- Asynchronous cores in Lua under real uWSGI and under polywsgi: a chunk of the body waits for what was registered before it. The
-- pages that async.py has too have the same names; see there.
local pages = {}

local function shown(name, value) return ('%s: %s %s'):format(name, type(value), tostring(value)) end

local function line(text) coroutine.yield(text .. '\n') end

-- Waits for what is registered.
local function wait() coroutine.yield('') end

local function named(fds, fd)
  for name, one in pairs(fds) do
    if one == fd then return 'ready ' .. name end
  end
  return 'ready ' .. tostring(fd)
end

local function connected(address)
  local fd = uwsgi.async_connect(address)
  uwsgi.wait_fd_write(fd, 3)
  wait()
  return fd
end

pages['/values'] = function()
  uwsgi.async_sleep(0)
  uwsgi.async_sleep(-1)
  line(shown('at first', uwsgi.ready_fd()))
  uwsgi.async_sleep(1)
  wait()
  line(shown('slept', uwsgi.ready_fd()))
end

pages['/good'] = function(places)
  local fd = connected(places.echo)
  line(named({ fd = fd }, uwsgi.ready_fd()))
  line(shown('connected', uwsgi.is_connected(fd)))
  uwsgi.close(fd)
  line(shown('connected', uwsgi.is_connected(fd)))
end

pages['/refused'] = function(places)
  local fd = connected(places.refusing)
  line(named({ fd = fd }, uwsgi.ready_fd()))
  line(shown('connected', uwsgi.is_connected(fd)))
  uwsgi.close(fd)
end

pages['/no-path'] = function()
  local ok, fd = pcall(uwsgi.async_connect, '/nowhere/at-all.sock')
  line(shown('connect to no path', ok and fd))
end

pages['/ended'] = function(places)
  local fd = connected(places.closing)
  uwsgi.wait_fd_read(fd, 3)
  wait()
  line(named({ fd = fd }, uwsgi.ready_fd()))
  uwsgi.close(fd)
end

pages['/timeout'] = function(places)
  local fd = connected(places.silent)
  uwsgi.wait_fd_read(fd, 1)
  wait()
  line(named({ fd = fd }, uwsgi.ready_fd()))
  -- What was waited for is forgotten, and may be waited for again.
  uwsgi.wait_fd_read(fd, 1)
  wait()
  line(named({ fd = fd }, uwsgi.ready_fd()))
  uwsgi.wait_fd_write(fd, 3)
  wait()
  line(named({ fd = fd }, uwsgi.ready_fd()))
  uwsgi.close(fd)
end

pages['/several'] = function(places)
  local fds = { silent = connected(places.silent), closing = connected(places.closing) }
  uwsgi.wait_fd_read(fds.silent, 3)
  uwsgi.wait_fd_read(fds.closing, 3)
  wait()
  line(named(fds, uwsgi.ready_fd()))
  uwsgi.close(fds.silent)
  uwsgi.close(fds.closing)
end

pages['/duplicate'] = function(places)
  local fd = connected(places.silent)
  uwsgi.wait_fd_read(fd, 1)
  line(shown('again', (pcall(uwsgi.wait_fd_read, fd, 1))))
  uwsgi.close(fd)
end

return function(env)
  local places = {}
  for name, address in env.QUERY_STRING:gmatch('([^&=]+)=([^&]*)') do places[name] = address end
  local page = pages[env.PATH_INFO]
  return '200 OK', { ['Content-Type'] = 'text/plain' }, coroutine.wrap(function() page(places) end)
end
