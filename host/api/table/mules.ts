// API group: messages to mules and farms, and the hooks by which guests take part in the life of their thread.
import type { ApiEntry } from '../kinds.ts'

export const mules = [
  {
    shape: 'function',
    name: 'mule_msg',
    group: 'mules',
    kind: 'immediate',
    params: [
      { name: 'message', type: 'bytes', maxBytes: 65_536, doc: 'What to send.' },
      {
        name: 'target',
        type: 'int|bytes',
        min: 0,
        default: null,
        doc: "A mule's number, or a farm's name for one mule of it. Not given, or 0: any mule.",
      },
    ],
    returns: 'bool',
    always: true,
    raises: ['ValueError: no mule is configured, there is no such mule or farm, or the message is too long'],
    doc: `Sends a message to a mule, and does not wait for it. True: it is on its way; false: the queue is full.
Messages wait in memory, and are lost when the server stops.
Differs from uWSGI: a message of more than 65536 bytes is refused, not cut, and a mule that does not exist is an error.`,
    example: {
      js: "uwsgi.muleMsg('resize 17') // true",
      lua: "uwsgi.mule_msg('resize 17') -- true",
      python: "uwsgi.mule_msg(b'resize 17')  # True",
    },
  },
  {
    shape: 'function',
    name: 'farm_msg',
    group: 'mules',
    kind: 'immediate',
    params: [
      { name: 'farm', type: 'text', doc: "The farm's name." },
      { name: 'message', type: 'bytes', maxBytes: 65_536, doc: 'What to send.' },
    ],
    returns: 'none',
    raises: ['ValueError: there is no such farm, or the message is too long'],
    doc: `Sends a message to one mule of a farm. When its queue is full the message is dropped, with a line in the log.
Differs from uWSGI: an unknown farm is an error, not passed over in silence.`,
    example: {
      js: "uwsgi.farmMsg('thumbs', 'resize 17')",
      lua: "uwsgi.farm_msg('thumbs', 'resize 17')",
      python: "uwsgi.farm_msg('thumbs', b'resize 17')",
    },
  },
  {
    shape: 'function',
    name: 'mule_get_msg',
    group: 'mules',
    kind: 'blocking',
    params: [
      { name: 'signals', type: 'bool', default: true, doc: 'Run the handlers of signals that come meanwhile.' },
      { name: 'farms', type: 'bool', default: true, doc: "Also take messages to the mule's farms." },
      {
        name: 'buffer_size',
        type: 'int',
        min: 1,
        max: 65_536,
        default: 65_536,
        unit: 'bytes',
        doc: 'A longer message is cut.',
      },
      { name: 'timeout', type: 'float', default: -1, unit: 'seconds', doc: 'How long to wait; below 0: for ever.' },
    ],
    returns: 'bytes',
    always: true,
    raises: ['ValueError: called outside of a mule, or timeout is no number'],
    luaAliases: ['mule_msg_get'],
    doc: `Waits for a message to this mule, to any mule, or to one of its farms. Empty bytes when the time is up.
For mules with programs of their own; others have \`mule_msg_hook\`.
Differs from uWSGI: \`signals\` means what it says, there it is the wrong way round; and \`timeout\` may be a fraction.`,
    example: {
      js: 'if (uwsgi.muleId() > 0) return uwsgi.muleGetMsg(true, true, 65536, 0.5)',
      lua: 'if uwsgi.mule_id() > 0 then return uwsgi.mule_get_msg(true, true, 65536, 0.5) end',
      python: 'if uwsgi.mule_id() > 0:\n    return uwsgi.mule_get_msg(timeout=0.5)',
    },
  },
  {
    shape: 'function',
    name: 'farm_get_msg',
    group: 'mules',
    kind: 'blocking',
    params: [],
    returns: 'bytes',
    always: true,
    raises: ['ValueError: called outside of a mule, or in one that belongs to no farm'],
    doc: `Waits for a message to one of this mule's farms, for ever. Signals wait until it is back.
Differs from uWSGI: a mule without a farm gets an error instead of no message ever.`,
    example: {
      js: "if (uwsgi.inFarm('thumbs')) return uwsgi.farmGetMsg()",
      lua: "if uwsgi.in_farm('thumbs') then return uwsgi.farm_get_msg() end",
      python: "if uwsgi.in_farm('thumbs'):\n    return uwsgi.farm_get_msg()",
    },
  },
  {
    shape: 'function',
    name: 'in_farm',
    group: 'mules',
    kind: 'immediate',
    params: [{ name: 'farm', type: 'text', default: null, doc: "The farm's name; not given: any farm." }],
    returns: 'true',
    raises: [],
    doc: 'Whether this thread is a mule of the farm: true, or nothing.',
    example: {
      js: "uwsgi.inFarm('thumbs') === true",
      lua: "uwsgi.in_farm('thumbs') == true",
      python: "uwsgi.in_farm('thumbs') is True",
    },
  },
  {
    shape: 'hook',
    name: 'mule_msg_hook',
    group: 'mules',
    params: [{ name: 'message', type: 'bytes', doc: 'What was sent.' }],
    returns: 'none',
    doc: `Called in a mule without a program of its own for every message. One at a time: the next message waits.
An exception is logged, and the mule goes on.`,
    example: {
      js: 'uwsgi.muleMsgHook = (message) => uwsgi.log(message)',
      lua: 'uwsgi.mule_msg_hook = function(message) uwsgi.log(message) end',
      python: 'uwsgi.mule_msg_hook = lambda message: uwsgi.log(message)',
    },
  },
  {
    shape: 'hook',
    name: 'post_fork_hook',
    group: 'process',
    params: [],
    returns: 'none',
    doc: `Called in each worker, mule and spooler when its apps are loaded, before it begins its work.
In a mule it may never return: it is then the mule's own program.
Differs from uWSGI: apps are loaded by each thread, so it runs after them, not right after a fork.`,
    example: {
      js: "uwsgi.postForkHook = () => uwsgi.log('worker ' + uwsgi.workerId())",
      lua: "uwsgi.post_fork_hook = function() uwsgi.log('worker ' .. uwsgi.worker_id()) end",
      python: "uwsgi.post_fork_hook = lambda: uwsgi.log(f'worker {uwsgi.worker_id()}')",
    },
  },
  {
    shape: 'hook',
    name: 'after_req_hook',
    group: 'process',
    params: [],
    returns: 'none',
    doc: 'Called in a worker after each request, when its response is on its way. An exception is logged.',
    example: {
      js: "uwsgi.afterReqHook = () => uwsgi.log('served')",
      lua: "uwsgi.after_req_hook = function() uwsgi.log('served') end",
      python: "uwsgi.after_req_hook = lambda: uwsgi.log('served')",
    },
  },
  {
    shape: 'hook',
    name: 'atexit',
    group: 'process',
    params: [],
    returns: 'none',
    doc: 'Called in each thread at its clean end: a stop or a reload, not when it is ended for overrunning.',
    example: {
      js: "uwsgi.atexit = () => uwsgi.log('bye')",
      lua: "uwsgi.atexit = function() uwsgi.log('bye') end",
      python: "uwsgi.atexit = lambda: uwsgi.log('bye')",
    },
  },
] as const satisfies readonly ApiEntry[]
