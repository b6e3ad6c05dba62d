-- Answers which language it is; a request for /die takes its process with it, as a crash would.
return function(environ)
  if environ.PATH_INFO:find('/die', 1, true) then os.execute('kill -9 $PPID') end
  return 200, { ['Content-Type'] = 'text/plain', ['Content-Length'] = '3' }, coroutine.wrap(function()
    coroutine.yield('lua')
  end)
end
