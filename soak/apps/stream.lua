-- Sends what came back in pieces, twenty times.
return function(env)
  local body = env.input:read() or ''
  local left = 20
  return '200 OK', { ['Content-Type'] = 'text/plain' }, function()
    left = left - 1
    if left >= 0 then return body end
  end
end
