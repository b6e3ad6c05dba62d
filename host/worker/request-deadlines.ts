// When each request of this thread is to be over: so long after its begin (`harakiri`), or when it has said so itself (uWSGI:
// set_user_harakiri), which code outside of requests may too. Code that runs for nobody, as a timer of a request that has been
// answered does, is not to keep the thread longer than a request may. One that waits is given up here, when its time has come; code
// that runs asks here whether it is to be stopped. The master, who sees the earliest of these deadlines, has it asked, and ends a
// thread that does not get on within its grace. The same is asked of the CPU time, where that is limited: host/worker/cpu-times.ts counts it.
// Invariant: what the master sees is the earliest deadline of those that are still to be met; the grace counts from there.
import type { OverrunCause } from '../log/harakiri-lines.ts'
import type { WsgiRequest } from '../request/wsgi-request.ts'
import { type Deadlines, sharedNow } from '../state/deadlines.ts'
import { type CpuOwner, CpuRun, type CpuTimes } from './cpu-times.ts'

export interface RequestDeadlinesOptions {
  readonly deadlines: Deadlines
  readonly seat: number
  /** How long a request may take; 0: for ever. */
  readonly harakiriMs: number
  /** How long what overran may take to end. */
  readonly graceMs: number
  /** Undefined: CPU time is not limited. */
  readonly cpu?: CpuTimes | undefined
}

export class RequestDeadlines {
  readonly #options: RequestDeadlinesOptions
  /** Of running requests, in the order in which they began, which is that of their ends. Empty without `harakiri`. */
  readonly #begun = new Map<WsgiRequest, number>()
  /** Set by code itself; undefined is what runs outside of requests: a signal handler, a mule, a spooler. */
  readonly #own = new Map<WsgiRequest | undefined, number>()
  /** Whose time has come, since when they are to end, and why. */
  readonly #givenUp = new WeakMap<WsgiRequest, { readonly at: number; readonly cause: OverrunCause }>()
  /** The same of code outside of requests. */
  #condemnedAt = Number.NEGATIVE_INFINITY
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
  /** When the handlers that are on the stack, for no request, are to be over: the innermost last. */
  readonly #handlers: number[] = []
  /** Whose CPU time was counted before each of them. */
  readonly #interrupted: (CpuOwner | undefined)[] = []
  /** When the message or the job that this thread is at is to be done. */
  #workEnd = Number.POSITIVE_INFINITY

