// API group: who is running this code. Numbers and names as uWSGI gives them (uWSGI API, "uwsgi.worker_id" and following).
import type { ApiEntry } from '../kinds.ts'

export const identity = [
  {
    shape: 'attribute',
    name: 'version',
    group: 'identity',
    type: 'bytes',
    doc: "The server's version, for example `0.1.0`. Differs from uWSGI: it is the version of polywsgi.",
    example: {
      js: "uwsgi.version.toString() // '0.1.0'",
      lua: "uwsgi.version -- '0.1.0'",
      python: "uwsgi.version  # b'0.1.0'",
    },
  },
  {
    shape: 'attribute',
    name: 'hostname',
    group: 'identity',
    type: 'bytes',
    doc: 'The host name of the machine the server runs on.',
    example: { js: 'uwsgi.hostname.toString()', lua: 'uwsgi.hostname', python: 'uwsgi.hostname.decode()' },
  },
  {
    shape: 'function',
    name: 'worker_id',
    group: 'identity',
    kind: 'immediate',
    params: [],
    returns: 'int',
    raises: [],
    luaAliases: ['mywid'],
    doc: 'The number of the worker that runs this code, from 1; 0 outside workers.',
    example: { js: 'uwsgi.workerId() // 1', lua: 'uwsgi.worker_id() -- 1', python: 'uwsgi.worker_id()  # 1' },
  },
  {
    shape: 'function',
    name: 'masterpid',
    group: 'identity',
    kind: 'immediate',
    params: [],
    returns: 'int',
    raises: [],
    luaAliases: ['pid'],
    doc: 'The process id of the master. Workers are threads of the master, so it is also the id of this process.',
    example: { js: 'uwsgi.masterpid()', lua: 'uwsgi.masterpid()', python: 'uwsgi.masterpid()' },
  },
] as const satisfies readonly ApiEntry[]
