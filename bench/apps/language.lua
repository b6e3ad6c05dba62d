-- Answers which language it is: where several are loaded, each must have answered itself.
return function(_)
  return 200, { ['Content-Type'] = 'text/plain', ['Content-Length'] = '3' }, coroutine.wrap(function()
    coroutine.yield('lua')
  end)
end
