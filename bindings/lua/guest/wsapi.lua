-- The WSAPI calling convention, on the guest's side: loads an app, and for each request calls it and brings what it returned
-- into the form in which the host reads it without touching a table: status, flat header list, body.
local host, newWorld, luaLoad = ...
local error, getmetatable, next, rawget, toInteger, type = error, getmetatable, next, rawget, math.tointeger, type
local concat = table.concat
local newEnv = host.newEnv

local function typeName(value)
  return value == nil and 'nothing' or 'a ' .. type(value)
end

local input = host.newObject({
  __index = { read = host.readInput },
  __name = 'wsapi.input',
  __metatable = false,
})

local errors = host.newObject({
  __index = { write = host.writeError, flush = function(self) return self end },
  __name = 'wsapi.error',
  __metatable = false,
})

-- Returns what answers one request: body, iterator (either may be nil), status and headers. Status and headers are nil when
-- they are those of the app's request before, which the host has kept in its own form: most apps send the same few again
-- and again, and to compare them costs less than to join them.
local function newServe(run)
  local lastStatus
  -- Names and values in turn.
  local flat, lastCount = {}, 0

  local function addLine(count, name, value)
    local kind = type(value)
    -- 5.0 is sent as 5: a Content-Length may come out of a division, and what is equal must also read the same.
    if kind == 'number' then
      value = toInteger(value) or value
    elseif kind ~= 'string' then
      error("header '" .. name .. "' must be a string, a number or an array of these, the app returned " .. typeName(value), 0)
    end
    flat[count + 1], flat[count + 2] = name, value
    return count + 2
  end

  -- Its metamethods may wait, and other requests join their headers meanwhile: in another table.
  local function plain(value)
    local begun = flat
    flat = {}
    local copy, length = {}, #value
    for index = 1, length do copy[index] = value[index] end
    flat, lastStatus = begun, nil
    return copy, length
  end

  local function addHeader(count, name, value)
    if type(name) ~= 'string' then error('a header name must be a string, the app returned ' .. typeName(name), 0) end
    if type(value) ~= 'table' then return addLine(count, name, value) end
    local length
    if getmetatable(value) == nil then length = #value else value, length = plain(value) end
    for index = 1, length do count = addLine(count, name, value[index]) end
    return count
  end

  return function()
    local env = newEnv()
    env.input, env.error = input, errors
    local status, headers, body = run(env)
    if type(status) ~= 'string' then
      local whole = type(status) == 'number' and toInteger(status)
      if not whole then
        error('the status must be a string or a whole number, the app returned ' .. typeName(status), 0)
      end
      status = whole
    end
    if type(headers) ~= 'table' then error('the headers must be a table, the app returned ' .. typeName(headers), 0) end
    local count, isNew = 0, status ~= lastStatus
    for name, value in next, headers do
      if flat[count + 1] == name and flat[count + 2] == value then
        count = count + 2
      else
        -- Forgotten until the new ones are complete: an error may come in between.
        isNew, lastStatus = true, nil
        count = addHeader(count, name, value)
      end
    end
    local chunk, iterator
    local kind = type(body)
    if kind == 'string' then
      chunk = body
    elseif kind == 'function' then
      iterator = body
    else
      local metatable = getmetatable(body)
      if type(metatable) ~= 'table' or rawget(metatable, '__call') == nil then
        error('the body must be an iterator function or a string, the app returned ' .. typeName(body), 0)
      end
      iterator = body
    end
    if not isNew and count == lastCount then return chunk, iterator end
    local head = concat(flat, '\0', 1, count)
    lastStatus, lastCount = status, count
    return chunk, iterator, status, head, count
  end
end

local function handlerOf(result, world, callable)
  local name = callable ~= '' and callable or 'run'
  if type(result) == 'function' and callable == '' then return result end
  local handler
  if type(result) == 'table' then handler = result[name] end
  if handler == nil then handler = rawget(world, name) end
  if type(handler) == 'function' then return handler end
  if callable ~= '' then
    error("no function '" .. name .. "' in what the app returned (" .. typeName(result) .. ') or among its globals', 0)
  end
  error("the app must return a function or a table with a function 'run', or define a global function 'run': it returned "
    .. typeName(result), 0)
end

-- What the host passes: the world's id, its package.path, the source, the chunk name, the callable's name.
return function()
  local id, path, source, name, callable = host.arguments()
  local world = newWorld(id, path)
  local chunk, message = luaLoad(source, name, 't', world)
  if not chunk then error(message, 0) end
  -- Anchored from here, where running out of memory is an error like others.
  host.keep(newServe(handlerOf(chunk(), world, callable)))
end
