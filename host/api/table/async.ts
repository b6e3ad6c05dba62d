// API group: cores that wait while others go on (`--async`).
import type { ApiEntry } from '../kinds.ts'

const fd = { name: 'fd', type: 'int', min: 0, doc: "A connection, or the client's." } as const
const fdTimeout = {
  name: 'timeout',
  type: 'float',
  default: 0,
  unit: 'seconds',
  doc: 'How long to wait; 0: for as long as it takes.',
} as const
const raises = [
  "OSError: unable to fd N to the event queue: it is none of the caller's, or waited for already",
  'ValueError: the timeout is below 0, or longer than a day',
] as const

/** Asks a server of the example's own for a line. */
const conversation = {
  js: `try {
  const fd = uwsgi.asyncConnect('/run/other.sock')
  uwsgi.waitFdWrite(fd, 3)
  await uwsgi.suspend()
  if (!uwsgi.isConnected(fd)) return 'refused'
  await uwsgi.promises.send(fd, 'hello')
  uwsgi.waitFdRead(fd, 3)
  await uwsgi.suspend()
  return uwsgi.readyFd() === fd ? await uwsgi.promises.recv(fd, 4096) : 'too late'
} catch (error) {
  uwsgi.log(error.message)
}`,
  lua: `local ok, answer = pcall(function()
  local fd = uwsgi.async_connect('/run/other.sock')
  uwsgi.wait_fd_write(fd, 3)
  uwsgi.suspend()
  if not uwsgi.is_connected(fd) then return 'refused' end
  uwsgi.send(fd, 'hello')
  uwsgi.wait_fd_read(fd, 3)
  uwsgi.suspend()
  return uwsgi.ready_fd() == fd and uwsgi.recv(fd, 4096) or 'too late'
end)
return tostring(answer)`,
  python: `try:
    fd = uwsgi.async_connect('/run/other.sock')
    uwsgi.wait_fd_write(fd, 3)
    uwsgi.suspend()
    if not uwsgi.is_connected(fd):
        return b'refused'
    uwsgi.send(fd, b'hello')
    uwsgi.wait_fd_read(fd, 3)
    uwsgi.suspend()
    return uwsgi.recv(fd, 4096) if uwsgi.ready_fd() == fd else b'too late'
except OSError as error:
    uwsgi.log(str(error))`,
} as const

export const async = [
  {
    shape: 'function',
    name: 'suspend',
    aliases: ['green_schedule'],
    group: 'async',
    kind: 'suspending',
    params: [],
    returns: 'true',
    always: true,
    raises: [],
    doc: `Waits for what the request has registered by \`async_sleep\`, \`wait_fd_read\` and \`wait_fd_write\`: the first of it ends the
wait, and all of it is forgotten. With nothing registered each other core gets a turn. With one core, and outside of requests,
the thread waits. Differs from uWSGI: without anything registered it hangs there, and does not wait with one core.`,
    example: {
      js: 'uwsgi.asyncSleep(0.01)\nawait uwsgi.suspend()',
      lua: 'uwsgi.async_sleep(0.01)\nuwsgi.suspend()',
      python: 'uwsgi.async_sleep(0.01)\nuwsgi.suspend()',
    },
  },
  {
    shape: 'function',
    name: 'async_sleep',
    group: 'async',
    kind: 'immediate',
    params: [{ name: 'seconds', type: 'float', unit: 'seconds', doc: 'How long; nothing is registered for 0 and less.' }],
    returns: 'bytes',
    value: '',
    always: true,
    raises: ['ValueError: the time is longer than a day'],
    doc: `Has the next \`suspend\`, or the next chunk of the body that is yielded, wait so long at most. Of several times the
earliest counts. Differs from uWSGI: fractions of a second count, and it works with one core too.`,
    example: {
      js: 'uwsgi.asyncSleep(0.01)\nawait uwsgi.suspend()\nreturn uwsgi.readyFd() // -1',
      lua: 'uwsgi.async_sleep(0.01)\nuwsgi.suspend()\nreturn uwsgi.ready_fd() -- -1',
      python: 'uwsgi.async_sleep(0.01)\nuwsgi.suspend()\nreturn uwsgi.ready_fd()  # -1',
    },
  },
  {
    shape: 'function',
    name: 'async_connect',
    group: 'async',
    kind: 'blocking',
    params: [{ name: 'address', type: 'text', maxBytes: 512, doc: '`host:port`, the path of a unix socket, or `@name`.' }],
    returns: 'int',
    always: true,
    raises: ['OSError: the address is none, or not allowed', 'ValueError: too many connections of this thread are open already'],
    doc: `Begins a connection and gives its descriptor at once. It can be written to when it is there, or has failed:
\`is_connected\` tells which. \`socket-timeout\` ends the attempt. Differs from uWSGI: what fails at once raises, where it returns
-1; host names and IPv6 addresses work too.`,
    example: conversation,
  },
  {
    shape: 'function',
    name: 'wait_fd_read',
    group: 'async',
    kind: 'immediate',
    params: [fd, fdTimeout],
    returns: 'bytes',
    value: '',
    always: true,
    raises,
    doc: `Has the next \`suspend\`, or the next chunk of the body that is yielded, wait until something can be read, or the other side
has closed. Several descriptors may be waited for; \`ready_fd\` then says which it is. Differs from uWSGI: fractions of a second
count, and one descriptor may be waited for in both directions.`,
    example: conversation,
  },
  {
    shape: 'function',
    name: 'wait_fd_write',
    group: 'async',
    kind: 'immediate',
    params: [fd, fdTimeout],
    returns: 'bytes',
    value: '',
    always: true,
    raises,
    doc: `Has the next \`suspend\`, or the next chunk of the body that is yielded, wait until something can be written, or the
connection has failed. See \`wait_fd_read\`.`,
    example: conversation,
  },
  {
    shape: 'function',
    name: 'ready_fd',
    group: 'async',
    kind: 'immediate',
    params: [],
    returns: 'int',
    always: true,
    raises: [],
    doc: `The descriptor that has ended the request's last wait; -1 when its time did, and before the first. Differs from uWSGI:
it tells the descriptor in every style of app.`,
    example: {
      js: 'return uwsgi.readyFd() // -1',
      lua: 'return uwsgi.ready_fd() -- -1',
      python: 'return uwsgi.ready_fd()  # -1',
    },
  },
  {
    shape: 'function',
    name: 'async_id',
    luaAliases: ['async_id_get'],
    group: 'async',
    kind: 'immediate',
    params: [],
    returns: 'int',
    always: true,
    raises: ['ValueError: there is no request'],
    doc: 'The number of the core that serves the request, from 0.',
    example: { js: 'return uwsgi.asyncId() // 0', lua: 'return uwsgi.async_id() -- 0', python: 'return uwsgi.async_id()  # 0' },
  },
] as const satisfies readonly ApiEntry[]
