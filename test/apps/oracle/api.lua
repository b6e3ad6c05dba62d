-- Evaluates expressions of the uwsgi API, one line each in and out: the same program under both servers.
-- Written for Lua 5.1, which real uWSGI has, and 5.4.
local function handler(...) return 'handled' end

uwsgi.register_rpc('upper', function(text) return text:upper() end)
uwsgi.register_signal(17, 'worker', handler)

local load_text = loadstring or load

local function show(value)
  if type(value) == 'string' then
    return 'string ' .. value:gsub('[^%w%p ]', function(byte) return ('\\x%02x'):format(byte:byte()) end)
  end
  return type(value) .. ' ' .. tostring(value)
end

local function answer(line)
  local kind, code = line:match('^(%S+) (.*)$')
  local chunk = assert(load_text('local handler = ... return ' .. code))
  local results = { pcall(chunk, handler) }
  if not results[1] then return 'raises' end
  if kind == 'type' then return type(results[2]) end
  -- Nothing and nil are the same to whoever reads a result.
  return show(results[2])
end

return function(env)
  local lines = {}
  for line in (env.input:read() .. '\n'):gmatch('([^\n]*)\n') do lines[#lines + 1] = answer(line) end
  return '200 OK', { ['Content-Type'] = 'text/plain' }, coroutine.wrap(function() coroutine.yield(table.concat(lines, '\n')) end)
end
