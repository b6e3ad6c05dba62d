// Harakiri, the master's part: at a thread's deadline its guest code is asked to end, by the thread's stop word; when the thread has
// not got on by the end of the grace, it is ended. (The thread knows which of its requests overran: host/worker/request-deadlines.ts.)
// Invariant: a thread is ended for a deadline that has stood for the whole grace, and once.
import { sharedNow } from '../state/deadlines.ts'
import type { StateMap } from '../state/state-map.ts'

export interface HarakiriOptions {
  readonly state: Pick<StateMap, 'deadlines' | 'stops'>
  /** How long what overran may take to end. */
  readonly graceMs: number
  /** The seats of the threads that run. */
  seats(): Iterable<number>
  /** It has overrun, and was asked in vain. */
  end(seat: number): void
}

/** How often deadlines are looked for that threads have set meanwhile. */
const watchMs = 200
/**
 * How often what has overrun is asked again. The word may have been taken back by code that is not what overran, and that which is
 * may begin to run at any time.
 */
const askMs = 50

export class Harakiri {
  readonly #options: HarakiriOptions
  #timer: NodeJS.Timeout | undefined

  constructor(options: HarakiriOptions) {
    this.#options = options
  }

  start(): void {
    this.#look()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  readonly #look = (): void => {
    const { state, graceMs, seats, end } = this.#options
    const now = sharedNow()
    let next = now + watchMs
    for (const seat of seats()) {
      const deadline = state.deadlines.of(seat)
      if (deadline === 0) continue
      if (now < deadline) {
        next = Math.min(next, deadline)
        continue
      }
      if (now >= deadline + graceMs) {
        state.deadlines.threadEnded(seat)
        end(seat)
        continue
      }
      state.stops.set(seat)
      next = Math.min(next, now + askMs, deadline + graceMs)
    }
    this.#timer = setTimeout(this.#look, Math.max(1, next - sharedNow()))
    this.#timer.unref()
  }
}
