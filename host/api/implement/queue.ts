// Implementations of the group `queue`.
import { ApiError } from '../../errors.ts'
import type { SharedQueue } from '../../state/shared-queue.ts'
import type { ApiContext } from '../context.ts'
import type { ImplementationOf } from '../kinds.ts'
import type { queue } from '../table/queue.ts'

const queueOf = (context: ApiContext, functionName: string): SharedQueue => {
  if (context.queue === undefined) throw new ApiError(functionName, 'API_REFUSED', 'no queue is configured (--queue)')
  return context.queue
}

export const queueImplementation: ImplementationOf<typeof queue, ApiContext> = {
  queue_size: (context) => context.queue?.size ?? 0,
  queue_push: (context, message) => queueOf(context, 'queue_push').push(message, context.thread.seat) || undefined,
  queue_pop: (context) => queueOf(context, 'queue_pop').pop(context.thread.seat),
  queue_pull: (context) => queueOf(context, 'queue_pull').pull(context.thread.seat),
  queue_get: (context, index) => queueOf(context, 'queue_get').get(index, context.thread.seat),
  queue_set: (context, index, message) => queueOf(context, 'queue_set').set(index, message, context.thread.seat) || undefined,
  queue_last: (context, count) => queueOf(context, 'queue_last').last(count, context.thread.seat),
  queue_slot: (context) => queueOf(context, 'queue_slot').pushSlot,
  queue_pull_slot: (context) => queueOf(context, 'queue_pull_slot').pullSlot,
}
