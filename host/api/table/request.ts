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
