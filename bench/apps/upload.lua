-- Reads the whole body at once and answers its length.
return function(env)
  local length = tonumber(env.CONTENT_LENGTH) or 0
  local answer = '0'
  if length > 0 then
    answer = tostring(#env.input:read(length))
  end
  return 200, { ['Content-Type'] = 'text/plain', ['Content-Length'] = tostring(#answer) }, coroutine.wrap(function()
    coroutine.yield(answer)
  end)
end
