-- What the rows of async cores ask for, named by the query: a sleep, a number of waits, a conversation with a server behind, a
-- body up or down; "hello" without one.
local PIECE = ('0123456789abcdef'):rep(4096)
local PIECES = 3200
-- By HTTP/0.9, whose answers are a body alone.
local QUESTION = 'GET /\r\n'

-- Nanoseconds per call. By the clock of the wall: the processor's would leave out what other threads do meanwhile.
local function timed(count, call)
  local start = uwsgi.micros()
  for _ = 1, count do call() end
  return tostring((uwsgi.micros() - start) * 1000 / count)
end

local actions = {}

function actions.sleep(seconds)
  uwsgi.async_sleep(tonumber(seconds))
  uwsgi.suspend()
  return 'slept'
end

-- Turns given to the other cores.
function actions.suspend(count)
  return timed(tonumber(count), uwsgi.suspend)
end

-- Waits for a connection that can be written to: the client's, or one to an address after an "@".
function actions.writable(argument)
  local count, address = argument:match('^(%d+)@?(.*)$')
  local fd = address == '' and uwsgi.connection_fd() or uwsgi.async_connect(address)
  local answer = timed(tonumber(count), function()
    uwsgi.wait_fd_write(fd, 3)
    uwsgi.suspend()
  end)
  if address ~= '' then uwsgi.close(fd) end
  return answer
end

function actions.proxy(address)
  local fd = uwsgi.async_connect(address)
  uwsgi.wait_fd_write(fd, 3)
  uwsgi.suspend()
  uwsgi.send(fd, QUESTION)
  local pieces = {}
  while true do
    uwsgi.wait_fd_read(fd, 3)
    uwsgi.suspend()
    local piece = uwsgi.recv(fd, 4096)
    if not piece or #piece == 0 then break end
    pieces[#pieces + 1] = piece
  end
  uwsgi.close(fd)
  return table.concat(pieces)
end

function actions.upload(_, env)
  local length = 0
  while true do
    local chunk = env.input:read(65536)
    if not chunk or #chunk == 0 then break end
    length = length + #chunk
  end
  return tostring(length)
end

local function download()
  local headers = { ['Content-Type'] = 'text/plain', ['Content-Length'] = tostring(#PIECE * PIECES) }
  return 200, headers, coroutine.wrap(function()
    for _ = 1, PIECES do coroutine.yield(PIECE) end
  end)
end

return function(env)
  local name, argument = env.QUERY_STRING:match('^(%a+)=?(.*)$')
  if name == 'download' then return download() end
  local answer = name and actions[name](argument, env) or 'hello'
  return 200, { ['Content-Type'] = 'text/plain', ['Content-Length'] = tostring(#answer) }, coroutine.wrap(function()
    coroutine.yield(answer)
  end)
end
