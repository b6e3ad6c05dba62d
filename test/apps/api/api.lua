local uwsgi = require 'uwsgi'

local function show(value)
  if type(value) == 'string' then return ('%q'):format(value) end
  if type(value) == 'table' then return '{' .. table.concat(value, ',') .. '}' end
  return math.type(value) == 'integer' and ('integer ' .. value) or tostring(value)
end

local function failure(call)
  local ok, result = pcall(call)
  return ok and 'returned ' .. show(result) or (result:gsub('^.-%.lua:%d+: ', ''))
end

return function()
  local lines = {
    show(uwsgi.version),
    show(uwsgi.hostname),
    show(uwsgi.worker_id()),
    show(uwsgi.masterpid()),
    show(uwsgi.opt.workers),
    show(uwsgi.opt.flag),
    show(uwsgi.opt.repeated),
    show(uwsgi.opt.missing),
    show(uwsgi.log('from Lua')),
    show(uwsgi.log('bytes \0\255')),
    failure(function() return uwsgi.log() end),
    failure(function() return uwsgi.log({}) end),
    failure(function() return uwsgi.log('a', 'b') end),
    failure(function() return uwsgi.worker_id(1) end),
  }
  return '200 OK', { ['Content-Type'] = 'text/plain' }, table.concat(lines, '\n')
end
