// The CPU time of requests, the master's part (`cpu-limit`): each thread says how far its CPU time may go before what runs in it has had
// its share (host/state/cpu-shares.ts). When it can have come to that, the thread's CPU time is looked at; when it has, its guest code is
// asked to end, by the thread's stop word; when it has not got on by the end of the grace, the thread is ended.
// Invariant: only CPU time that was taken counts. Node answers for a thread that is parked, or runs without an end; one that does not
// answer waits for the system, or for its turn on a CPU, and is left alone until it does.
import { sharedNow } from '../state/deadlines.ts'
import type { StateMap } from '../state/state-map.ts'

export interface WatchedThread {
  readonly seat: number
  /** Microseconds that it has taken. Rejects when it has ended; may never settle when it ends meanwhile. */
  cpuUs(): Promise<number>
}

export interface CpuLimitsOptions {
  readonly state: Pick<StateMap, 'cpu' | 'stops'>
  /** How long what has had its share may take to end. */
  readonly graceMs: number
  /** Those that run. */
  threads(): Iterable<WatchedThread>
  /** It has had its share, and was asked in vain. */
  end(seat: number): void
}

/** How often words are looked for that threads have set meanwhile. */
const watchMs = 200
/** As Harakiri's: the word may have been taken back by code that is not what overran. */
const askMs = 50
/** A thread that is parked close to its end is not to be asked all the time. */
const leastMs = 20

const never = Number.NEGATIVE_INFINITY

/** What is known of a thread. */
interface Seen {
  /** The word as it was when the thread was last asked. */
  end: number
  usedUs: number
  /** When it had taken so much. */
  at: number
  isAsked: boolean
  /** Since when the word has been behind it. */
  overSince: number
}

export class CpuLimits {
  readonly #options: CpuLimitsOptions
  readonly #seen = new WeakMap<WatchedThread, Seen>()
  readonly #ended = new WeakSet<WatchedThread>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: CpuLimitsOptions) {
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
    const now = sharedNow()
    let next = now + watchMs
    for (const thread of this.#options.threads()) next = Math.min(next, this.#lookAt(thread, now))
    this.#timer = setTimeout(this.#look, Math.max(1, next - sharedNow()))
    this.#timer.unref()
  }

  /** @returns when it is to be looked at again */
  #lookAt(thread: WatchedThread, now: number): number {
    const { state, graceMs } = this.#options
    const { seat } = thread
    const end = state.cpu.endOf(seat)
    const seen = this.#seen.get(thread) ?? { end: 0, usedUs: 0, at: never, isAsked: false, overSince: Number.POSITIVE_INFINITY }
    this.#seen.set(thread, seen)
    if (seen.end !== end) {
      seen.end = end
      seen.overSince = Number.POSITIVE_INFINITY
    }
    if (end === 0 || this.#ended.has(thread)) return now + watchMs
    if (seen.overSince === Number.POSITIVE_INFINITY) {
      // A thread takes no more CPU time than passes on the clock.
      const earliest = Math.max(seen.at + leastMs, seen.at + (end - seen.usedUs) / 1000)
      if (now < earliest) return earliest
      this.#ask(thread, seen)
      return now + leastMs
    }
    if (now >= seen.overSince + graceMs) {
      this.#ended.add(thread)
      this.#options.end(seat)
      return now + watchMs
    }
    state.stops.set(seat)
    return Math.min(now + askMs, seen.overSince + graceMs)
  }

  #ask(thread: WatchedThread, seen: Seen): void {
    if (seen.isAsked) return
    seen.isAsked = true
    thread.cpuUs().then(
      (usedUs) => {
        seen.isAsked = false
        seen.usedUs = usedUs
        seen.at = sharedNow()
        const { state, graceMs } = this.#options
        // It may have got on while it was asked.
        if (seen.end === 0 || state.cpu.endOf(thread.seat) !== seen.end || usedUs < seen.end) return
        seen.overSince = seen.at
        if (graceMs > 0) state.stops.set(thread.seat)
      },
      () => {
        seen.isAsked = false
      },
    )
  }
}
