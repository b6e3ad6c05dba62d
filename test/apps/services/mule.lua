-- A mule's own program: answers each message by the cache.
while true do
  local message = uwsgi.mule_get_msg()
  uwsgi.cache_update('program-lua', message)
end
