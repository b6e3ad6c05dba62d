-- Where the host enters the state other than to serve a request. The function to call and its arguments come from the host
-- through one call, made here, where running out of memory is an error like others. Results are cut down to one, which also
-- keeps these frames on the stack and so out of tail calls: tracebacks without them end in the guest's own lines.
local host, newWorld, luaLoad = ...
local error, tostring, type = error, tostring, type
local arguments = host.arguments

local function first(handler, ...)
  return (handler(...))
end

local function call()
  return (first(arguments()))
end

-- Numbers as the text Lua has for them.
local function callForText()
  local result = first(arguments())
  if type(result) == 'number' then return tostring(result) end
  return result
end

-- A file run to its end in a world of its own: the world's id, its package.path, the source, the chunk name.
local function runProgram()
  local id, path, source, name = arguments()
  local chunk, message = luaLoad(source, name, 't', newWorld(id, path))
  if not chunk then error(message, 0) end
  chunk()
end

return call, callForText, runProgram
