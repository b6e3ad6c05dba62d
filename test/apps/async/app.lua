-- Pages that wait, for test/system/async.test.ts: app.py and app.mjs have the same ones, and answer the same.
-- What happens when is noted in the queue. `at` is the address of a server of the test's own, which decides how long a page
-- waits.
local pages = {}
local active = 0

local function note(text) uwsgi.queue_push(text) end

local function connected(at)
  local fd = uwsgi.async_connect(at)
  uwsgi.wait_fd_write(fd, 60)
  uwsgi.suspend()
  return fd
end

local function readable(fd, timeout)
  uwsgi.wait_fd_read(fd, timeout or 60)
  uwsgi.suspend()
  return uwsgi.ready_fd()
end

-- What the other side says next.
local function received(fd)
  assert(readable(fd) == fd)
  return uwsgi.recv(fd, 65536) or ''
end

-- Returns when the test's server says so: it is told the name first.
local function kept_by(at, name)
  local fd = connected(at)
  uwsgi.send(fd, name)
  local text = received(fd)
  uwsgi.close(fd)
  return text
end

local function seen(key) return uwsgi.cache_exists(key) == true end

local function saying(call, ...)
  local _, answer = pcall(call, ...)
  return tostring(answer)
end

function pages.journal()
  local texts = {}
  repeat
    local text = uwsgi.queue_pull()
    texts[#texts + 1] = text
  until not text
  return table.concat(texts, '\n')
end

function pages.set(args) uwsgi.cache_update(args.key, '1') end

function pages.cached(args) return uwsgi.cache_get(args.key) end

function pages.turns(args)
  while args.after and not seen(args.after) do uwsgi.suspend() end
  for turn = 1, tonumber(args.times) do
    note(args.name .. turn)
    uwsgi.cache_update(args.name .. turn, '1')
    uwsgi.suspend()
  end
end

function pages.sleep(args)
  uwsgi.async_sleep(tonumber(args.seconds))
  uwsgi.suspend()
  return tostring(uwsgi.ready_fd())
end

function pages.sleep_until(args)
  note('sleeps')
  while not seen(args.key) do
    uwsgi.async_sleep(0.01)
    uwsgi.suspend()
  end
end

function pages.hold(args)
  if args.deadline then uwsgi.set_user_harakiri(tonumber(args.deadline)) end
  note(args.name .. ' begins')
  local text = kept_by(args.at, args.name)
  note(args.name .. ' goes on')
  return text
end

function pages.any(args)
  local fds, left, order = {}, {}, {}
  for index = 0, 2 do
    local fd = connected(args.at)
    left[fd] = index
    fds[index] = fd
    uwsgi.send(fd, tostring(index))
  end
  while next(left) do
    for fd in pairs(left) do uwsgi.wait_fd_read(fd, 60) end
    uwsgi.suspend()
    local fd = uwsgi.ready_fd()
    order[#order + 1] = left[fd] .. uwsgi.recv(fd, 10)
    left[fd] = nil
    uwsgi.send(fd, 'got')
  end
  for index = 0, 2 do uwsgi.close(fds[index]) end
  return table.concat(order, ' ')
end

function pages.timeout(args)
  local fd = connected(args.at)
  local late = readable(fd, 0.05)
  uwsgi.wait_fd_write(fd, 60)
  uwsgi.suspend()
  local is_ready = uwsgi.ready_fd() == fd
  uwsgi.close(fd)
  return ('%d %s'):format(late, is_ready)
end

function pages.refused(args)
  local fd = uwsgi.async_connect(args.at)
  uwsgi.wait_fd_write(fd, 60)
  uwsgi.suspend()
  local is_ready, is_connected = uwsgi.ready_fd() == fd, uwsgi.is_connected(fd)
  uwsgi.close(fd)
  return ('%s %s'):format(is_ready, is_connected)
end

function pages.errors(args)
  local fd = connected(args.at)
  uwsgi.wait_fd_read(fd, 0.01)
  local answers = { saying(uwsgi.wait_fd_read, fd), saying(uwsgi.wait_fd_write, 77) }
  uwsgi.suspend()
  answers[3] = saying(uwsgi.recv, 78, 10)
  answers[4] = tostring(uwsgi.is_connected(79))
  answers[5] = saying(uwsgi.wait_fd_read, fd, -1)
  uwsgi.close(fd)
  return (table.concat(answers, '\n'):gsub(tostring(fd), 'FD'))
end

function pages.talk(args)
  local fd = connected(args.at)
  local wanted, count = tonumber(args.bytes), 0
  uwsgi.send(fd, ('x'):rep(wanted))
  while count < wanted do
    assert(readable(fd) == fd)
    count = count + #uwsgi.recv(fd, 65536)
  end
  uwsgi.close(fd)
  return ('%d %s'):format(count, uwsgi.is_connected(fd))
end

function pages.connect(args)
  local fd = uwsgi.connect(args.at, 60)
  uwsgi.send(fd, args.name)
  local text = uwsgi.recv(fd, 4096)
  uwsgi.close(fd)
  return text
end

function pages.client_body(args)
  local client, length = uwsgi.connection_fd(), 0
  while length < tonumber(args.length) do
    assert(readable(client) == client)
    length = length + #uwsgi.recv(65536)
    note(('got %d'):format(length))
  end
  return tostring(length)
end

function pages.client_leaves()
  local client = uwsgi.connection_fd()
  note('waits for the client')
  local ready = readable(client)
  note(('left %s %s'):format(ready == client, uwsgi.is_connected(client)))
end

function pages.abandoned(args)
  note('begins')
  kept_by(args.at, 'abandoned')
  note(('goes on %s'):format(uwsgi.is_connected(uwsgi.connection_fd())))
end

function pages.lock(args)
  note(args.name .. ' wants')
  uwsgi.lock(1)
  note(args.name .. ' has')
  kept_by(args.at, args.name)
  note(args.name .. ' frees')
  uwsgi.unlock(1)
end

function pages.count()
  uwsgi.lock(1)
  local count = tonumber(uwsgi.cache_get('count') or '0')
  uwsgi.suspend()
  uwsgi.cache_update('count', ('%d'):format(count + 1))
  uwsgi.unlock(1)
  return tostring(uwsgi.worker_id())
end

function pages.signal_wait()
  note('waits for the signal')
  uwsgi.signal_wait(21)
  return tostring(uwsgi.signal_received())
end

function pages.signal() uwsgi.signal(21) end

function pages.rpc(args) return uwsgi.rpc(args.node, args['function'], args.text) end

function pages.call(args) return uwsgi.call(args['function'], args.text) end

function pages.remote_cache(args)
  uwsgi.cache_update('far', args.text, 0, '@' .. args.node)
  return uwsgi.cache_get('far', '@' .. args.node)
end

function pages.raise_later(args)
  kept_by(args.at, 'raising')
  error('lua raises later')
end

function pages.raise_soon()
  uwsgi.suspend()
  error('lua raises soon')
end

-- How many requests are being served, and what the interpreter holds, in some measure of its own.
function pages.remains()
  collectgarbage()
  collectgarbage()
  return ('%d %d'):format(active, collectgarbage('count') // 1)
end

function pages.nested()
  local numbers = {}
  local function add(number) numbers[#numbers + 1] = number end
  local function slow(value)
    uwsgi.suspend()
    return value
  end

  local generated = coroutine.wrap(function()
    for number = 1, 2 do
      uwsgi.suspend()
      coroutine.yield(number)
    end
  end)
  for number in generated do add(number) end
  local object = setmetatable({}, {
    __index = function() return slow(3) end,
    __call = function(_, value) return slow(value) end,
  })
  add(object.three)
  add(object(4))
  local _, five = pcall(function()
    local inner = coroutine.create(function()
      local ok, value = pcall(slow, 5)
      return ok and value
    end)
    return select(2, coroutine.resume(inner))
  end)
  add(five)
  -- Across these no Lua code can be suspended: the thread waits in them.
  local sorted = { 7, 6 }
  table.sort(sorted, function(one, other) return slow(one) < slow(other) end)
  add(sorted[1])
  add(sorted[2])
  add((('x'):gsub('x', function() return slow('8') end)))
  add(load('return ...', '=posted')(slow(9)))
  local ok = pcall(function()
    slow(0)
    error('raised')
  end)
  if not ok then add(slow(10)) end
  return table.concat(numbers, ' ')
end

function pages.leak(args)
  connected(args.at)
  connected(args.at)
end

function pages.own(args)
  local fd = connected(args.at)
  uwsgi.send(fd, 'own')
  note('fd ' .. fd)
  local text = received(fd)
  uwsgi.close(fd)
  return text
end

function pages.use(args)
  local fd = math.tointeger(args.fd)
  local answers = { saying(uwsgi.recv, fd, 10), saying(uwsgi.send, fd, 'stolen'), saying(uwsgi.wait_fd_read, fd) }
  uwsgi.close(fd)
  answers[4] = tostring(uwsgi.is_connected(fd))
  return table.concat(answers, '\n')
end

function pages.spin()
  note('spins')
  while true do end
end

function pages.worker() return tostring(uwsgi.worker_id()) end

function pages.open(args) return saying(uwsgi.async_connect, args.at) .. '\n' .. saying(uwsgi.connect, args.at, 3) end

function pages.large(args)
  local text = ('x'):rep(65536 * tonumber(args.pieces))
  note('made ' .. args.pieces)
  return text
end

uwsgi.register_rpc('lua_slow', function(text)
  uwsgi.suspend()
  uwsgi.async_sleep(0.01)
  uwsgi.suspend()
  return 'lua:' .. text
end, 1)
uwsgi.register_signal(21, 'worker', function() end)

local bodies = {}

function bodies.stream(args)
  local piece = ('x'):rep(65536)
  for _ = 1, tonumber(args.pieces) do coroutine.yield(piece) end
  note('streamed ' .. args.pieces)
end

-- Each chunk waits for what was registered before it.
function bodies.steps(args)
  local fd = connected(args.at)
  for number = 1, 2 do
    uwsgi.send(fd, tostring(number))
    uwsgi.wait_fd_read(fd, 60)
    coroutine.yield(number .. ' ')
    coroutine.yield(('%s %s '):format(uwsgi.ready_fd() == fd, uwsgi.recv(fd, 10)))
  end
  uwsgi.close(fd)
end

local function serve(env)
  local name = env.PATH_INFO:gsub('^/', ''):gsub('-', '_')
  local args = {}
  for key, value in env.QUERY_STRING:gmatch('([^&=]+)=([^&]*)') do args[key] = value end
  local headers = { ['Content-Type'] = 'text/plain' }
  if bodies[name] then return '200 OK', headers, coroutine.wrap(function() bodies[name](args) end) end
  if name == 'body' then
    note('reads')
    return '200 OK', headers, tostring(#env.input:read())
  end
  return '200 OK', headers, pages[name](args) or 'done'
end

return function(env)
  active = active + 1
  local results = table.pack(pcall(serve, env))
  active = active - 1
  if not results[1] then error(results[2], 0) end
  return table.unpack(results, 2, results.n)
end
