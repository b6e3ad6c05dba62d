// API group: the request that is being served.
import type { ApiEntry } from '../kinds.ts'

const noRequest = 'ValueError: no request is being served here' as const
const name = { name: 'name', type: 'text', maxBytes: 255, doc: 'The name of the variable.' } as const

export const request = [
  {
    shape: 'function',
    name: 'request_id',
    group: 'request',
    kind: 'immediate',
    params: [],
    returns: 'int',
    always: true,
    raises: [],
    doc: `How many requests this worker has served so far: 0 during the first, one more in \`after_req_hook\`. 0 outside
workers.`,
    example: { js: 'uwsgi.requestId()', lua: 'uwsgi.request_id()', python: 'uwsgi.request_id()' },
  },
  {
    shape: 'function',
    name: 'cl',
    group: 'request',
    kind: 'immediate',
    params: [],
    returns: 'int',
    always: true,
    raises: [noRequest],
    doc: 'Bytes of the body of the request that is being served, as its head announces them; 0 for none.',
    example: { js: 'uwsgi.cl()', lua: 'uwsgi.cl()', python: 'uwsgi.cl()' },
  },
  {
    shape: 'function',
    name: 'sendfile',
    group: 'request',
    kind: 'immediate',
    params: [
      { name: 'filename', type: 'text', doc: "The file: absolute, or from the server's working directory." },
      { name: 'chunk', type: 'int', default: 0, min: 0, unit: 'bytes', doc: 'Has no effect.' },
      { name: 'pos', type: 'int', default: 0, min: 0, unit: 'bytes', doc: 'Where to begin.' },
      { name: 'size', type: 'int', default: 0, min: 0, unit: 'bytes', doc: 'How much to send; 0: all there is.' },
    ],
    returns: 'true',
    raises: [noRequest, 'ValueError: the file lies outside of the directories from which files may be sent'],
    doc: `Makes a file the response's body, under the status and headers that the app gives; what the app writes is dropped. It
is sent without the worker once the handler is done. With status 200, type, length, date and ranges are seen to. Allowed are the
directories of the app, \`--pythonpath\`, \`--static-safe\` and static files. Not_defined: there is no such file to be read.
Differs from uWSGI: it takes no descriptor, and sends nothing before the handler has returned.`,
    example: {
      js: "return String(uwsgi.sendfile('no-such-file')) // undefined",
      lua: "return tostring(uwsgi.sendfile('no-such-file')) -- nil",
      python: "return uwsgi.sendfile('no-such-file')  # None",
    },
  },
  {
    shape: 'function',
    name: 'set_logvar',
    group: 'request',
    kind: 'immediate',
    params: [name, { name: 'value', type: 'bytes', maxBytes: 255, doc: 'What the log line is to show.' }],
    returns: 'none',
    raises: [noRequest],
    doc: `Sets a variable for this request's log line, where \`--log-format\` has %(name). Differs from uWSGI: what is longer than
255 bytes is an error, and not dropped silently.`,
    example: {
      js: "uwsgi.setLogvar('user', 'anna')",
      lua: "uwsgi.set_logvar('user', 'anna')",
      python: "uwsgi.set_logvar('user', 'anna')",
    },
  },
  {
    shape: 'function',
    name: 'get_logvar',
    group: 'request',
    kind: 'immediate',
    params: [name],
    returns: 'bytes',
    raises: [noRequest],
    doc: 'A variable that `set_logvar` has set for this request; not_defined for any other.',
    example: { js: "uwsgi.getLogvar('user')", lua: "uwsgi.get_logvar('user')", python: "uwsgi.get_logvar('user')" },
  },
] as const satisfies readonly ApiEntry[]
