// Promises of the guest that the host settles. Each is a native one, with the two functions that settle it in the host's hands.
// Invariants: a promise is settled once, or dropped with its request, and its functions are freed then; what settles while the event
// loop takes one turn is given to the guest in one turn, in the order in which it settled.
import type { Engine, Pointer } from './engine.ts'
import { FatalGuestError, GuestThrow } from './errors.ts'
import type { Suspension } from './suspend.ts'

/** How the outcomes of one kind of work look to the guest. */
export interface Outcome<T> {
  /** The guest's value of the result; 0 for undefined. Must not keep the result. */
  toValue(result: T): Pointer
  /** A shape by which the glue gives the value its form; absent: the value is what the guest gets. */
  readonly shape?: Pointer | undefined
  /** What the guest is told of a failure; absent: its message and code. */
  toError?(error: unknown): GuestThrow
}

/** After so many rounds of outcomes the event loop gets its turn. */
const flushesInARow = 64

type Settled = 'pending' | 'fulfilled' | 'rejected'

/** One promise under way. */
export class HostPromise {
  readonly outcome: Outcome<unknown>
  /** The request that it was begun for. */
  readonly request: number
  readonly resolve: Pointer
  readonly reject: Pointer
  readonly #onSettled: (promise: HostPromise) => void
  state: Settled = 'pending'
  result: unknown

  constructor(
    outcome: Outcome<unknown>,
    request: number,
    resolve: Pointer,
    reject: Pointer,
    onSettled: (promise: HostPromise) => void,
  ) {
    this.outcome = outcome
    this.request = request
    this.resolve = resolve
    this.reject = reject
    this.#onSettled = onSettled
  }

  follow(work: Promise<unknown>): void {
    work.then(
      (result) => this.settle('fulfilled', result),
      (error: unknown) => this.settle('rejected', error),
    )
  }

  settle(state: Settled, result: unknown): void {
    if (this.state !== 'pending') return
    this.state = state
    this.result = result
    this.#onSettled(this)
  }
}

export class HostPromises {
  readonly #engine: Engine
  readonly #suspension: Suspension
  readonly #entry: (name: string) => Pointer
  /** Where the interpreter puts the two functions. */
  readonly #functions: Pointer
  readonly #pending = new Set<HostPromise>()
  #settled: HostPromise[] = []
  /** Requests that were given up, and why: what they wait for is rejected. */
  readonly #cancelled = new Map<number, unknown>()
  #isFlushScheduled = false
  #flushes = 0

  /** @param entry finds a function of the glue by name */
  constructor(engine: Engine, suspension: Suspension, entry: (name: string) => Pointer) {
    this.#engine = engine
    this.#suspension = suspension
    this.#entry = entry
    this.#functions = engine.allocate(8)
  }

  /** How many are not settled. */
  get size(): number {
    return this.#pending.size
  }

  /**
   * A promise for work under way.
   * @throws GuestThrow when there is no memory for it
   */
  of<T>(work: Promise<T>, outcome: Outcome<T>): Pointer {
    const { value, promise } = this.begin(outcome)
    promise.follow(work)
    return value
  }

