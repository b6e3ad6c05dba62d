// Signals as one thread sees them: it raises them towards the master, registers handlers, and runs the handlers of what
// arrives, between requests or while it waits for a signal.
// Invariant: a handler that fails is logged and nothing more; the thread lives on.
import type { Signals } from '../api/context.ts'
import type { GuestFunction } from '../api/guest-function.ts'
import { ApiError, GuestError } from '../errors.ts'
import { Seldom } from '../log/seldom.ts'
import { isFatal, isThrown, thrownMessage, thrownText } from '../plugin/thrown.ts'
import type { SignalRing } from '../state/signal-ring.ts'
import type { SignalState } from '../state/signal-state.ts'
import { parseReceiver, threadName } from '../state/signal-target.ts'
import { isOverrun } from './overruns.ts'
import type { ServiceParts } from './service-parts.ts'

/** After this many in a row the thread looks for requests, and its event loop gets its turn. */
const burst = 64
/** A wait looks again after this long without a ring, should one be lost. */
const watchMs = 500

export interface ThreadSignalsOptions {
  readonly signals: SignalState
  /** A handler cost the thread its interpreter: the thread must end. */
  readonly onFatal?: (error: Error) => void
  /** Around each handler: the time of what runs below it is not its. */
  readonly handlerBegins?: () => void
  readonly handlerEnds?: () => void
  /** Milliseconds on a clock that never goes back. */
  readonly now?: () => number
}

interface SignalWaiter {
  /** Undefined: any. */
  readonly signum: number | undefined
  /** Whose wait it is; undefined outside of requests. */
  readonly request: object | undefined
  readonly resolve: () => void
}

export class ThreadSignals implements Signals {
  readonly #parts: ServiceParts
  readonly #options: ThreadSignalsOptions
  readonly #signals: SignalState
  readonly #outgoing: SignalRing
  #sources: readonly SignalRing[] = []
  readonly #handlers = new Map<number, GuestFunction>()
  readonly #overflows: Seldom
  /** Cores that wait for a signal. */
  readonly #waiters = new Set<SignalWaiter>()
  #last = 0
  #handling: number | undefined

  constructor(parts: ServiceParts, options: ThreadSignalsOptions) {
    this.#parts = parts
    this.#options = options
    this.#signals = options.signals
    this.#overflows = new Seldom(options.now)
    this.#outgoing = options.signals.outgoing(parts.thread.seat)
    this.named()
  }

  /** The thread has its number: it takes what is meant for that. */
  named(): void {
    const { number } = this.#parts.thread
    // What is meant for this thread alone comes before what any of its pool may do. A spare is meant by nothing.
    this.#sources = number === 0 ? [] : [this.#signals.incoming(number), ...this.#signals.poolsOf(number)]
  }

  handling(thread: number): number | undefined {
    return this.#signals.handling(this.#parts.state.seats.current(thread))
  }

  handled(thread: number): number {
    return this.#signals.handled(thread)
  }

  get lastReceived(): number {
    return this.#last
  }

