-- Answers with the options of the greeter as an application sees them.
return function()
  local body = ('%s %s %s'):format(uwsgi.opt['greeter-words'], uwsgi.opt['greeter-times'], uwsgi.opt['greeter-loud'])
  return 200, { ['Content-Type'] = 'text/plain' }, coroutine.wrap(function() coroutine.yield(body) end)
end
