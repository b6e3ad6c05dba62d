// When each request of this thread is to be over: so long after its begin (`harakiri`), or when it has said so itself (uWSGI:
// set_user_harakiri), which code outside of requests may too. Code that runs for nobody, as a timer of a request that has been
// answered does, is not to keep the thread longer than a request may. One that waits is given up here, when its time has come; the
// master, who sees the earliest of these deadlines, ends a thread that does not get to it.
// Invariant: what the master sees is the earliest deadline of those that are still to be met.
import type { WsgiRequest } from '../request/wsgi-request.ts'
import { type Deadlines, sharedNow } from '../state/deadlines.ts'

export interface RequestDeadlinesOptions {
  readonly deadlines: Deadlines
  readonly seat: number
  /** How long a request may take; 0: for ever. */
  readonly harakiriMs: number
}

export class RequestDeadlines {
  readonly #options: RequestDeadlinesOptions
  /** Of running requests, in the order in which they began, which is that of their ends. Empty without `harakiri`. */
  readonly #begun = new Map<WsgiRequest, number>()
  /** Set by code itself; undefined is what runs outside of requests: a signal handler, a mule, a spooler. */
  readonly #own = new Map<WsgiRequest | undefined, number>()
  readonly #givenUp = new WeakSet<WsgiRequest>()
  /** Those of them whose turn is still to come. */
  readonly #overdue: WsgiRequest[] = []
  #timer: NodeJS.Timeout | undefined
  /** When the timer fires. */
  #timerEnd = Number.POSITIVE_INFINITY
  #told = 0
  #beating: NodeJS.Timeout | undefined
  /** When the thread is to have got on, by `beat`. */
  #beatEnd = Number.POSITIVE_INFINITY
  /** Ends a request that waits. Set by who can. */
  giveUp: (request: WsgiRequest) => void = () => {}

  constructor(options: RequestDeadlinesOptions) {
    this.#options = options
  }

  requestBegins(request: WsgiRequest): void {
    const { harakiriMs } = this.#options
    if (harakiriMs === 0) return
    const end = sharedNow() + harakiriMs
    this.#begun.set(request, end)
    request.noteDeadline(end)
    if (this.#beating !== undefined) this.#beatEnd = end + beatMs
    this.#tell()
  }

  /** From now on the thread is to get on: its event loop turns, or it begins the next of what it has to do. Nothing without `harakiri`. */
  watchThread(): void {
    if (this.#options.harakiriMs === 0) return
    this.#beating = setInterval(() => this.beat(), beatMs)
    this.#beating.unref()
    this.beat()
  }

  /** The thread ends: what it still does is nobody's to hurry. */
  endWatch(): void {
    clearInterval(this.#beating)
    this.#beating = undefined
    this.#beatEnd = Number.POSITIVE_INFINITY
    this.#tell()
  }

  /** It has got on: whatever runs next has as long as a request has. */
  beat(): void {
    if (this.#beating === undefined) return
    this.#beatEnd = sharedNow() + this.#options.harakiriMs + beatMs
    this.#tell()
  }

  /** @param seconds from now; 0 for none */
  set(request: WsgiRequest | undefined, seconds: number): void {
    // Its second deadline is what ends a handler that does not end by itself.
    if (request !== undefined && this.#givenUp.has(request)) return
    if (seconds === 0) this.#own.delete(request)
    else this.#own.set(request, sharedNow() + Math.ceil(seconds * 1000))
    request?.noteDeadline(this.#endOf(request))
    this.#tell()
  }

  /** Its time came while it waited. */
  isGivenUp(request: WsgiRequest): boolean {
    return this.#givenUp.has(request)
  }

  /** As in uWSGI, the end of a request also ends what a handler has set outside of requests. */
  requestEnded(request: WsgiRequest): void {
    if (this.#begun.size === 0 && this.#own.size === 0) return
    this.#begun.delete(request)
    this.#own.delete(request)
    this.#own.delete(undefined)
    this.#tell()
  }

  /** Of a request: the earlier one; 0 for none. */
  #endOf(request: WsgiRequest): number {
    const ends = [this.#begun.get(request), this.#own.get(request)].filter((end) => end !== undefined)
    return ends.length === 0 ? 0 : Math.min(...ends)
  }

  #earliest(): number {
    const begun = Math.min(this.#begun.values().next().value ?? Number.POSITIVE_INFINITY, this.#beatEnd)
    return this.#own.size === 0 ? begun : Math.min(begun, ...this.#own.values())
  }

  #tell(): void {
    const earliest = this.#earliest()
    const told = earliest === Number.POSITIVE_INFINITY ? 0 : earliest
    if (told !== this.#told) {
      this.#told = told
      this.#options.deadlines.set(this.#options.seat, told)
    }
    // A timer that fires too early looks again; most requests end long before, and cost no timer of their own.
    if (earliest >= this.#timerEnd) return
    clearTimeout(this.#timer)
    this.#timerEnd = earliest
    this.#timer = setTimeout(this.#look, Math.max(leastTimerMs, earliest - sharedNow() + 1))
    this.#timer.unref()
  }

  /** The thread is in its event loop: whoever is overdue waits for something. */
  readonly #look = (): void => {
    this.#timerEnd = Number.POSITIVE_INFINITY
    const now = sharedNow()
    for (const request of [...this.#begun.keys(), ...this.#own.keys()]) {
      if (request === undefined || this.#endOf(request) > now || this.#givenUp.has(request)) continue
      this.#givenUp.add(request)
      this.#begun.delete(request)
      this.#own.set(request, now)
      this.#overdue.push(request)
    }
    this.#giveUpSome()
  }

  /**
   * Some in each turn of the event loop, in which the other requests go on. A handler that is not ended by it costs the thread:
   * its time comes a second time then. That of those whose turn is still to come does not run meanwhile: the master is to see that
   * the thread is at it.
   */
  #giveUpSome(): void {
    const again = sharedNow() + Math.max(leastGraceMs, Math.min(this.#options.harakiriMs, mostGraceMs))
    for (const request of this.#overdue) if (this.#own.has(request)) this.#own.set(request, again)
    this.#tell()
    for (const request of this.#overdue.splice(0, mostAtOnce)) if (this.#own.has(request)) this.giveUp(request)
    if (this.#overdue.length > 0) setImmediate(() => this.#giveUpSome())
  }
}

/** How often an idle thread says that it gets on. */
const beatMs = 1000
/** Each may run a guest's clean-up. */
const mostAtOnce = 16
/** A deadline that is past already is the master's to enforce: looking for it must not keep the thread busy. */
const leastTimerMs = 20
/** How long a handler that was given up may take for its clean-up. */
const leastGraceMs = 1000
const mostGraceMs = 5000
