-- Gives a file away; the query string is the path.
return function(environ)
  local ok, said = pcall(uwsgi.sendfile, environ.QUERY_STRING)
  said = ok and tostring(said) or tostring(said):gsub('\n.*', '')
  return '200 OK', { ['X-Own'] = 'yes', ['X-Said'] = said }, coroutine.wrap(function() coroutine.yield('dropped if it was sent') end)
end
