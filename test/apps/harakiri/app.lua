-- As app.js.
local served, released = 0, false

local function spin() while true do end end

uwsgi.register_rpc('spin', spin)
uwsgi.register_rpc('ping', function() return 'pong' end)
uwsgi.register_signal(5, 'worker1', spin)
uwsgi.register_signal(6, 'mule1', spin)
uwsgi.mule_msg_hook = function(message)
  if message == 'spin' then
    uwsgi.lock()
    spin()
  end
  uwsgi.cache_update('mule', message)
end
uwsgi.spooler = function(job)
  if job.what == 'spin' then spin() end
  uwsgi.cache_update('spooler', job.what)
  return uwsgi.SPOOL_OK
end

-- A native function that looks at nothing.
local function stubborn() return tostring((('a'):rep(40)):find(('a-'):rep(40) .. 'b')) end

local paths = {
  ['/loop'] = spin,
  ['/swallow'] = function() while true do pcall(spin) end end,
  ['/stubborn'] = stubborn,
  ['/stubborn-user'] = function()
    uwsgi.set_user_harakiri(1)
    return stubborn()
  end,
  ['/user'] = function()
    uwsgi.set_user_harakiri(1)
    spin()
  end,
  ['/lock'] = function()
    uwsgi.lock()
    spin()
  end,
  ['/locked'] = function() return tostring(uwsgi.is_locked()) end,
  ['/wait'] = function()
    while not released do
      uwsgi.async_sleep(0.01)
      uwsgi.suspend()
    end
    return 'waited'
  end,
  ['/sleep'] = function()
    uwsgi.async_sleep(1.5)
    uwsgi.suspend()
    return 'slept'
  end,
  -- Each stretch is far too short to be asked anything.
  ['/stretches'] = function()
    while true do
      local sum = 0
      for round = 1, 100 do sum = sum + round end
      sum = sum + #('x'):rep(100000)
      uwsgi.async_sleep(0.0001)
      uwsgi.suspend()
    end
  end,
  ['/release'] = function()
    released = true
    return 'released'
  end,
  ['/signal'] = function() return tostring(uwsgi.signal(5)) end,
  ['/mule-signal'] = function() return tostring(uwsgi.signal(6)) end,
  ['/mule'] = function() return tostring(uwsgi.mule_msg('spin') and uwsgi.mule_msg('next')) end,
  ['/spool'] = function()
    uwsgi.spool({ what = 'spin' })
    return tostring(uwsgi.spool({ what = 'next' }) ~= nil)
  end,
  ['/seen'] = function() return tostring(uwsgi.cache_get('mule')) .. ' ' .. tostring(uwsgi.cache_get('spooler')) end,
}

return function(env)
  served = served + 1
  if env.PATH_INFO == '/begun' then
    local sent = false
    return 200, { ['Content-Type'] = 'text/plain' }, function()
      if sent then spin() end
      sent = true
      return 'begun '
    end
  end
  local run = paths[env.PATH_INFO]
  local text = run == nil and 'served ' .. served or run()
  local sent = false
  return 200, { ['Content-Type'] = 'text/plain' }, function()
    if sent then return nil end
    sent = true
    return text
  end
end
