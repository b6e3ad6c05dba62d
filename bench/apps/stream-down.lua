-- Yields 200 MB in pieces of 64 KB; one piece to the query "small".
local PIECE = ('0123456789abcdef'):rep(4096)
local PIECES = 3200

return function(env)
  local pieces = env.QUERY_STRING == 'small' and 1 or PIECES
  local headers = { ['Content-Type'] = 'application/octet-stream', ['Content-Length'] = ('%d'):format(#PIECE * pieces) }
  return 200, headers, coroutine.wrap(function()
    for _ = 1, pieces do
      coroutine.yield(PIECE)
    end
  end)
end