  /** A promise that is settled by its `settle`, or never. The value is the caller's. */
  begin<T>(outcome: Outcome<T>): { value: Pointer; promise: HostPromise } {
    const engine = this.#engine
    const value = engine.ffi._QTS_NewPromiseCapability(engine.context, this.#functions)
    const resolve = engine.u32[this.#functions >> 2]!
    const reject = engine.u32[(this.#functions >> 2) + 1]!
    if (value === 0 || engine.isException(value)) {
      // What lies in the places of the functions was never made.
      engine.ffi._free(resolve)
      engine.ffi._free(reject)
      if (value !== 0) engine.free(engine.takeException(value))
      throw engine.outOfMemory()
    }
    const promise = new HostPromise(outcome as Outcome<unknown>, this.#suspension.current, resolve, reject, this.#take)
    this.#pending.add(promise)
    return { value, promise }
  }

  /** A promise of what is there already. */
  resolved<T>(result: T, outcome: Outcome<T>): Pointer {
    return this.#ended('fulfilled', result, outcome as Outcome<unknown>)
  }

  /** A promise of a failure. */
  rejected<T>(error: unknown, outcome: Outcome<T>): Pointer {
    return this.#ended('rejected', error, outcome as Outcome<unknown>)
  }

  #ended(state: Settled, result: unknown, outcome: Outcome<unknown>): Pointer {
    const { value, promise } = this.begin(outcome)
    promise.state = state
    promise.result = result
    this.#give(promise)
    return value
  }

  /** Forgets a promise: whoever waits for it waits for ever. */
  drop(promise: HostPromise): void {
    promise.state = 'rejected'
    if (this.#pending.delete(promise)) this.#freeFunctions(promise)
  }

  /** Rejects what a request waits for with an error, after the event loop's present turn. */
  cancel(request: number, error: unknown): void {
    this.#cancelled.set(request, error)
    this.#scheduleFlush()
  }

  readonly #take = (promise: HostPromise): void => {
    this.#settled.push(promise)
    this.#scheduleFlush()
  }

  #scheduleFlush(): void {
    if (this.#isFlushScheduled) return
    this.#isFlushScheduled = true
    this.#flushes = (this.#flushes + 1) % flushesInARow
    // What the host has at once settles in the same turn of the event loop: a guest that goes on waiting for such would let
    // nobody else have one.
    if (this.#flushes === 0) setImmediate(this.#flush)
    else queueMicrotask(this.#flush)
  }

  readonly #flush = (): void => {
    this.#isFlushScheduled = false
    this.#suspension.enterFromEventLoop(0, this.#giveAll)
  }

  readonly #giveAll = (): void => {
    const settled = this.#settled
    this.#settled = []
    for (const promise of settled) this.#give(promise)
    if (this.#cancelled.size === 0) return
    for (const promise of this.#pending) {
      if (!this.#cancelled.has(promise.request) || promise.state !== 'pending') continue
      promise.state = 'rejected'
      promise.result = this.#cancelled.get(promise.request)
      this.#give(promise)
    }
    this.#cancelled.clear()
  }

  // Without memory even for the call the promise stays unsettled, which holds its core as a handler that hangs does.
  #give(promise: HostPromise): void {
    if (!this.#pending.delete(promise)) return
    try {
      if (promise.state === 'fulfilled') this.#fulfil(promise)
      else this.#refuse(promise, promise.result)
    } catch (error) {
      if (error instanceof FatalGuestError) throw error
      if (!(error instanceof GuestThrow)) throw error
    } finally {
      if (this.#engine.dead === undefined) this.#freeFunctions(promise)
    }
  }

  #fulfil(promise: HostPromise): void {
    const { outcome, resolve, result } = promise
    let value: Pointer
    try {
      value = this.#suspension.withRelief(() => outcome.toValue(result))
    } catch (error) {
      this.#refuse(promise, error)
      return
    }
    const engine = this.#engine
    const given = value === 0 ? engine.undefinedValue : value
    let called: Pointer
    if (outcome.shape === undefined) {
      engine.setValue(0, given)
      called = engine.call(resolve, 1)
    } else {
      engine.setValue(0, resolve)
      engine.setValue(1, outcome.shape)
      engine.setValue(2, given)
      called = engine.call(this.#entry('settleFormed'), 3)
    }
    engine.free(value)
    this.#suspension.discard(called)
  }

  #refuse(promise: HostPromise, error: unknown): void {
    const engine = this.#engine
    const refusal = error instanceof GuestThrow ? error : (promise.outcome.toError ?? hostErrorAsRefusal)(error)
    const made = this.#suspension.withRelief(() => engine.makeGuestError(refusal))
    engine.setValue(0, made)
    const called = engine.call(promise.reject, 1)
    engine.free(made)
    this.#suspension.discard(called)
  }

  #freeFunctions({ resolve, reject }: HostPromise): void {
    this.#engine.free(resolve)
    this.#engine.free(reject)
  }
}

const hostErrorAsRefusal = (error: unknown): GuestThrow => {
  const code = (error as { code?: unknown } | undefined)?.code
  const message = error instanceof Error ? error.message : String(error)
  return new GuestThrow('UwsgiError', message, typeof code === 'string' ? code : 'GUEST_EXCEPTION')
}
