-- Cuts the standard libraries down to what a request handler may have. Runs once per state, after the libraries were opened
-- (io and package never are) and before any other code. What is kept here in locals is out of every guest's reach.
local host = ...
local error, next, pcall, select, tonumber, tostring, type = error, next, pcall, select, tonumber, tostring, type
local concat, gsub = table.concat, string.gsub
local running = coroutine.running
local luaTraceback, luaInfo, luaXpcall, luaLoad, luaDate = debug.traceback, debug.getinfo, xpcall, load, os.date

-- Files and byte code: `load` is given per app in modules.lua, text only.
dofile, loadfile, load = nil, nil, nil
string.dump = nil

-- Refuses `__gc`: finalizers run at any time, with nothing to stop them.
setmetatable = host.setMetatable

-- By itself Lua seeds with the time and an address, which are the same in every worker.
math.randomseed(host.randomInteger(), host.randomInteger())

function print(...)
  local count = select('#', ...)
  local parts = { ... }
  for index = 1, count do parts[index] = tostring(parts[index]) end
  host.log(concat(parts, '\t', 1, count))
end

-- The last second of the last year that the host's calendar knows.
local latest = 8640000000000

os = {
  clock = host.clock,
  difftime = os.difftime,
  time = os.time,
  date = function(format, time)
    if time == nil then return luaDate(format) end
    local seconds = tonumber(time)
    if seconds and (seconds > latest or seconds < -latest) then
      error('date result cannot be represented in this installation', 2)
    end
    return luaDate(format, time)
  end,
}

-- xpcall runs its handler as an ordinary function after the error has been unwound: inside Lua's own handlers nothing can
-- wait, and a loop there cannot be ended. So that `xpcall(f, debug.traceback)` still shows where the error was raised, the
-- stack is written down at that moment and debug.traceback answers with it while the handler runs in the same coroutine.
local tracebacks = setmetatable({}, { __mode = 'k' })

-- Without the frames of the binding's own Lua files, which are all named (polywsgi).
local function withoutOwnFrames(text)
  return (gsub(text, '\n\t%(polywsgi%)[^\n]*', ''))
end

local function traceback(...)
  local thread, message, level = ...
  if type(thread) ~= 'thread' then thread, message, level = nil, ... end
  if message ~= nil and type(message) ~= 'string' and type(message) ~= 'number' then return message end
  if thread then return withoutOwnFrames(luaTraceback(thread, message, level)) end
  local written = tracebacks[running()]
  if not written then return withoutOwnFrames(luaTraceback(message, (level or 1) + 1)) end
  return message == nil and written or message .. '\n' .. written
end

local function writeDown(value)
  tracebacks[running()] = withoutOwnFrames(luaTraceback(nil, 2))
  return value
end

local function finish(handler, outer, ok, ...)
  local thread = running()
  if ok then
    tracebacks[thread] = outer
    return true, ...
  end
  local handled, result = pcall(handler, (...))
  tracebacks[thread] = outer
  return false, result
end

function xpcall(f, handler, ...)
  if type(handler) ~= 'function' then
    error("bad argument #2 to 'xpcall' (function expected, got " .. (handler == nil and 'no value' or type(handler)) .. ')', 2)
  end
  return finish(handler, tracebacks[running()], luaXpcall(f, writeDown, ...))
end

debug = { traceback = traceback }

return luaLoad, luaTraceback, luaInfo
