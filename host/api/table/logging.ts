// API group: the server's log.
import type { ApiEntry } from '../kinds.ts'

export const logging = [
  {
    shape: 'function',
    name: 'log',
    group: 'logging',
    kind: 'immediate',
    params: [
      { name: 'message', type: 'bytes', doc: 'The line to write; a newline is added. Its bytes are written as they are.' },
    ],
    returns: 'true',
    always: true,
    raises: ['a missing message, or one that is neither text nor bytes'],
    doc: "Writes one line to the server's log. Differs from uWSGI: Lua gets true for it, not nothing.",
    example: { js: "uwsgi.log('hello')", lua: "uwsgi.log('hello')", python: "uwsgi.log('hello')" },
  },
  {
    shape: 'function',
    name: 'log_this_request',
    group: 'logging',
    kind: 'immediate',
    params: [],
    returns: 'none',
    raises: ['ValueError: no request is being served here'],
    doc: "Has this request's line logged, `--disable-logging` or not.",
    example: { js: 'uwsgi.logThisRequest()', lua: 'uwsgi.log_this_request()', python: 'uwsgi.log_this_request()' },
  },
] as const satisfies readonly ApiEntry[]
