-- Fails in the way that the query string names.
local ways = {}

function ways.call(env)
  local nothing
  return nothing.field
end

function ways.object() error({ code = 7 }) end

function ways.tostring() error(setmetatable({}, { __tostring = function() return 'an error of its own kind' end })) end

function ways.stream()
  return 200, {}, coroutine.wrap(function()
    coroutine.yield('first')
    error('in the middle')
  end)
end

function ways.early()
  return 200, { ['X-Never'] = 'sent' }, function() error('before the first chunk') end
end

function ways.yield() coroutine.yield('nobody resumes this') end

return function(env)
  local status, headers, body = ways[env.QUERY_STRING](env)
  return status, headers, body
end
