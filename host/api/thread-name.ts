// A thread as people know it, from its seat.
import type { ApiContext } from './context.ts'

/** `worker 2`, `mule 1`. Spoolers, numbered after the mules, hold nothing that is named by seat, so they have no name here. */
export const threadName = ({ state }: ApiContext, seat: number): string => {
  const workers = state.workers.count
  const thread = state.seats.number(seat)
  if (thread === 0) return seat === 0 ? 'the master' : 'a spare worker'
  return thread <= workers ? `worker ${thread}` : `mule ${thread - workers}`
}
