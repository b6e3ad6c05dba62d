-- Files and environment: `io` and its part of `os`, over host functions that judge each path. What Lua has and guests have not:
-- standard streams, io.popen, io.tmpfile, os.tmpname. Writes go out at once; reads are buffered here.
-- A file that is dropped without being closed is found when all places for open files are taken: finalizers would run at any time.
local host = ...
local collectgarbage, error, next, select, setmetatable, tonumber, tostring, type =
  collectgarbage, error, next, select, setmetatable, tonumber, tostring, type
local concat, unpack, find, match, sub, format = table.concat, table.unpack, string.find, string.match, string.sub, string.format
local toInteger, endless = math.tointeger, 1 << 53
local os = os
local openFile, readFile, writeFile, sizeOfFile, closeFile = host.openFile, host.readFile, host.writeFile, host.sizeOfFile, host.closeFile

-- Of each file object: `number` (nil: closed), `at`: position of the next byte to be read or written, `buffer` and `from`: what was
-- read ahead, and where in it that byte is.
local states = setmetatable({}, { __mode = 'k' })
local open = {}
local metatable

local function typeName(value)
  return value == nil and 'no value' or type(value)
end

local function textArgument(value, index, name)
  if type(value) == 'number' then return tostring(value) end
  if type(value) ~= 'string' then
    error(format("bad argument #%d to '%s' (string expected, got %s)", index, name, typeName(value)), 3)
  end
  return value
end

local function stateOf(file, name)
  local state = states[file]
  if not state then error(format("bad argument #1 to '%s' (FILE* expected, got %s)", name, typeName(file)), 3) end
  if not state.number then error('attempt to use a closed file', 3) end
  return state
end

local function closeDropped()
  collectgarbage()
  local alive = {}
  for _, state in next, states do
    if state.number then alive[state.number] = true end
  end
  for number in next, open do
    if not alive[number] then
      closeFile(number)
      open[number] = nil
    end
  end
end

local function newFile(path, mode)
  local kind, plus = sub(mode, 1, 1), find(mode, '+', 1, true) ~= nil
  local function try()
    return openFile(path, kind == 'r' or plus, kind ~= 'r' or plus, kind ~= 'r', kind == 'w', kind == 'a')
  end
  local number, message, code = try()
  -- EMFILE
  if not number and code == 24 then
    closeDropped()
    number, message, code = try()
  end
  if not number then return nil, message, code end
  open[number] = true
  local file = host.newObject(metatable)
  states[file] = { number = number, at = 0, buffer = '', from = 1, appends = kind == 'a' }
  return file
end

local function close(state)
  local number = state.number
  state.number, state.buffer, open[number] = nil, '', nil
  return closeFile(number)
end

-- True: there are bytes in the buffer. False: the end. Nil and two more: failed.
local function fill(state)
  if state.from <= #state.buffer then return true end
  local bytes, message, code = readFile(state.number, state.at)
  if not bytes then return nil, message, code end
  state.buffer, state.from = bytes, 1
  return #bytes > 0
end

local function take(state, last)
  local bytes = sub(state.buffer, state.from, last)
  state.from = state.from + #bytes
  state.at = state.at + #bytes
  return bytes
end