  raise(signum: number): boolean {
    const isRaised = this.#outgoing.push(signum)
    if (!isRaised) {
      this.#signals.countUnrouted()
      // Who floods the queue must not flood the log: the master empties it again and again meanwhile.
      if (this.#overflows.isDue('')) {
        this.#parts.log.text(
          `*** SIGNAL QUEUE IS FULL: ${this.#outgoing.capacity} signals wait (you can tune it with --signal-bufsize) ***`,
        )
        this.#parts.log.text(`could not deliver signal ${signum} from ${this.#name} to the master`)
      }
    }
    this.#parts.masterDoorbell.ring()
    return isRaised
  }

  /**
   * The handler is this object's from here on: one that is refused, or replaced later, is released. While apps load a number
   * is registered once, as by uWSGI's master; later registrations replace. Differs from uWSGI: a registration made after the
   * load tells the master its receiver too, mules and spoolers register as workers do, and what is no receiver
   * is refused here.
   */
  register(signum: number, receiver: string, handler: GuestFunction): void {
    const refusal = this.#refusal(signum, receiver)
    if (refusal !== undefined) {
      handler.release()
      throw new ApiError('register_signal', 'API_REFUSED', `unable to register signal ${signum}: ${refusal}`)
    }
    const { thread, log } = this.#parts
    const { modifier1 } = handler.owner
    const replaced = this.#handlers.get(signum)
    this.#handlers.set(signum, handler)
    // Every thread loads the same apps: the line is written by the one that changes the table.
    if (this.#signals.table.register(thread.seat, signum, receiver, modifier1)) {
      const target = receiver === '' ? 'default, any worker' : receiver
      log.text(
        `[uwsgi-signal] signum ${signum} registered (wid: ${thread.workerId} modifier1: ${modifier1 ?? 0} target: ${target})`,
      )
      const found = parseReceiver(receiver, this.#signals.shape)
      if (found.kind === 'absent') log.text(`[uwsgi-signal] signum ${signum} will reach nobody: ${found.reason}`)
    }
    replaced?.release()
  }

  isRegistered(signum: number): boolean {
    return this.#handlers.has(signum)
  }

  wait(signum: number | undefined): void {
    for (;;) {
      // Read before looking: a ring between the look and the park ends the park at once.
      const { sequence } = this.#parts.doorbell
      this.#parts.serveInbox()
      for (;;) {
        const arrived = this.#take()
        if (arrived === undefined) break
        this.#handle(arrived)
        if (signum === undefined || arrived === signum) return
      }
      this.#parts.doorbell.park(sequence, watchMs)
    }
  }

  waitAsync(signum: number | undefined, request?: object): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiters.add({ signum, request, resolve })
    return promise
  }

  /** How many wait without being parked. */
  get waiting(): number {
    return this.#waiters.size
  }

  /** Nobody waits for it any more: what still does goes on without a signal. */
  requestEnded(request: object): void {
    for (const waiter of this.#waiters) {
      if (waiter.request !== request) continue
      this.#waiters.delete(waiter)
      waiter.resolve()
    }
  }

  /**
   * Runs the handlers of what has arrived. For the thread's loop, between requests.
   * @returns true when it stopped early although more may wait: call again after the event loop has turned
   */
  handlePending(): boolean {
    for (let count = 0; count < burst; count += 1) {
      const signum = this.#take()
      if (signum === undefined) return false
      this.#handle(signum)
    }
    return true
  }

  get #name(): string {
    return threadName(this.#signals.shape, this.#parts.thread.number)
  }

  #refusal(signum: number, receiver: string): string | undefined {
    const target = parseReceiver(receiver, this.#signals.shape)
    if (target.kind === 'invalid') return target.reason
    return this.#parts.thread.isLoading && this.#handlers.has(signum) ? 'it is registered already' : undefined
  }

  #take(): number | undefined {
    for (const source of this.#sources) {
      const signum = source.take()
      if (signum >= 0) return signum
    }
    return undefined
  }

  #handle(signum: number): void {
    const { number } = this.#parts.thread
    // A handler that waits for another signal handles that one within itself.
    const outer = this.#handling
    this.#last = signum
    this.#setHandling(signum)
    this.#signals.countHandled(number)
    this.#options.handlerBegins?.()
    try {
      const handler = this.#handlers.get(signum)
      const outcome = handler?.owner.signalHandler?.(signum, handler.handler) ?? false
      if (outcome instanceof Promise) {
        outcome.then(
          (isHandled) => {
            if (!isHandled) this.#complain(signum)
          },
          (error: unknown) => this.#failed(signum, error),
        )
      } else if (!outcome) this.#complain(signum)
    } catch (error) {
      this.#failed(signum, error)
    } finally {
      this.#options.handlerEnds?.()
      this.#setHandling(outer)
    }
    // Also of a handler that goes on: what came is what is waited for.
    for (const waiter of this.#waiters) {
      if (waiter.signum !== undefined && waiter.signum !== signum) continue
      this.#waiters.delete(waiter)
      waiter.resolve()
    }
  }

  #setHandling(signum: number | undefined): void {
    this.#handling = signum
    this.#signals.setHandling(this.#parts.thread.seat, signum)
  }

  #failed(signum: number, error: unknown): void {
    // Where it was stopped is told already.
    const text = isOverrun(error) ? thrownMessage(error) : isThrown(error, GuestError) ? error.report : thrownText(error)
    this.#parts.log.text(text)
    this.#complain(signum)
    if (isFatal(error)) this.#options.onFatal?.(error as Error)
  }

  #complain(signum: number): void {
    this.#parts.log.text(`error managing signal ${signum} on ${this.#name}`)
  }
}
