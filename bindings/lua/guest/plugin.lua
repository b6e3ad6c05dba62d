-- Loads a plugin that is written as a Lua file: runs it in a world of its own and hands what its table holds to the host,
-- values as they are, functions with the line each begins in. The host knows which of them are hooks.
local host, newWorld, luaLoad, getinfo = ...
local error, next, type = error, next, type
local arguments, keepApp, keepHook, keepValue = host.arguments, host.keepApp, host.keepHook, host.keepValue

-- What mount_app answers is the plugin's own handle of the app; the host gets a number for it.
local function mounting(mount)
  return function(...)
    local app = mount(...)
    if app == nil or app == false or app == -1 then return nil end
    return keepApp(app)
  end
end

-- What the host passes: the world's id, its package.path, the source, the chunk name.
return function()
  local id, path, source, name = arguments()
  local chunk, message = luaLoad(source, name, 't', newWorld(id, path))
  if not chunk then error(message, 0) end
  local plugin = chunk()
  if type(plugin) ~= 'table' then
    error('a plugin file returns a table, this one returned ' .. (plugin == nil and 'nothing' or 'a ' .. type(plugin)), 0)
  end
  for key, value in next, plugin do
    if type(key) ~= 'string' then error('the table of a plugin has names, not a ' .. type(key), 0) end
    if type(value) == 'function' then
      local line = getinfo(value, 'S').linedefined
      keepHook(key, line, key == 'mount_app' and mounting(value) or value)
    else
      keepValue(key, value)
    end
  end
end
