return function()
  return '200 OK', { ['Content-Type'] = 'text/plain' }, coroutine.wrap(function()
    coroutine.yield('good')
  end)
end
