// API group: the shared queue.
import type { ApiEntry } from '../kinds.ts'

const message = {
  name: 'message',
  type: 'bytes',
  doc: 'The message: at least one byte, at most `--queue-blocksize` less 16.',
} as const
const index = { name: 'index', type: 'int', doc: 'Which slot, from 0.' } as const
const raises = ['ValueError: no queue is configured'] as const

export const queue = [
  {
    shape: 'attribute',
    name: 'queue_size',
    group: 'queue',
    type: 'int',
    doc: 'How many slots the queue has (`--queue`); 0 without a queue.',
    example: { js: 'uwsgi.queueSize', lua: 'uwsgi.queue_size', python: 'uwsgi.queue_size' },
  },
  {
    shape: 'function',
    name: 'queue_push',
    group: 'queue',
    kind: 'immediate',
    params: [message],
    returns: 'true',
    raises,
    doc: `Puts a message into the next slot. The queue is never full: a message that nobody has taken is overwritten in its turn.
Returns not_defined for a message that is empty or too long.`,
    example: { js: "uwsgi.queuePush('job 1')", lua: "uwsgi.queue_push('job 1')", python: "uwsgi.queue_push(b'job 1')" },
  },
  {
    shape: 'function',
    name: 'queue_pop',
    group: 'queue',
    kind: 'immediate',
    params: [],
    returns: 'bytes',
    raises,
    doc: `Takes the message pushed last: the queue as a stack. Not_defined when there is none. Differs from uWSGI: an empty queue
stays as it is.`,
    example: { js: 'uwsgi.queuePop()', lua: 'uwsgi.queue_pop()', python: 'uwsgi.queue_pop()' },
  },
  {
    shape: 'function',
    name: 'queue_pull',
    group: 'queue',
    kind: 'immediate',
    params: [],
    returns: 'bytes',
    raises,
    doc: `Takes the message at the pull slot and moves that on, so messages come in the order they were pushed. Not_defined when
there is none. As in uWSGI, a push that overwrites does not move the pull slot.`,
    example: { js: 'uwsgi.queuePull()', lua: 'uwsgi.queue_pull()', python: 'uwsgi.queue_pull()' },
  },
  {
    shape: 'function',
    name: 'queue_get',
    group: 'queue',
    kind: 'immediate',
    params: [index],
    returns: 'bytes',
    raises,
    doc: 'What is in a slot, which keeps it. Not_defined for an empty slot, or one that is not there.',
    example: { js: 'uwsgi.queueGet(0)', lua: 'uwsgi.queue_get(0)', python: 'uwsgi.queue_get(0)' },
  },
  {
    shape: 'function',
    name: 'queue_set',
    group: 'queue',
    kind: 'immediate',
    params: [index, message],
    returns: 'true',
    raises,
    doc: `Puts a message into a slot of one's choice; pushes and pulls go on where they were. Not_defined for a slot that is not
there and for a message that is empty or too long. Differs from uWSGI: too long is the same as for \`queue_push\`.`,
    example: { js: "uwsgi.queueSet(0, 'first')", lua: "uwsgi.queue_set(0, 'first')", python: "uwsgi.queue_set(0, b'first')" },
  },
  {
    shape: 'function',
    name: 'queue_last',
    group: 'queue',
    kind: 'immediate',
    params: [{ name: 'count', type: 'int', default: 1, min: 0, doc: 'How many slots to look at.' }],
    returns: { list: 'bytes', python: 'list' },
    always: true,
    raises,
    doc: `The messages pushed last, the newest first; they stay. Differs from uWSGI: it is a list for one message too, and slots
whose message was taken are passed over.`,
    example: { js: 'uwsgi.queueLast(5)', lua: 'uwsgi.queue_last(5)', python: 'uwsgi.queue_last(5)' },
  },
  {
    shape: 'function',
    name: 'queue_slot',
    group: 'queue',
    kind: 'immediate',
    params: [],
    returns: 'int',
    always: true,
    raises,
    doc: 'The slot that the next push fills.',
    example: { js: 'uwsgi.queueSlot()', lua: 'uwsgi.queue_slot()', python: 'uwsgi.queue_slot()' },
  },
  {
    shape: 'function',
    name: 'queue_pull_slot',
    group: 'queue',
    kind: 'immediate',
    params: [],
    returns: 'int',
    always: true,
    raises,
    doc: 'The slot that the next pull empties.',
    example: { js: 'uwsgi.queuePullSlot()', lua: 'uwsgi.queue_pull_slot()', python: 'uwsgi.queue_pull_slot()' },
  },
] as const satisfies readonly ApiEntry[]
