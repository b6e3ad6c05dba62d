-- Behaviours of a WSAPI application that must look the same behind real uWSGI (Lua 5.1) and behind polywsgi (Lua 5.4).

local function once(...)
  local chunks = { ... }
  return coroutine.wrap(function()
    for _, chunk in ipairs(chunks) do coroutine.yield(chunk) end
  end)
end

local pages = {
  ['/hello'] = function() return '200 OK', { ['Content-Type'] = 'text/plain' }, once('hello') end,
  ['/chunks'] = function() return '201 Created', { ['X-A'] = 'b' }, once('one ', 'two ', 'three') end,
  ['/number'] = function() return 404, { ['X-Number'] = 12 }, once('gone') end,
  ['/repeated'] = function() return '200 OK', { ['X-A'] = { '1', '2' } }, once('x') end,
  ['/binary'] = function() return '200 OK', { ['X-A'] = 'b' }, once('\0\255\128\n') end,
  ['/echo'] = function(env)
    local body = env.input:read()
    return '200 OK', { ['X-Length'] = tostring(#body) }, once(body)
  end,
  ['/pieces'] = function(env)
    return '200 OK', { ['X-A'] = 'b' }, once(env.input:read(3), '|', env.input:read(7))
  end,
  ['/variables'] = function(env)
    local names = { 'REQUEST_METHOD', 'PATH_INFO', 'QUERY_STRING', 'SERVER_NAME', 'REMOTE_ADDR', 'HTTP_HOST', 'HTTP_X_BYTES', 'NOTHING' }
    local values = {}
    for index, name in ipairs(names) do values[index] = name .. '=' .. tostring(env[name]) end
    return '200 OK', { ['X-A'] = 'b' }, once(table.concat(values, '\n'))
  end,
}

return function(env) return pages[env.PATH_INFO](env) end
