-- A request plugin with an option of its own, written in Lua; hello.py does the same. What `init` leaves in the file's
-- variables is there for the request: both run in the same thread.
local greeting, served = nil, 0

return {
  name = 'hello-lua',
  modifier1 = 250,
  options = {
    { name = 'hello-lua-greeting', type = 'text', help = 'The word to greet with.', default = 'hello' },
  },
  app_extensions = { '.greet' },

  init = function(ctx)
    greeting = ctx.options['hello-lua-greeting'] or 'hello'
  end,

  mount_app = function(mountpoint, file)
    if not file:find('%.greet$') then return nil end
    return { mountpoint = mountpoint, whom = file:match('([^/]*)%.greet$') }
  end,

  request = function(req)
    served = served + 1
    local whom = req.app and req.app.whom or req.vars['PATH_INFO']:sub(2)
    req:prepare_headers('200 OK')
    req:add_header('Content-Type', 'text/plain')
    req:add_header('X-Served', tostring(served))
    req:write(greeting .. ', ' .. whom .. '\n')
    for line in function() local line = req:readline() return line ~= '' and line or nil end do req:write('> ' .. line) end
    req:set_logvar('whom', whom)
    return 0
  end,
}