-- Up to `wanted` bytes, or up to what `stops` finds in the buffer; nil at the end.
local function gather(state, wanted, stops)
  local parts, length = {}, 0
  while length < wanted do
    local more, message, code = fill(state)
    if more == nil then return nil, message, code end
    if not more then break end
    local stop = stops and stops(state)
    local bytes = take(state, stop or (state.from + wanted - length - 1))
    parts[#parts + 1] = bytes
    length = length + #bytes
    if stop then break end
  end
  if length == 0 then return nil end
  return concat(parts)
end

local function endOfLine(state)
  return (find(state.buffer, '\n', state.from, true))
end

local function readLine(state)
  local line, message, code = gather(state, endless, endOfLine)
  if not line then return nil, message, code end
  return sub(line, -1) == '\n' and sub(line, 1, -2) or line
end

local function readRest(state)
  local rest, message, code = gather(state, endless)
  if not rest and message then return nil, message, code end
  return rest or ''
end

local function readCount(state, count)
  if count > 0 then return gather(state, count) end
  local more, message, code = fill(state)
  if not more then return nil, message, code end
  return ''
end

-- No numeral is longer.
local longest = 200

local function readNumber(state)
  local text = ''
  while true do
    local more, message, code = fill(state)
    if more == nil then return nil, message, code end
    if not more then break end
    local character = sub(state.buffer, state.from, state.from)
    if not (text == '' and find(character, '%s')) then
      if not find(character, '[%w.+-]') or #text == longest then break end
      -- A sign stands at the beginning, or behind the letter of an exponent.
      if text ~= '' and find(character, '[+-]') and not find(text, '[eEpP]$') then break end
      text = text .. character
    end
    take(state, state.from)
  end
  return tonumber(text)
end

local readers = { l = readLine, L = function(state) return gather(state, endless, endOfLine) end, a = readRest, n = readNumber }

local function read(state, level, ...)
  local count = select('#', ...)
  if count == 0 then
    local line, message, code = readLine(state)
    if message then return nil, message, code end
    return line
  end
  local results = {}
  for index = 1, count do
    local what = select(index, ...)
    local value, message, code
    if type(what) == 'number' then
      local whole = toInteger(what)
      if not whole or whole < 0 then error(format("bad argument #%d to 'read' (invalid format)", index), level) end
      value, message, code = readCount(state, whole)
    else
      local reader = type(what) == 'string' and readers[sub(match(what, '^%*?(.*)'), 1, 1)]
      if not reader then error(format("bad argument #%d to 'read' (invalid format)", index), level) end
      value, message, code = reader(state)
    end
    if message then return nil, message, code end
    results[index] = value
    if value == nil then return unpack(results, 1, index) end
  end
  return unpack(results, 1, count)
end

local function lines(file, state, closes, ...)
  local formats, count = { ... }, select('#', ...)
  local function step()
    if not state.number then error('file is already closed', 2) end
    local results = { read(state, 3, unpack(formats, 1, count)) }
    if results[1] ~= nil then return unpack(results) end
    if results[2] ~= nil then error(results[2], 2) end
    if closes then close(state) end
    return nil
  end
  return step, file
end

local methods = {}

function methods.read(self, ...)
  return read(stateOf(self, 'read'), 3, ...)
end

function methods.lines(self, ...)
  return (lines(self, stateOf(self, 'lines'), false, ...))
end

function methods.write(self, ...)
  local state = stateOf(self, 'write')
  for index = 1, select('#', ...) do
    local bytes = textArgument(select(index, ...), index, 'write')
    local ok, message, code = writeFile(state.number, state.at, bytes)
    if not ok then return nil, message, code end
    state.buffer, state.from = '', 1
    state.at = state.appends and sizeOfFile(state.number) or state.at + #bytes
  end
  return self
end

function methods.seek(self, whence, offset)
  local state = stateOf(self, 'seek')
  offset = toInteger(offset == nil and 0 or tonumber(offset) or 'none')
  if not offset then error("bad argument #2 to 'seek' (number has no integer representation)", 2) end
  local base
  if whence == nil or whence == 'cur' then base = state.at
  elseif whence == 'set' then base = 0
  elseif whence == 'end' then
    local size, message, code = sizeOfFile(state.number)
    if not size then return nil, message, code end
    base = size
  else error(format("bad argument #1 to 'seek' (invalid option '%s')", tostring(whence)), 2) end
  if base + offset < 0 or base + offset > 2 ^ 53 then return nil, 'Invalid argument', 22 end
  state.at, state.buffer, state.from = base + offset, '', 1
  return state.at
end

function methods.close(self)
  return close(stateOf(self, 'close'))
end

-- Nothing is held back.
function methods.flush(self)
  stateOf(self, 'flush')
  return self
end

function methods.setvbuf(self)
  stateOf(self, 'setvbuf')
  return true
end

metatable = {
  __name = 'FILE*',
  __metatable = false,
  __index = methods,
  __tostring = function(self)
    local state = states[self]
    return state and state.number and 'file (' .. state.number .. ')' or 'file (closed)'
  end,
  __close = function(self)
    local state = states[self]
    if state and state.number then close(state) end
  end,
}

io = {}

function io.open(path, mode)
  path = textArgument(path, 1, 'open')
  mode = mode == nil and 'r' or textArgument(mode, 2, 'open')
  if not find(mode, '^[rwa]%+?b?$') then error("bad argument #2 to 'open' (invalid mode)", 2) end
  return newFile(path, mode)
end

function io.lines(path, ...)
  path = textArgument(path, 1, 'lines')
  local file, message = newFile(path, 'r')
  if not file then error(message, 2) end
  local step = lines(file, states[file], true, ...)
  return step, nil, nil, file
end

function io.close(file)
  return close(stateOf(file, 'close'))
end

function io.type(value)
  local state = states[value]
  if not state then return nil end
  return state.number and 'file' or 'closed file'
end

function os.remove(path)
  return host.removeFile(textArgument(path, 1, 'remove'))
end

function os.rename(from, to)
  from, to = textArgument(from, 1, 'rename'), textArgument(to, 2, 'rename')
  return host.renameFile(from, to)
end

function os.getenv(name)
  return host.environment(textArgument(name, 1, 'getenv'))
end
