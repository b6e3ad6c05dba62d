-- The world of one app: its own global table, its own `package` and `require`, so that apps in one state do not see each
-- other's globals or modules. Library tables (string, table, uwsgi...) are shared. Files are read by the host, which lets
-- nothing through that lies outside the app's directory and the package roots.
local host, luaLoad = ...
local error, find, gmatch, gsub, next, pcall, select, setmetatable, sub, tostring, type =
  error, string.find, string.gmatch, string.gsub, next, pcall, select, setmetatable, string.sub, tostring, type
local concat = table.concat
local base = _G
local beginModule, awaitModule, endModule = host.beginModule, host.awaitModule, host.endModule

-- Text only: malformed byte code crashes the interpreter. A reader function is drained first, then all is loaded at once.
local function newLoad(world)
  return function(chunk, name, mode, ...)
    if type(mode) == 'string' and not find(mode, 't', 1, true) then
      return nil, "attempt to load a text chunk (mode is '" .. mode .. "')"
    end
    local source = chunk
    if type(chunk) == 'function' then
      local pieces, count = {}, 0
      repeat
        local ok, piece = pcall(chunk)
        if not ok then return nil, piece end
        if piece ~= nil and type(piece) ~= 'string' then return nil, 'reader function must return a string' end
        count = count + 1
        pieces[count] = piece
      until piece == nil or piece == ''
      source = concat(pieces)
      if name == nil then name = '=(load)' end
    elseif type(chunk) ~= 'string' and type(chunk) ~= 'number' then
      error("bad argument #1 to 'load' (function expected, got " .. (chunk == nil and 'no value' or type(chunk)) .. ')', 2)
    end
    local environment = world
    if select('#', ...) > 0 then environment = (...) end
    return luaLoad(source, name == nil and source or name, 't', environment)
  end
end

local function templates(path)
  return gmatch(path, '[^;]+')
end

local function searchpath(id, name, path, separator, replacement)
  if separator == nil then separator = '.' end
  if separator ~= '' then name = gsub(name, (gsub(separator, '%p', '%%%0')), (gsub(replacement or '/', '%%', '%%%%'))) end
  local tried = {}
  for template in templates(path) do
    local candidate = gsub(template, '%?', (gsub(name, '%%', '%%%%')))
    local file, reason = host.findModule(id, candidate)
    if file then return file end
    tried[#tried + 1] = reason
  end
  return nil, concat(tried, '\n\t')
end

local function isModuleName(name)
  return find(name, '^[%w_%-][%w_%-%.]*$') and not find(name, '..', 1, true) and sub(name, -1) ~= '.'
end

local function newRequire(id, world, package)
  local loaded, preload = package.loaded, package.preload
  local loading = {}

  package.searchpath = function(name, path, separator, replacement)
    return searchpath(id, name, path, separator, replacement)
  end

  package.searchers = {
    function(name)
      local loader = preload[name]
      if loader ~= nil then return loader, ':preload:' end
      return "no field package.preload['" .. name .. "']"
    end,
    function(name)
      if not isModuleName(name) then return "'" .. name .. "' is not a module name: words joined by dots" end
      if type(package.path) ~= 'string' then error("'package.path' must be a string", 0) end
      local file, tried = searchpath(id, name, package.path)
      if not file then return tried end
      local source, reason = host.readModule(id, file)
      if not source then return reason end
      local chunk, message = luaLoad(source, '@' .. file, 't', world)
      if not chunk then error("error loading module '" .. name .. "' from file '" .. file .. "':\n\t" .. message, 0) end
      return chunk, file
    end,
  }

  local function require(name)
    if type(name) == 'number' then name = tostring(name) end
    if type(name) ~= 'string' then
      error("bad argument #1 to 'require' (string expected, got " .. (name == nil and 'no value' or type(name)) .. ')', 2)
    end
    if loaded[name] ~= nil then return loaded[name] end
    -- Lua 5.4 itself would run into a stack overflow here; 5.1 has this message.
    local underWay = loading[name]
    if underWay then
      local isOver, why = awaitModule(underWay)
      if not isOver then
        error(why and "module '" .. name .. "': " .. why or "loop or previous error loading module '" .. name .. "'", 2)
      end
      -- Also when who was loading it is no more.
      if loading[name] == underWay then loading[name] = nil end
      return require(name)
    end
    local searchers = package.searchers
    if type(searchers) ~= 'table' then error("'package.searchers' must be a table", 2) end
    local reasons = {}
    for index = 1, #searchers do
      local loader, data = searchers[index](name)
      if type(loader) == 'function' then
        local load = beginModule()
        loading[name] = load
        -- Also runs when the module raises, without a pcall that would lose the place of the error.
        local _ <close> = setmetatable({}, {
          __close = function()
            if loading[name] == load then loading[name] = nil end
            endModule(load)
          end,
        })
        local value = loader(name, data)
        if value ~= nil then loaded[name] = value end
        if loaded[name] == nil then loaded[name] = true end
        return loaded[name], data
      end
      if type(loader) == 'string' then reasons[#reasons + 1] = loader end
    end
    error("module '" .. name .. "' not found:\n\t" .. concat(reasons, '\n\t'), 2)
  end
  return require
end

-- id: number by which the host knows the directories of this world; path: its `package.path`.
return function(id, path)
  local world, loaded = {}, {}
  for name, value in next, base do
    world[name] = value
    if type(value) == 'table' then loaded[name] = value end
  end
  local package = { loaded = loaded, preload = {}, path = path, config = '/\n;\n?\n!\n-\n' }
  world._G, loaded._G = world, world
  world.package, loaded.package = package, package
  world.load = newLoad(world)
  world.require = newRequire(id, world, package)
  return world
end
