-- Needs modules beside it: a plain one, a package with init.lua, a nested one.
local greeting = require 'greeting'
local shapes = require 'shapes'
local circle = require 'shapes.circle'

return function(env)
  local name = env.QUERY_STRING
  if name ~= '' then
    local ok, result = pcall(require, name)
    return ok and 200 or 500, {}, tostring(result)
  end
  return 200, {}, greeting.hello(shapes.count) .. ' ' .. circle.area(1)
end
