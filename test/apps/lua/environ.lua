-- Answers with the request variables, one `name=value` per line, sorted by name.
return function(env)
  local lines = {}
  for name, value in pairs(env) do
    if type(value) == 'string' then lines[#lines + 1] = name .. '=' .. value end
  end
  table.sort(lines)
  return 200, { ['Content-Type'] = 'text/plain' }, table.concat(lines, '\n')
end
