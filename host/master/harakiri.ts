// Harakiri, the master's part: at a thread's deadline its guest code is asked to end, by the thread's stop word; when the thread has
// not got on by the end of the grace, it is ended. (The thread knows which of its requests overran: host/worker/request-deadlines.ts.)
// (What the CPU time of requests adds is in cpu-limits.ts.)
// Invariant: a thread is ended for a deadline that has stood for the whole grace, and once.
import type { OverrunCause } from '../log/harakiri-lines.ts'
import { sharedNow } from '../state/deadlines.ts'
import { firstConnectionFd } from '../state/request-slots.ts'
import type { StateMap } from '../state/state-map.ts'
import { CpuLimits, type WatchedThread } from './cpu-limits.ts'

/** Why a thread was ended, for the log. */
export const endReasons: Readonly<Record<OverrunCause, string>> = {
  HARAKIRI: 'it overran its deadline (harakiri)',
  'CPU-LIMIT': 'its code took more CPU time than it may (cpu-limit)',
}

/** Whether a thread was ended for its code, and why. */
export const causeOfEnd = (reason: string | undefined): OverrunCause | undefined =>
  (['HARAKIRI', 'CPU-LIMIT'] as const).find((cause) => endReasons[cause] === reason)

export interface HarakiriOptions {
  readonly state: Pick<StateMap, 'deadlines' | 'stops' | 'cpu' | 'slots'>
  /** How long what overran may take to end. */
  readonly graceMs: number
  readonly isCpuLimited: boolean
  /** Those that run. */
  threads(): Iterable<WatchedThread>
  /** It has overrun, and was asked in vain. */
  end(seat: number, cause: OverrunCause): void
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
  readonly #cpu: CpuLimits | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(options: HarakiriOptions) {
    this.#options = options
    if (options.isCpuLimited) this.#cpu = new CpuLimits({ ...options, end: (seat) => this.#endForCpu(seat) })
  }

  start(): void {
    this.#cpu?.start()
    this.#look()
  }

  stop(): void {
    this.#cpu?.stop()
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** The request that runs is the one that overran: its thread could not say so. */
  #endForCpu(seat: number): void {
    const { state, end } = this.#options
    const slot = state.cpu.connectionOf(seat) - firstConnectionFd
    if (slot >= 0 && state.slots.runningSeat(slot) === seat) state.slots.setDeadline(slot, sharedNow())
    state.cpu.threadEnded(seat)
    end(seat, 'CPU-LIMIT')
  }

  readonly #look = (): void => {
    const { state, graceMs, threads, end } = this.#options
    const now = sharedNow()
    let next = now + watchMs
    for (const { seat } of threads()) {
      const deadline = state.deadlines.of(seat)
      if (deadline === 0) continue
      if (now < deadline) {
        next = Math.min(next, deadline)
        continue
      }
      if (now >= deadline + graceMs) {
        state.deadlines.threadEnded(seat)
        end(seat, 'HARAKIRI')
        continue
      }
      state.stops.set(seat)
      next = Math.min(next, now + askMs, deadline + graceMs)
    }
    this.#timer = setTimeout(this.#look, Math.max(1, next - sharedNow()))
    this.#timer.unref()
  }
}
