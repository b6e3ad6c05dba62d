// API group: locks of the whole server.
import type { ApiEntry } from '../kinds.ts'

const num = { name: 'num', type: 'int', default: 0, doc: 'Which lock: 0, and as many more as `--locks` says.' } as const
const raises = ['ValueError: Invalid lock number', 'ValueError: The spooler cannot lock/unlock resources'] as const

export const locks = [
  {
    shape: 'function',
    name: 'lock',
    group: 'locks',
    kind: 'blocking',
    params: [
      num,
      {
        name: 'timeout',
        type: 'float',
        default: null,
        unit: 'seconds',
        doc: 'How long to wait; not given: for as long as it takes. uWSGI has no such argument.',
      },
    ],
    returns: 'none',
    raises: [...raises, 'ValueError: this worker holds the lock already', 'ValueError: the lock did not become free in time'],
    doc: `Takes a lock, waiting for whoever holds it. It is kept until \`unlock\`, past the end of the request too, and freed when
its holder is ended. Differs from uWSGI: taking a lock one holds is an error, and does not hang.`,
    example: {
      js: 'uwsgi.lock()\nuwsgi.unlock()',
      lua: 'uwsgi.lock()\nuwsgi.unlock()',
      python: 'uwsgi.lock()\nuwsgi.unlock()',
    },
  },
  {
    shape: 'function',
    name: 'unlock',
    group: 'locks',
    kind: 'immediate',
    params: [num],
    returns: 'none',
    raises: [...raises, 'ValueError: another worker holds the lock'],
    doc: `Gives a lock back. A lock that nobody holds stays free. Differs from uWSGI: a lock that another worker holds is not
taken from it.`,
    example: { js: 'uwsgi.unlock(0)', lua: 'uwsgi.unlock(0)', python: 'uwsgi.unlock(0)' },
  },
  {
    shape: 'function',
    name: 'is_locked',
    group: 'locks',
    kind: 'immediate',
    params: [num],
    returns: 'bool',
    always: true,
    raises,
    doc: 'Whether anybody holds a lock. Differs from uWSGI: it never takes the lock of a worker that has died.',
    example: { js: 'uwsgi.isLocked() // false', lua: 'uwsgi.is_locked() -- false', python: 'uwsgi.is_locked()  # False' },
  },
] as const satisfies readonly ApiEntry[]
