-- Handlers whose time comes while they hold something, or that do not end by it.
local pages = {}

local function waitForEver()
  uwsgi.async_sleep(3600)
  uwsgi.suspend()
end

function pages.lock()
  uwsgi.lock(1)
  uwsgi.sharedarea_wlock(0)
  uwsgi.sharedarea_rlock(1)
  waitForEver()
end

function pages.free()
  uwsgi.lock(1, 0)
  uwsgi.unlock(1)
  for area = 0, 1 do
    uwsgi.sharedarea_wlock(area)
    uwsgi.sharedarea_unlock(area)
  end
  return 'free'
end

function pages.stubborn()
  pcall(waitForEver)
  uwsgi.set_user_harakiri(0)
  while true do end
end

function pages.worker() return 'served' end

return function(env)
  return 200, { ['Content-Type'] = 'text/plain' }, pages[env.PATH_INFO:sub(2)]()
end
