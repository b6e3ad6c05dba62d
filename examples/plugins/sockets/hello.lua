-- An app: says what it was asked for.
return function(env)
  local said = ('Lua was asked for %s\n'):format(env.PATH_INFO)
  return '200 OK', { ['Content-Type'] = 'text/plain' }, coroutine.wrap(function() coroutine.yield(said) end)
end
