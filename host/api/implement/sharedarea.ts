// Implementations of the group `sharedarea`. What lies outside of an area is refused here, before anything waits or changes.
import { ApiArgumentError, ApiError } from '../../errors.ts'
import type { NumberBits, SharedArea } from '../../state/sharedarea.ts'
import type { ApiContext } from '../context.ts'
import type { ImplementationOf } from '../kinds.ts'
import type { sharedarea } from '../table/sharedarea.ts'
import { oneWait, outcomeOf, type Waiting, waiting } from '../waiting.ts'

/** uWSGI's own words, and why. */
const refused = (functionName: string, argument: string, why: string): ApiArgumentError =>
  new ApiArgumentError(functionName, argument, 'value', `error calling uwsgi_${functionName}(): ${why}`)

const areaOf = ({ sharedareas }: ApiContext, functionName: string, id: number): SharedArea => {
  const area = sharedareas[id]
  if (area !== undefined) return area
  const there = sharedareas.length === 0 ? 'none is configured (--sharedarea)' : `there are 0 to ${sharedareas.length - 1}`
  throw refused(functionName, 'id', `there is no area ${id}: ${there}`)
}

/** The area, when `length` bytes from `position` on lie in it. */
const placeIn = (context: ApiContext, functionName: string, id: number, position: number, length: number): SharedArea => {
  const area = areaOf(context, functionName, id)
  if (area.holds(position, length)) return area
  const bytes = `${length} byte${length === 1 ? '' : 's'}`
  throw refused(functionName, 'position', `${bytes} from ${position} on are not in area ${id}, which has ${area.size}`)
}

const read = (context: ApiContext, bits: NumberBits, id: number, position: number): bigint =>
  placeIn(context, `sharedarea_read${bits}`, id, position, bits / 8).readNumber(bits, position, context.thread.seat)

const readNumber = (context: ApiContext, bits: NumberBits, id: number, position: number): number =>
  Number(read(context, bits, id, position))

const write = (context: ApiContext, bits: NumberBits, id: number, position: number, value: number | bigint): undefined => {
  const area = placeIn(context, `sharedarea_write${bits}`, id, position, bits / 8)
  area.writeNumber(bits, position, BigInt(value), context.thread.seat)
}

const step = (
  context: ApiContext,
  name: 'inc' | 'dec',
  bits: 32 | 64,
  id: number,
  position: number,
  by: number | bigint,
): undefined => {
  const area = placeIn(context, `sharedarea_${name}${bits}`, id, position, bits / 8)
  area.addNumber(bits, position, name === 'inc' ? BigInt(by) : -BigInt(by), context.thread.seat)
}

const lock = (context: ApiContext, functionName: string, id: number, access: 'read' | 'write'): Waiting<undefined> => {
  const area = areaOf(context, functionName, id)
  const { thread, request } = context
  const { seat } = thread
  return waiting(function* () {
    const taking = oneWait(
      () => (access === 'read' ? area.lockToRead(seat) : area.lockToWrite(seat)),
      () => area.lockAsync(seat, access),
    )
    const outcome = yield* outcomeOf(taking)
    if (outcome === 'locked') {
      if (request?.isOver !== true) {
        area.noteLocked(request)
        return undefined
      }
      // Nobody might ever unlock it; and who still runs, and is told that it is locked, would go on without it.
      area.unlock(seat)
      throw new ApiError(functionName, 'API_REFUSED', `area ${id} came free after the end of the request: it was not locked`)
    }
    const mine = `this ${thread.kind} has area ${id} locked ${access === 'read' ? 'to write' : 'already'}`
    throw new ApiError(functionName, 'API_REFUSED', `${mine}: waiting for it would never end`)
  })
}

export const sharedareaImplementation: ImplementationOf<typeof sharedarea, ApiContext> = {
  sharedarea_read: (context, id, position, length) => {
    // At least one byte, so that a read from behind the end is refused and does not give nothing.
    const wanted = length === 0 ? Math.max(1, areaOf(context, 'sharedarea_read', id).size - position) : length
    return placeIn(context, 'sharedarea_read', id, position, wanted).read(position, wanted, context.thread.seat)
  },
  sharedarea_write: (context, id, position, data) => {
    placeIn(context, 'sharedarea_write', id, position, data.length).write(position, data, context.thread.seat)
    return undefined
  },
  sharedarea_read8: (context, id, position) => readNumber(context, 8, id, position),
  sharedarea_read16: (context, id, position) => readNumber(context, 16, id, position),
  sharedarea_read32: (context, id, position) => readNumber(context, 32, id, position),
  sharedarea_read64: (context, id, position) => read(context, 64, id, position),
  sharedarea_write8: (context, id, position, value) => write(context, 8, id, position, value),
  sharedarea_write16: (context, id, position, value) => write(context, 16, id, position, value),
  sharedarea_write32: (context, id, position, value) => write(context, 32, id, position, value),
  sharedarea_write64: (context, id, position, value) => write(context, 64, id, position, value),
  sharedarea_inc32: (context, id, position, by) => step(context, 'inc', 32, id, position, by),
  sharedarea_inc64: (context, id, position, by) => step(context, 'inc', 64, id, position, by),
  sharedarea_dec32: (context, id, position, by) => step(context, 'dec', 32, id, position, by),
  sharedarea_dec64: (context, id, position, by) => step(context, 'dec', 64, id, position, by),
  sharedarea_rlock: (context, id) => lock(context, 'sharedarea_rlock', id, 'read'),
  sharedarea_wlock: (context, id) => lock(context, 'sharedarea_wlock', id, 'write'),
  sharedarea_unlock: (context, id) => {
    areaOf(context, 'sharedarea_unlock', id).unlock(context.thread.seat, context.request)
    return undefined
  },
}
