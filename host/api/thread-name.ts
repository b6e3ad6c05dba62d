// A thread as people know it, from its number.
import type { ApiContext } from './context.ts'

/** `worker 2`, `mule 1`. Spoolers, numbered after the mules, hold nothing that is named by number, so they have no name here. */
export const threadName = ({ state }: ApiContext, thread: number): string => {
  const workers = state.workers.count
  return thread <= workers ? `worker ${thread}` : `mule ${thread - workers}`
}
