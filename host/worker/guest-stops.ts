// What a thread answers to guest code that has seen its stop word: whether it is this code that overran, why it is to end, and what
// becomes of the request that it ran for.
// Invariant: `stopped` is about whom `judge` condemned last, whatever runs by then.
import type { CpuOwners, GuestStops } from '../api/guest-stops.ts'
import type { OverrunCause } from '../log/harakiri-lines.ts'
import type { WsgiRequest } from '../request/wsgi-request.ts'
import type { RequestDeadlines } from './request-deadlines.ts'

export interface ThreadStopsParts {
  readonly word: Int32Array
  readonly isWanted: boolean
  readonly deadlines: RequestDeadlines
  readonly cpu?: CpuOwners | undefined
  /** The request that guest code runs for at this moment. */
  current(): WsgiRequest | undefined
  /** The code that ran for `request`, or for none, is stopped. */
  onStopped(request: WsgiRequest | undefined, trace: string, cause: OverrunCause): void
}

/** Why a request's code is stopped; how its hook is to end. */
export const requestOverran: Readonly<Record<OverrunCause, string>> = {
  HARAKIRI: 'the request took longer than it may: harakiri',
  'CPU-LIMIT': 'the request took more CPU time than it may: cpu-limit',
}
/** Why code that runs for no request is stopped. */
export const codeOverran: Readonly<Record<OverrunCause, string>> = {
  HARAKIRI: 'it took longer than it may: harakiri',
  'CPU-LIMIT': 'it took more CPU time than it may: cpu-limit',
}

export class ThreadStops implements GuestStops {
  readonly word: Int32Array
  readonly isWanted: boolean
  readonly cpu: CpuOwners | undefined
  readonly #parts: ThreadStopsParts
  /** Undefined is what runs outside of requests. */
  #condemned: WsgiRequest | undefined
  #cause: OverrunCause = 'HARAKIRI'

  constructor(parts: ThreadStopsParts) {
    this.#parts = parts
    this.word = parts.word
    this.isWanted = parts.isWanted
    this.cpu = parts.cpu
  }

  judge(): string | undefined {
    Atomics.store(this.word, 0, 0)
    const { deadlines, current } = this.#parts
    const request = current()
    const cause = deadlines.condemns(request)
    if (cause === undefined) return undefined
    this.#cause = cause
    this.#condemned = deadlines.isHandling ? undefined : request
    if (this.#condemned === undefined) return codeOverran[cause]
    // What it would answer now, or get for itself, is let go.
    this.#condemned.isOver = true
    return requestOverran[cause]
  }

  stopped(trace: string): void {
    this.#parts.onStopped(this.#condemned, trace, this.#cause)
  }
}
