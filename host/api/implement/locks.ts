// Implementations of the group `locks`.
import { ApiArgumentError, ApiError } from '../../errors.ts'
import { noCore } from '../../state/locks.ts'
import type { ApiContext } from '../context.ts'
import type { ImplementationOf } from '../kinds.ts'
import type { locks } from '../table/locks.ts'
import { threadName } from '../thread-name.ts'
import { oneWait, outcomeOf, waiting } from '../waiting.ts'

const check = (context: ApiContext, functionName: string, num: number): void => {
  if (context.thread.kind === 'spooler')
    throw new ApiError(functionName, 'API_REFUSED', 'The spooler cannot lock/unlock resources')
  const last = context.locks.count - 1
  if (num < 0 || num > last) throw new ApiArgumentError(functionName, 'num', 'value', `Invalid lock number ${num} (0 to ${last})`)
}

export const locksImplementation: ImplementationOf<typeof locks, ApiContext> = {
  lock: (context, num, timeout) => {
    check(context, 'lock', num)
    if (timeout !== undefined && !(timeout >= 0))
      throw new ApiArgumentError('lock', 'timeout', 'value', `argument 'timeout' must be at least 0 seconds, not ${timeout}`)
    const { locks, thread, request } = context
    const { seat } = thread
    const core = request?.coreId ?? noCore
    const timeoutMs = timeout === undefined ? undefined : timeout * 1000
    return waiting(function* () {
      const taking = oneWait(
        () => locks.lock(num, seat, timeoutMs, core),
        () => locks.lockAsync(num, seat, timeoutMs, core),
      )
      const outcome = yield* outcomeOf(taking)
      if (outcome === 'locked') {
        if (request?.isOver !== true) return undefined
        // Nobody might ever unlock it; and who still runs, and is told that it is locked, would go on without it.
        locks.unlock(num, seat)
        throw new ApiError('lock', 'API_REFUSED', `lock ${num} came free after the end of the request: it was not taken`)
      }
      if (outcome === 'timed out') {
        const owner = locks.owner(num)
        const holder = owner === undefined ? '' : `: ${threadName(context, owner)} holds it`
        throw new ApiError('lock', 'API_REFUSED', `lock ${num} did not become free in ${timeout} seconds${holder}`)
      }
      const holder = outcome === 'held already' ? `this ${thread.kind}` : `another core of this ${thread.kind}`
      throw new ApiError('lock', 'API_REFUSED', `${holder} holds lock ${num} already: waiting for it would never end`)
    })
  },
  unlock: (context, num) => {
    check(context, 'unlock', num)
    if (context.locks.unlock(num, context.thread.seat)) return undefined
    const owner = context.locks.owner(num)
    const holder = owner === undefined ? 'another thread held' : `${threadName(context, owner)} holds`
    throw new ApiError('unlock', 'API_REFUSED', `lock ${num} is not this ${context.thread.kind}'s to unlock: ${holder} it`)
  },
  is_locked: (context, num) => {
    check(context, 'is_locked', num)
    return context.locks.isLocked(num)
  },
}
