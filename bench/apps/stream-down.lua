-- Yields 200 MB in pieces of 64 KB.
local PIECE = ('0123456789abcdef'):rep(4096)
local PIECES = 3200

return function(_)
  local headers = { ['Content-Type'] = 'application/octet-stream', ['Content-Length'] = ('%d'):format(#PIECE * PIECES) }
  return 200, headers, coroutine.wrap(function()
    for _ = 1, PIECES do
      coroutine.yield(PIECE)
    end
  end)
end
