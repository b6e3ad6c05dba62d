-- Runs the Lua that the option load-lua holds while it loads, and then the Lua that is posted.
local uwsgi = require 'uwsgi'

assert(load(uwsgi.opt['load-lua'] or '', '=load'))()

return function(env)
  local code = env.input:read() or ''
  -- Requests without a body bring it in a header.
  if code == '' then code = env.HTTP_X_CODE or '' end
  local chunk, message = load(code, '=posted')
  local ok, answer = false, message
  if chunk then ok, answer = pcall(chunk) end
  return ok and '200 OK' or '500 Raised', { ['Content-Type'] = 'text/plain' }, tostring(answer)
end
