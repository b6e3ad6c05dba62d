-- Runs the Lua that is posted, as the body of a function, and answers what it returned.
local function show(value)
  if type(value) ~= 'table' then return type(value) == 'string' and ('%q'):format(value) or tostring(value) end
  local parts = {}
  for key, item in pairs(value) do parts[#parts + 1] = tostring(key) .. '=' .. show(item) end
  table.sort(parts)
  return '{' .. table.concat(parts, ',') .. '}'
end

return function(env)
  local code = env.input:read()
  -- An example may be an expression: that is its value.
  local chunk, message = load('return ' .. code, '=posted')
  if not chunk then chunk, message = load(code, '=posted') end
  local status, answer = '500 Raised', message
  if chunk then
    local result = table.pack(pcall(chunk))
    local parts = {}
    for index = 2, result.n do parts[#parts + 1] = show(result[index]) end
    status, answer = result[1] and '200 OK' or '500 Raised', result[1] and table.concat(parts, ' ') or tostring(result[2])
  end
  return status, { ['Content-Type'] = 'text/plain' }, answer
end
