// API group: alarms.
import type { ApiEntry } from '../kinds.ts'

export const alarms = [
  {
    shape: 'function',
    name: 'alarm',
    group: 'alarms',
    kind: 'immediate',
    params: [
      { name: 'name', type: 'text', doc: 'As the option `alarm` defines it.' },
      { name: 'message', type: 'bytes', doc: 'What to say; at most `alarm-msg-size` bytes of it are delivered.' },
    ],
    returns: 'none',
    raises: ['ValueError: there is no such alarm'],
    doc: `Raises an alarm and does not wait for it: the master delivers it, and what goes wrong then is a line in the log.
The same message again within \`alarm-freq\` seconds is dropped.
Differs from uWSGI: an unknown alarm is an error, and a message that is too long is cut; it drops both in silence.`,
    example: {
      js: "uwsgi.alarm('admin', 'the disk is full')",
      lua: "uwsgi.alarm('admin', 'the disk is full')",
      python: "uwsgi.alarm('admin', 'the disk is full')",
    },
  },
] as const satisfies readonly ApiEntry[]
