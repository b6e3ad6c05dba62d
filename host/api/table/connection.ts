// API group: the client's connection and others, as descriptors.
import type { ApiEntry } from '../kinds.ts'

const connecting = {
  js: `try {
  const fd = uwsgi.connect('/run/other.sock')
  uwsgi.send(fd, 'hello')
  const answer = uwsgi.recv(fd, 4096)
  uwsgi.close(fd)
  return answer
} catch (error) {
  uwsgi.log(error.message)
}`,
  lua: `local ok, answer = pcall(function()
  local fd = uwsgi.connect('/run/other.sock')
  uwsgi.send(fd, 'hello')
  local answer = uwsgi.recv(fd, 4096)
  uwsgi.close(fd)
  return answer
end)
if not ok then uwsgi.log(tostring(answer)) end`,
  python: `try:
    fd = uwsgi.connect('/run/other.sock')
    uwsgi.send(fd, b'hello')
    answer = uwsgi.recv(fd, 4096)
    uwsgi.close(fd)
    return answer
except OSError as error:
    uwsgi.log(str(error))`,
} as const

const outside = 'ValueError: there is no request'

export const connection = [
  {
    shape: 'function',
    name: 'connection_fd',
    group: 'connection',
    kind: 'immediate',
    params: [],
    returns: 'int',
    always: true,
    raises: [outside],
    doc: `The number of the client's connection, for \`send\`, \`recv\`, \`close\` and \`is_connected\`. It stays the same after a
disconnect. Differs from uWSGI: it is a number of this server's own, no descriptor of the system.`,
    example: { js: 'return uwsgi.connectionFd()', lua: 'return uwsgi.connection_fd()', python: 'return uwsgi.connection_fd()' },
  },
  {
    shape: 'function',
    name: 'send',
    group: 'connection',
    kind: 'blocking',
    params: [
      { name: 'fd_or_data', type: 'int|bytes', min: 0, doc: 'A descriptor; or the bytes, for the client.' },
      { name: 'data', type: 'bytes', default: null, doc: 'The bytes, after a descriptor.' },
    ],
    returns: 'true',
    raises: [
      outside,
      'TypeError: the data is missing, or what stands before it is no descriptor',
      "OSError: the descriptor is none of the caller's, or its other side takes nothing for `socket-timeout` seconds",
    ],
    doc: `Sends bytes as they are: \`send(data)\` to the client, \`send(fd, data)\` to a connection. Not defined when the
other side is gone. To a client that has not got its headers yet, the bytes are the response: none are sent, what is returned
or written later follows as it is, and the connection closes at the end. Differs from uWSGI: all bytes are sent, not as many
as fit, and a descriptor that is none of the caller's raises.`,
    example: {
      js: "return uwsgi.send('HTTP/1.0 200 OK\\r\\n\\r\\nhello')",
      lua: "return uwsgi.send('HTTP/1.0 200 OK\\r\\n\\r\\nhello')",
      python: "return uwsgi.send(b'HTTP/1.0 200 OK\\r\\n\\r\\nhello')",
    },
  },
  {
    shape: 'function',
    name: 'recv',
    group: 'connection',
    kind: 'blocking',
    params: [
      {
        name: 'fd_or_max',
        type: 'int',
        min: 0,
        doc: 'A descriptor, before `max`; or the most bytes to be read from the client.',
      },
      {
        name: 'max',
        type: 'int',
        default: null,
        min: 1,
        max: 1048576,
        unit: 'bytes',
        doc: 'The most bytes, after a descriptor.',
      },
    ],
    returns: 'bytes',
    raises: [
      outside,
      'ValueError: the most bytes are not 1 to 1048576',
      "OSError: the descriptor is none of the caller's, nothing comes for `socket-timeout` seconds, or the client has gone",
    ],
    doc: `Reads at least one byte: \`recv(max)\` of the body that the client sends, \`recv(fd, max)\` of a connection. Not
defined at the end. Differs from uWSGI: one number is a length (there it is a descriptor), and a silence raises.`,
    example: { js: 'return uwsgi.recv(4096)', lua: 'return uwsgi.recv(4096)', python: 'return uwsgi.recv(4096)' },
  },
  {
    shape: 'function',
    name: 'close',
    group: 'connection',
    kind: 'blocking',
    params: [{ name: 'fd', type: 'int', min: 0, doc: 'The descriptor.' }],
    returns: 'none',
    raises: [],
    doc: `Closes a connection; with the number of the client's, disconnects it. A number that is not the
caller's is ignored.`,
    example: connecting,
  },
  {
    shape: 'function',
    name: 'connect',
    group: 'connection',
    kind: 'blocking',
    params: [
      { name: 'address', type: 'text', maxBytes: 512, doc: '`host:port`, the path of a unix socket, or `@name`.' },
      { name: 'timeout', type: 'float', default: 3, unit: 'seconds', doc: 'How long to wait for the connection.' },
    ],
    returns: 'int',
    always: true,
    raises: [
      'OSError: there is no connection, or the address is not allowed',
      'ValueError: the timeout is not above 0, or too many connections of this thread are open already',
    ],
    doc: `Opens a connection and gives its descriptor. It belongs to the request, and is closed with it, which is logged; one that
is opened outside of requests belongs to the thread. \`--allow-connect\` says where to. Differs from uWSGI: a failure raises,
where it returns -1, and host names and IPv6 addresses work too; there descriptors stay open, and serve every request.`,
    example: connecting,
  },
  {
    shape: 'function',
    name: 'is_connected',
    group: 'connection',
    kind: 'blocking',
    params: [{ name: 'fd', type: 'int', min: 0, doc: 'The descriptor.' }],
    returns: 'bool',
    always: true,
    raises: [],
    doc: `Whether a connection, or the client's, can still be used. False for a number that is none of the caller's. A connection
under way counts until it has failed.`,
    example: {
      js: 'return uwsgi.isConnected(uwsgi.connectionFd()) // true',
      lua: 'return tostring(uwsgi.is_connected(uwsgi.connection_fd())) -- true',
      python: 'return uwsgi.is_connected(uwsgi.connection_fd())  # True',
    },
  },
  {
    shape: 'function',
    name: 'disconnect',
    group: 'connection',
    kind: 'blocking',
    params: [],
    returns: 'none',
    raises: [outside],
    doc: `Closes the client's connection now, after what was written; headers that were not sent never are. The code goes on, what
it writes fails, and what it returns is dropped. The request's body can no longer be read.`,
    example: { js: 'uwsgi.disconnect()', lua: 'uwsgi.disconnect()', python: 'uwsgi.disconnect()' },
  },
] as const satisfies readonly ApiEntry[]
