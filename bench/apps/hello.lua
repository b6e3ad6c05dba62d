-- The smallest WSAPI answer. The iterator is a coroutine since uWSGI ends a body only when its iterator raises.
return function(_)
  return 200, { ['Content-Type'] = 'text/plain', ['Content-Length'] = '5' }, coroutine.wrap(function()
    coroutine.yield('hello')
  end)
end
