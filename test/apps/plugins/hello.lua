-- A request plugin with an option of its own, written in Lua; hello.py does the same. What `init` leaves in the file's
-- variables is there for the request: both run in the same thread.
local greeting, served = nil, 0

return {
  name = 'hello-lua',
  modifier1 = 250,
  options = {
    { name = 'hello-lua-greeting', type = 'text', help = 'The word to greet with.', default = 'hello' },
  },

  init = function(ctx)
    greeting = ctx.options['hello-lua-greeting']
  end,

  request = function(req)
    served = served + 1
    local whom = req.vars['PATH_INFO']:sub(2)
    req:prepare_headers('200 OK')
    req:add_header('Content-Type', 'text/plain')
    req:add_header('X-Served', tostring(served))
    req:write(greeting .. ', ' .. whom .. '\n')
    local line = req:readline()
    while line ~= '' do
      req:write('> ' .. line)
      line = req:readline()
    end
    req:set_logvar('whom', whom)
    return 0
  end,
}
