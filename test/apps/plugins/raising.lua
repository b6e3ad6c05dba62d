return function(env)
  if env.PATH_INFO == '/value' then error('no such thing') end
  return 200, { ['Content-Type'] = 'text/plain' }, coroutine.wrap(function() coroutine.yield('fine') end)
end
