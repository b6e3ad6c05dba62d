-- For wrk: asks the three languages in turn.
local paths = { '/', '/js/', '/py/' }
local turn = 0

function request()
  turn = turn % #paths + 1
  return wrk.format('GET', paths[turn])
end