  constructor(options: RequestDeadlinesOptions) {
    this.#options = options
    if (options.cpu !== undefined) options.cpu.onUsedUp = (request) => void setImmediate(() => this.#usedUp(request))
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

  /** A handler begins that runs for no request, though one may wait below it: of a signal, or of a call from another thread. */
  handlerBegins(): void {
    const { harakiriMs, cpu } = this.#options
    if (cpu !== undefined) this.#interrupted.push(cpu.switchTo(new CpuRun()))
    this.#handlers.push(harakiriMs === 0 ? Number.POSITIVE_INFINITY : sharedNow() + harakiriMs)
    if (harakiriMs === 0) return
    this.beat()
    this.#tell()
  }

  /** It has returned. */
  handlerEnds(): void {
    this.#handlers.pop()
    this.#options.cpu?.switchTo(this.#interrupted.pop())
    if (this.#options.harakiriMs !== 0) this.#tell()
  }

  /** The code that runs is a handler's, whatever waits below it. */
  get isHandling(): boolean {
    return this.#handlers.length > 0
  }

  /** A message of a mule or a job of a spooler is begun. */
  workBegins(): void {
    const { harakiriMs, cpu } = this.#options
    cpu?.workBegins()
    if (harakiriMs === 0) return
    this.#workEnd = sharedNow() + harakiriMs
    this.#tell()
  }

  /** It is done, with what it has set for itself. */
  workEnds(): void {
    this.#options.cpu?.workEnds()
    if (this.#workEnd === Number.POSITIVE_INFINITY && this.#own.size === 0) return
    this.#workEnd = Number.POSITIVE_INFINITY
    this.#own.delete(undefined)
    this.#tell()
  }

  /**
   * Judges the code that runs at this moment: one that overran is to end now, and is left to clean up for half of the grace before
   * it is judged anew.
   * @param request whom it serves
   * @returns why it is to be stopped; undefined: it is not
   */
  condemns(request: WsgiRequest | undefined): OverrunCause | undefined {
    const now = sharedNow()
    const { cpu, graceMs } = this.#options
    const owner = this.isHandling ? undefined : request
    const given = owner === undefined ? undefined : this.#givenUp.get(owner)
    const since = owner === undefined ? this.#condemnedAt : (given?.at ?? Number.NEGATIVE_INFINITY)
    if (now - since < graceMs / 2) return undefined
    const isUsedUp = !this.#isOverdue(request, now)
    if (isUsedUp && cpu?.isUsedUp(owner) !== true) return undefined
    const cause = given?.cause ?? (isUsedUp ? 'CPU-LIMIT' : 'HARAKIRI')
    if (owner === undefined) this.#condemnedAt = now
    else {
      this.#givenUp.set(owner, { at: now, cause })
      if (isUsedUp) this.#condemnForCpu(owner, now)
    }
    return cause
  }

  /** From now on it has the grace to end, whether its code runs or waits. */
  #condemnForCpu(request: WsgiRequest, now: number): void {
    this.#options.cpu?.condemn(request)
    request.noteDeadline(now)
  }

  /** It waits, or is over: no code of it has been asked since it had its share of the CPU. */
  #usedUp(request: WsgiRequest): void {
    if (request.isOver || this.#givenUp.has(request)) return
    const now = sharedNow()
    this.#givenUp.set(request, { at: now, cause: 'CPU-LIMIT' })
    this.#condemnForCpu(request, now)
    this.giveUp(request)
  }

  #isOverdue(request: WsgiRequest | undefined, now: number): boolean {
    const ownEnd = this.#own.get(undefined) ?? Number.POSITIVE_INFINITY
    const handlerEnd = this.#handlers.at(-1)
    if (handlerEnd !== undefined) return Math.min(handlerEnd, ownEnd) <= now
    const end = request === undefined ? 0 : this.#endOf(request)
    if (end !== 0) return end <= now
    return (request === undefined || request.isOver) && Math.min(ownEnd, this.#workEnd, this.#beatEnd) <= now
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

  /** Its time came: while it waited, or while it ran. */
  isGivenUp(request: WsgiRequest): boolean {
    return this.#givenUp.has(request)
  }

  /** Why it was given up. */
  causeOf(request: WsgiRequest): OverrunCause {
    return this.#givenUp.get(request)?.cause ?? 'HARAKIRI'
  }

  /** As in uWSGI, the end of a request also ends what a handler has set outside of requests. */
  requestEnded(request: WsgiRequest): void {
    this.#options.cpu?.requestEnded(request)
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
    const requestEnd = this.#begun.values().next().value ?? Number.POSITIVE_INFINITY
    const begun = Math.min(requestEnd, this.#beatEnd, this.#workEnd, this.#handlers[0] ?? Number.POSITIVE_INFINITY)
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
      this.#givenUp.set(request, { at: now, cause: 'HARAKIRI' })
      this.#begun.delete(request)
      this.#own.set(request, now)
      this.#overdue.push(request)
    }
    this.#giveUpSome()
  }

  /**
   * Some in each turn of the event loop, in which the other requests go on. A handler that does not end within the grace costs the
   * thread. The grace of those whose turn is still to come does not run meanwhile: the master is to see that the thread is at it.
   */
  #giveUpSome(): void {
    const now = sharedNow()
    for (const request of this.#overdue) if (this.#own.has(request)) this.#own.set(request, now)
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
