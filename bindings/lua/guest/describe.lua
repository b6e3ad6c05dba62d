-- Makes text of an error that ended a thread: its message, and the stack as it was when it was raised. And tells whether
-- there is memory for another request after one has run out of it.
local collectgarbage, getmetatable, pcall, rawget, rep, sub, tostring, type =
  collectgarbage, getmetatable, pcall, rawget, string.rep, string.sub, tostring, type
local traceback = ...

-- What a guest puts into an error ends in the log: this much of it is enough.
local longest = 16384

-- The largest request table takes about this much.
local enough = 256 * 1024

local function describe(thread, value)
  local kind, message = type(value), nil
  if kind == 'string' or kind == 'number' then
    message = tostring(value)
  else
    -- As the standalone interpreter says it; a metatable may also be false or a string here.
    local metatable = getmetatable(value)
    local ok, text = false, nil
    if type(metatable) == 'table' and rawget(metatable, '__tostring') ~= nil then ok, text = pcall(tostring, value) end
    message = ok and text or '(error object is a ' .. kind .. ' value)'
  end
  return sub(message, 1, longest), traceback(thread)
end

-- Raises when there is not enough.
local function probe()
  collectgarbage()
  return #rep('\0', enough)
end

return describe, probe, collectgarbage
