-- Reads the body in pieces of 64 KB, keeps none of them, and answers the length. It counts down from CONTENT_LENGTH, since
-- uWSGI's reader has no end-of-body value to stop at.
return function(env)
  local left = tonumber(env.CONTENT_LENGTH) or 0
  local length = 0
  while left > 0 do
    local chunk = env.input:read(math.min(left, 65536))
    if not chunk or #chunk == 0 then
      break
    end
    length = length + #chunk
    left = left - #chunk
  end
  local answer = ('%d'):format(length)
  return 200, { ['Content-Type'] = 'text/plain', ['Content-Length'] = tostring(#answer) }, coroutine.wrap(function()
    coroutine.yield(answer)
  end)
end
