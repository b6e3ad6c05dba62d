// API group: signals: numbers 0 to 255 that run handlers.
import type { ApiEntry } from '../kinds.ts'

export const signals = [
  {
    shape: 'function',
    name: 'signal',
    group: 'signals',
    kind: 'blocking',
    params: [
      { name: 'signum', type: 'int', min: 0, max: 255, doc: 'The signal.' },
      { name: 'node', type: 'text', default: null, doc: 'Another server, `host:port` or the path of a UNIX socket.' },
    ],
    returns: 'none',
    raises: [
      'ValueError: signum is not from 0 to 255',
      'OSError: unable to deliver signal N to node X',
      'ValueError: node X rejected signal N',
    ],
    doc: `Raises a signal: it goes to the master, which hands it to the receiver it was registered with. Does not wait for the
handler; a signal for which there is no room is dropped and logged. With \`node\`, waits until that server has taken it.
Differs from uWSGI: a signum out of range is refused, not taken modulo 256, and a signal raised while apps load is not lost.`,
    example: { js: 'uwsgi.signal(17)', lua: 'uwsgi.signal(17)', python: 'uwsgi.signal(17)' },
  },
  {
    shape: 'function',
    name: 'register_signal',
    group: 'signals',
    kind: 'immediate',
    params: [
      { name: 'signum', type: 'int', min: 0, max: 255, doc: 'The signal.' },
      {
        name: 'kind',
        type: 'text',
        maxBytes: 63,
        doc: 'Who runs the handler: `""` or `worker` (any worker), `workers`, `active-workers`, `worker2`, `mule` (any mule), `mules`, `mule1`, `farm_NAME`, `farm1`, `spooler`, `subscribed` (nobody).',
      },
      {
        name: 'handler',
        type: 'function',
        takes: [{ name: 'signum', type: 'int' }],
        doc: 'Called with the number of the signal.',
      },
    ],
    returns: 'none',
    raises: [
      'ValueError: unable to register signal N',
      'ValueError: kind has more than 63 bytes',
      'TypeError: handler is no function',
    ],
    doc: `Registers the handler of a signal, and who is to run it. To be done while the app loads, in every thread; the same
number twice in one load is refused. Later registrations replace.
Differs from uWSGI: a kind of no known form is refused here, not when the signal comes; mules and
spoolers may register; a registration made while serving changes the receiver for the whole server.`,
    example: {
      js: "uwsgi.registerSignal(17, 'worker', (signum) => uwsgi.log('signal ' + signum))",
      lua: "uwsgi.register_signal(17, 'worker', function(signum) uwsgi.log('signal ' .. signum) end)",
      python: "uwsgi.register_signal(17, 'worker', lambda signum: uwsgi.log(f'signal {signum}'))",
    },
  },
  {
    shape: 'function',
    name: 'signal_registered',
    group: 'signals',
    kind: 'immediate',
    params: [{ name: 'signum', type: 'int', min: 0, max: 255, doc: 'The signal.' }],
    returns: 'true',
    raises: ['ValueError: signum is not from 0 to 255'],
    doc: 'Whether this thread has a handler for the signal: true, or nothing.',
    example: {
      js: 'uwsgi.signalRegistered(17) // true, or undefined',
      lua: 'uwsgi.signal_registered(17) -- true, or nil',
      python: 'uwsgi.signal_registered(17)  # True, or None',
    },
  },
  {
    shape: 'function',
    name: 'signal_wait',
    group: 'signals',
    kind: 'blocking',
    params: [{ name: 'signum', type: 'int', default: null, min: 0, max: 255, doc: 'The signal to wait for; not given: any.' }],
    returns: 'bytes',
    always: true,
    value: '',
    raises: ['ValueError: signum is not from 0 to 255'],
    doc: `Waits for a signal that this thread receives. Handlers of all signals that come meanwhile run, that of the awaited
one included. Returns nothing but empty bytes; \`signal_received\` tells which it was.`,
    example: {
      js: "uwsgi.registerSignal(18, 'worker', () => {})\nuwsgi.signal(18)\nuwsgi.signalWait(18)\nreturn uwsgi.signalReceived() // 18",
      lua: "uwsgi.register_signal(18, 'worker', function() end)\nuwsgi.signal(18)\nuwsgi.signal_wait(18)\nreturn uwsgi.signal_received() -- 18",
      python:
        "uwsgi.register_signal(18, 'worker', lambda signum: None)\nuwsgi.signal(18)\nuwsgi.signal_wait(18)\nreturn uwsgi.signal_received()  # 18",
    },
  },
  {
    shape: 'function',
    name: 'signal_received',
    group: 'signals',
    kind: 'immediate',
    params: [],
    returns: 'int',
    always: true,
    raises: [],
    doc: 'The signal this thread received last; 0 before the first.',
    example: { js: 'uwsgi.signalReceived()', lua: 'uwsgi.signal_received()', python: 'uwsgi.signal_received()' },
  },
] as const satisfies readonly ApiEntry[]
