// API group: shared areas of memory. The functions for numbers differ only in how wide those are, so they are made here from
// a few patterns; which functions there are is the list at the end.
import type { ApiEntry, ApiExample } from '../kinds.ts'

const id = { name: 'id', type: 'int', min: 0, doc: 'Which area, from 0 in the order of the `--sharedarea` options.' } as const
const position = { name: 'position', type: 'int', min: 0, doc: 'Byte of the area, from 0.' } as const
// As many as fit, signed or not: what is read back is signed.
const value8 = { name: 'value', type: 'int', min: -128, max: 255, doc: 'A number of 8 bits.' } as const
const value16 = { name: 'value', type: 'int', min: -32_768, max: 65_535, doc: 'A number of 16 bits.' } as const
const value32 = { name: 'value', type: 'int', min: -2_147_483_648, max: 4_294_967_295, doc: 'A number of 32 bits.' } as const
const value64 = { name: 'value', type: 'int64', doc: 'A signed number of 64 bits.' } as const
const step32 = { ...value32, default: 1, doc: 'By how much.' } as const
const step64 = { ...value64, default: 1n, doc: 'By how much.' } as const

const group = 'sharedarea' as const
/** Another thread may have locked the area. */
const kind = 'blocking' as const
const outside = 'ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it' as const
const order = "in the machine's byte order" as const

const sameIn = (call: string, js: string): ApiExample => ({ js: `uwsgi.${js}`, lua: `uwsgi.${call}`, python: `uwsgi.${call}` })

const reader = <const Name extends string, const Returns extends 'int' | 'int64'>(
  name: Name,
  bits: number,
  returns: Returns,
  aliases: readonly string[],
) =>
  ({
    shape: 'function',
    name,
    group,
    kind,
    params: [id, position],
    returns,
    always: true,
    raises: [outside],
    aliases,
    doc: `Reads a signed number of ${bits} bits, ${order}.`,
    example: sameIn(`${name}(0, 0)`, `sharedareaRead${bits}(0, 0)`),
  }) as const

const writer = <const Name extends string, const Value extends typeof value8 | typeof value16 | typeof value32 | typeof value64>(
  name: Name,
  bits: number,
  value: Value,
  aliases: readonly string[],
) =>
  ({
    shape: 'function',
    name,
    group,
    kind,
    params: [id, position, value],
    returns: 'none',
    raises: [outside],
    aliases,
    doc: `Writes a number of ${bits} bits, ${order}.`,
    example: sameIn(`${name}(0, 0, 17)`, `sharedareaWrite${bits}(0, 0, 17)`),
  }) as const

const stepper = <const Name extends string, const Step extends typeof step32 | typeof step64>(
  name: Name,
  bits: number,
  step: Step,
  aliases: readonly string[],
  [doc, js]: readonly [string, string],
) =>
  ({
    shape: 'function',
    name,
    group,
    kind,
    params: [id, position, step],
    returns: 'none',
    raises: [outside],
    aliases,
    doc: `${doc} a number of ${bits} bits; whatever others do at the same time, no step is lost.`,
    example: sameIn(`${name}(0, 8)`, `${js}(0, 8)`),
  }) as const

export const sharedarea = [
  {
    shape: 'function',
    name: 'sharedarea_read',
    group,
    kind,
    params: [id, position, { name: 'length', type: 'int', default: 0, min: 0, doc: 'How many bytes; 0: to the end.' }],
    returns: 'bytes',
    always: true,
    raises: [outside],
    doc: 'Reads bytes of an area.',
    example: sameIn('sharedarea_read(0, 0, 4)', 'sharedareaRead(0, 0, 4)'),
  },
  {
    shape: 'function',
    name: 'sharedarea_write',
    group,
    kind,
    params: [id, position, { name: 'data', type: 'bytes', doc: 'The bytes.' }],
    returns: 'none',
    raises: [outside],
    doc: 'Writes bytes into an area: all of them, or none when they do not fit.',
    example: sameIn("sharedarea_write(0, 0, 'data')", "sharedareaWrite(0, 0, 'data')"),
  },
  reader('sharedarea_read8', 8, 'int', ['sharedarea_readbyte']),
  reader('sharedarea_read16', 16, 'int', []),
  reader('sharedarea_read32', 32, 'int', []),
  reader('sharedarea_read64', 64, 'int64', ['sharedarea_readlong']),
  writer('sharedarea_write8', 8, value8, ['sharedarea_writebyte']),
  writer('sharedarea_write16', 16, value16, []),
  writer('sharedarea_write32', 32, value32, []),
  writer('sharedarea_write64', 64, value64, ['sharedarea_writelong']),
  stepper('sharedarea_inc32', 32, step32, [], ['Adds to', 'sharedareaInc32']),
  stepper('sharedarea_inc64', 64, step64, ['sharedarea_inclong'], ['Adds to', 'sharedareaInc64']),
  stepper('sharedarea_dec32', 32, step32, [], ['Subtracts from', 'sharedareaDec32']),
  stepper('sharedarea_dec64', 64, step64, [], ['Subtracts from', 'sharedareaDec64']),
  {
    shape: 'function',
    name: 'sharedarea_rlock',
    group,
    kind,
    params: [id],
    returns: 'none',
    raises: [outside, 'ValueError: this worker has the area locked to write'],
    doc: `Locks an area to read: nobody changes it until \`sharedarea_unlock\`, and others may read it. May be taken several
times, to be unlocked as often. It is freed when its holder is ended.`,
    example: {
      js: 'uwsgi.sharedareaRlock(0)\nuwsgi.sharedareaUnlock(0)',
      lua: 'uwsgi.sharedarea_rlock(0)\nuwsgi.sharedarea_unlock(0)',
      python: 'uwsgi.sharedarea_rlock(0)\nuwsgi.sharedarea_unlock(0)',
    },
  },
  {
    shape: 'function',
    name: 'sharedarea_wlock',
    group,
    kind,
    params: [id],
    returns: 'none',
    raises: [outside, 'ValueError: this worker has the area locked already'],
    doc: `Locks an area to write: until \`sharedarea_unlock\` nobody else reads or changes it. Differs from uWSGI: the holder's
own functions go on working, and locking twice is an error; there both hang. It is freed when its holder is ended.`,
    example: {
      js: 'uwsgi.sharedareaWlock(0)\nuwsgi.sharedareaUnlock(0)',
      lua: 'uwsgi.sharedarea_wlock(0)\nuwsgi.sharedarea_unlock(0)',
      python: 'uwsgi.sharedarea_wlock(0)\nuwsgi.sharedarea_unlock(0)',
    },
  },
  {
    shape: 'function',
    name: 'sharedarea_unlock',
    group,
    kind: 'immediate',
    params: [id],
    returns: 'none',
    raises: [outside],
    doc: 'Gives back what this worker has locked of an area. Nothing happens when that is nothing.',
    example: sameIn('sharedarea_unlock(0)', 'sharedareaUnlock(0)'),
  },
] as const satisfies readonly ApiEntry[]
