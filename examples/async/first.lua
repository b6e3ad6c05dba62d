-- Asks every server of `upstreams` at once, and answers with what the quickest one says.
-- Nothing here is written for it, but while this request waits its worker serves others.
local servers = {}
for address in uwsgi.opt.upstreams:gmatch('[^,]+') do servers[#servers + 1] = address end

return function(env)
  local asked = {}
  for _, address in ipairs(servers) do
    local fd = uwsgi.async_connect(address) -- the connection is on its way
    if uwsgi.send(fd, 'hello\n') then
      asked[fd] = address
      uwsgi.wait_fd_read(fd, 3)
    else
      uwsgi.close(fd) -- refused
    end
  end
  uwsgi.suspend() -- until one can be read, for three seconds at most
  local ready = uwsgi.ready_fd()
  local answer = asked[ready] and uwsgi.recv(ready, 4096)
  for fd in pairs(asked) do uwsgi.close(fd) end
  if not answer then
    return 504, { ['Content-Type'] = 'text/plain' }, 'nobody has answered\n'
  end
  return 200, { ['Content-Type'] = 'text/plain', ['X-Server'] = asked[ready] }, answer
end
