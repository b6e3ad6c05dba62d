// The deadlines that code of one thread sets for itself (uWSGI: set_user_harakiri). The master knows one for the thread; behind
// it each request has its own, since in a worker of several cores one request's must not outlive it, nor replace another's.
// Invariant: what the master sees is the earliest deadline of those that are still to be met.
import type { Deadlines } from '../state/deadlines.ts'
import { sharedNow } from '../state/deadlines.ts'

export class UserDeadlines {
  readonly #deadlines: Deadlines
  readonly #thread: number
  /** By request; undefined is what runs outside of requests: a signal handler, a mule, a spooler. */
  readonly #ends = new Map<object | undefined, number>()

  constructor(deadlines: Deadlines, thread: number) {
    this.#deadlines = deadlines
    this.#thread = thread
  }

  /** @param seconds from now; 0 for none */
  set(request: object | undefined, seconds: number): void {
    if (seconds === 0) this.#ends.delete(request)
    else this.#ends.set(request, sharedNow() + Math.ceil(seconds * 1000))
    this.#tell()
  }

  /** As in uWSGI, the end of a request also ends what a handler has set outside of requests. */
  requestEnded(request: object): void {
    if (this.#ends.size === 0) return
    this.#ends.delete(request)
    this.#ends.delete(undefined)
    this.#tell()
  }

  #tell(): void {
    this.#deadlines.set(this.#thread, this.#ends.size === 0 ? 0 : Math.min(...this.#ends.values()))
  }
}
