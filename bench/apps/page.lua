-- A page of 100 KB, built once: measures how a response travels, not how it is made.
local page = ('0123456789abcdef'):rep(6400)

return function(_)
  return 200, { ['Content-Type'] = 'text/plain', ['Content-Length'] = tostring(#page) }, coroutine.wrap(function()
    coroutine.yield(page)
  end)
end
