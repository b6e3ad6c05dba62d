// Calls into Python that can be suspended anywhere below: each runs on a core, with a thread state of CPython and a C stack of its
// own, so that what belongs to a thread (contextvars, threading.local, the exception being handled, frames) is the core's.
// Invariant: the thread state, the stack pointer and everything that `slots` name are those of `current`, or of the thread when
// there is none. A core is suspended only below its entry with no JavaScript frame but the waiting function's own in between:
// that is, when it is the current one and exactly one host function runs.
import type { CpuOwners } from '../../host/api/guest-stops.ts'
import { GuestError, PolywsgiError } from '../../host/errors.ts'
import type { Pointer, PythonApi } from './capi.ts'
import { type CoreEntry, coreEntry, type SuspensionPoints } from './core-glue.ts'
import { CoreStacks } from './core-stacks.ts'
import { raiseHarakiri, raiseHostError } from './raise.ts'

/** Something of the host's that each core has its own of, kept in one place for the one that runs. */
export interface CoreSlot<T = unknown> {
  get(): T
  /** @param isIdle nobody's code waits outside: who comes next says what it needs */
  set(value: T, isIdle: boolean): void
}

export interface CoreCall<T> {
  readonly callable: Pointer
  /** Called on the core, first of all: sets what the slots keep. */
  begin?(): void
  /** Called on the core: new references, which are given away; a 0 among them stands for an exception that is set. At most 8. */
  args(): Pointer[]
  /** Called on the core with the result, a new reference that is the callee's, or 0 with an exception set. */
  finish(result: Pointer): T
  /** Told whenever the core begins to wait, with what ends it there by an exception, and without when it goes on. */
  onWait?(cancel: ((message: string) => void) | undefined): void
  /** True when a `cancel` is for what waits then alone: the call goes on with what others have given it. */
  readonly servesMany?: true
}

/** What a core waits for; the function runs on the core afterwards and makes the result, or raises and returns 0. */
export type Wait = Promise<() => Pointer>

interface Core {
  readonly token: number
  readonly call: CoreCall<unknown>
  readonly stack: Pointer
  threadState: Pointer
  stackPointer: Pointer
  /** What the slots hold while it is suspended, and what they held outside while it runs. */
  own: unknown[]
  /** Whose CPU time it takes, while it is suspended. */
  owner: object | undefined
  outer: Outer | undefined
  args: Pointer[]
  state: 'runs' | 'waits' | 'ended'
  isCancelled: boolean
  /** Why its code was stopped. */
  stopReason?: string
  waiting: PromiseWithResolvers<void> | undefined
  completion: (() => Pointer) | undefined
  outcome: { value: unknown } | { error: unknown } | undefined
  promise: PromiseWithResolvers<unknown> | undefined
}

interface Outer {
  readonly core: Core | undefined
  readonly owner: object | undefined
  readonly threadState: Pointer
  readonly stackPointer: Pointer
  readonly hostDepth: number
  readonly values: unknown[]
}

/** What cores need of the interpreter that they are part of. */
export interface CoreOwner {
  readonly api: PythonApi
  readonly isEntered: boolean
  assertAlive(): void
  died(cause: unknown): GuestError
  /** One entry more, or one less. @throws GuestError when they nest too deep */
  beginStretch(): void
  endStretch(): void
  /** No entry from now on: the reason follows. */
  failing(): void
}

/** Room for arguments at the top of a stack. */
const argumentBytes = 32
const mostTokens = 0x3fffffff

export class Cores implements SuspensionPoints {
  /** Host functions under way, since the current core has begun or gone on. */
  hostDepth = 0
  readonly slots: CoreSlot[] = []
  /** Told whose core goes on. */
  cpu: CpuOwners | undefined
  /** Set by a host function whose wait can be called off, just before it returns that: called when the core is given up instead. */
  callOff: (() => void) | undefined
  readonly #owner: CoreOwner
  readonly #api: PythonApi
  readonly #stacks: CoreStacks
  readonly #enter: CoreEntry
  readonly #suspended = new Map<number, Core>()
  #current: Core | undefined
  #lastToken = 1

  /** @throws PolywsgiError CONFIG_BAD_VALUE when the memory limit does not hold so many */
  constructor(owner: CoreOwner, count: number, memoryLimit: number) {
    this.#owner = owner
    this.#api = owner.api
    this.#stacks = new CoreStacks(owner.api, count, memoryLimit)
    this.#enter = coreEntry(owner.api.c.PyObject_Vectorcall, (token, result) => this.#ended(token, result))
  }

  /** Cores that wait at this moment. */
  get suspendedCount(): number {
    return this.#suspended.size
  }

  /** Bytes of a core's C stack. */
  get stackBytes(): number {
    return this.#stacks.bytes
  }

  /** A number for the core that runs, which no other has at the same time; 0 when none does. */
  get ident(): number {
    return this.#current?.token ?? 0
  }

  /** True when the host function that asks may return a promise. */
  get canWait(): boolean {
    return this.#current !== undefined && this.hostDepth === 1
  }

  /**
   * Calls an object on a core of its own.
   * @returns what `finish` returns: at once when nothing had to be waited for
   * @throws FatalGuestError when the interpreter dies; GuestError when there is no memory for a core, or entries nest too deep; what
   * `finish` throws
   */
  enter<T>(call: CoreCall<T>): T | Promise<T> {
    this.#owner.assertAlive()
    this.#owner.beginStretch()
    const core = this.#make(call)
    this.#switchIn(core)
    this.hostDepth = 1
    let run: Promise<void> | undefined
    try {
      call.begin?.()
      core.args = call.args()
      this.hostDepth = 0
      if (core.args.includes(0)) this.#ended(core.token, 0)
      else {
        const array = this.#api.c.__stack_pointer.value
        this.#api.words.set(core.args, array >> 2)
        run = this.#enter(core.token, call.callable, array, core.args.length)
      }
    } catch (cause) {
      // What `finish` throws is the core's outcome; whatever comes here has come through frames of the interpreter.
      throw this.#owner.died(cause)
    }
    if (run === undefined || core.outcome !== undefined) {
      run?.catch(() => {})
      return outcomeOf<T>(core)
    }
    const promise = Promise.withResolvers<unknown>()
    core.promise = promise
    if (core.state === 'runs') this.#fell(core)
    run.catch((cause) => {
      if (core.state === 'runs') this.#fell(core)
      promise.reject(this.#owner.died(cause))
    })
    return promise.promise as Promise<T>
  }

  /** Suspends the current core. Returns its token: what the wasm function around the caller waits for. */
  suspend(wait: Wait): number {
    const core = this.#current
    // Never by chance: the engine would end the interpreter.
    if (core === undefined || this.hostDepth !== 0) throw new Error('a function waits where nothing can be suspended')
    const { callOff } = this
    this.callOff = undefined
    if (core.isCancelled) {
      wait.catch(() => {})
      callOff?.()
      if (core.stopReason !== undefined) return raiseHarakiri(this.#api, core.stopReason)
      return this.#api.raiseClass(this.#api.harakiri, 'the request is over')
    }
    const waiting = Promise.withResolvers<void>()
    const wake = (completion: () => Pointer): void => {
      if (core.waiting !== waiting) return
      core.completion = completion
      core.waiting = undefined
      waiting.resolve()
    }
    core.waiting = waiting
    core.state = 'waits'
    this.#suspended.set(core.token, core)
    wait.then(wake, (error) => wake(() => raiseHostError(this.#api, error)))
    core.call.onWait?.((message) => {
      core.isCancelled = core.call.servesMany !== true
      wake(() => this.#api.raiseClass(this.#api.harakiri, message))
      callOff?.()
    })
    this.#switchOut(core, true)
    return core.token
  }

  wait(token: number): Promise<void> {
    // `wake` may have come already; the promise is kept for this one moment.
    const core = this.#suspended.get(token)
    return core?.waiting?.promise ?? Promise.resolve()
  }

  resumed(token: number): Pointer {
    this.#owner.assertAlive()
    const core = this.#suspended.get(token)
    if (core?.completion === undefined) throw new Error('a core was resumed that does not wait')
    this.#suspended.delete(token)
    this.#owner.beginStretch()
    core.state = 'runs'
    this.#switchIn(core)
    this.hostDepth = 1
    core.call.onWait?.(undefined)
    const { completion } = core
    core.completion = undefined
    let result: Pointer
    try {
      result = completion()
    } catch (error) {
      this.#owner.assertAlive()
      if (!(error instanceof PolywsgiError)) throw error
      result = raiseHostError(this.#api, error)
    }
    this.#owner.assertAlive()
    this.hostDepth = 0
    return result
  }

  /** The code of the current core was stopped: it does not wait for anything any more. Called by a host function. */
  stopCurrent(reason: string): void {
    const core = this.#current
    if (core === undefined || this.hostDepth !== 1 || core.call.servesMany === true) return
    core.isCancelled = true
    core.stopReason = reason
  }

  /** The interpreter is lost: nobody is resumed any more. */
  abandon(death: GuestError): void {
    const lost = [...this.#suspended.values()]
    this.#suspended.clear()
    for (const core of lost) {
      core.waiting = undefined
      core.call.onWait?.(undefined)
      core.promise?.reject(death)
    }
  }

  #make(call: CoreCall<unknown>): Core {
    const { c } = this.#api
    let stack: Pointer
    try {
      stack = this.#stacks.take()
    } catch (error) {
      this.#owner.endStretch()
      throw error
    }
    const threadState = c.PyThreadState_New(c.PyInterpreterState_Main())
    if (threadState === 0) {
      this.#stacks.giveBack(stack)
      this.#owner.endStretch()
      throw new GuestError('python', 'MemoryError: there is no memory for another core', '')
    }
    if (!this.#stacks.protect(threadState, stack)) {
      throw this.#owner.died(new Error('a core has no room for its stack'))
    }
    do this.#lastToken = (this.#lastToken + 2) & mostTokens
    while (this.#suspended.has(this.#lastToken))
    return {
      ...{ token: this.#lastToken, call: call as CoreCall<unknown>, stack, threadState },
      stackPointer: stack + this.#stacks.bytes - argumentBytes,
      ...{ own: [], owner: this.cpu?.current, outer: undefined, args: [], state: 'runs', isCancelled: false },
      ...{ waiting: undefined, completion: undefined, outcome: undefined, promise: undefined },
    }
  }

  #switchIn(core: Core): void {
    const { c } = this.#api
    const values = this.slots.map((slot) => slot.get())
    // In the thread state outside: the core's own may have no room left for another call. A core outside stands in a host
    // function, so nothing that is called here can be suspended.
    core.own.forEach((value, index) => {
      this.slots[index]!.set(value, false)
    })
    core.outer = {
      core: this.#current,
      owner: this.cpu?.switchTo(core.owner),
      stackPointer: c.__stack_pointer.value,
      threadState: c.PyThreadState_Swap(core.threadState),
      hostDepth: this.hostDepth,
      values,
    }
    c.__stack_pointer.value = core.stackPointer
    this.#current = core
  }

  #switchOut(core: Core, isKept: boolean): void {
    const { c } = this.#api
    const outer = core.outer as Outer
    this.#assertIntact(core)
    if (isKept) core.own = this.slots.map((slot) => slot.get())
    core.owner = this.cpu?.switchTo(outer.owner)
    this.#owner.endStretch()
    core.stackPointer = c.__stack_pointer.value
    core.outer = undefined
    c.PyThreadState_Swap(outer.threadState)
    c.__stack_pointer.value = outer.stackPointer
    this.#current = outer.core
    this.hostDepth = outer.hostDepth
    // In the thread state outside, as above.
    const isIdle = !this.#owner.isEntered
    outer.values.forEach((value, index) => {
      this.slots[index]!.set(value, isIdle)
    })
  }

  #ended(token: number, result: Pointer): void {
    const { c } = this.#api
    const core = this.#current
    if (core?.token !== token) throw new Error('a core has ended that does not run')
    this.hostDepth = 1
    try {
      core.outcome = { value: core.call.finish(result) }
    } catch (error) {
      this.#owner.assertAlive()
      core.outcome = { error }
    }
    for (const argument of core.args) if (argument !== 0) c.Py_DecRef(argument)
    // Frees what the core's code has kept for its thread: contexts, threading.local, the exception that it handled.
    c.PyThreadState_Clear(core.threadState)
    this.#owner.assertAlive()
    core.state = 'ended'
    this.#switchOut(core, false)
    c.PyThreadState_Delete(core.threadState)
    this.#stacks.giveBack(core.stack)
    const { promise, outcome } = core
    if (promise === undefined) return
    if ('error' in outcome) promise.reject(outcome.error)
    else promise.resolve(outcome.value)
  }

  /** An exception has come through the frames of a core: the reason follows, by its promise. */
  #fell(core: Core): void {
    this.#owner.failing()
    const { outer } = core
    core.state = 'ended'
    this.#current = outer?.core
    this.cpu?.switchTo(outer?.owner)
    this.hostDepth = outer?.hostDepth ?? 0
    this.#owner.endStretch()
  }

  #assertIntact({ stack }: Core): void {
    if (!this.#stacks.isIntact(stack)) throw new Error('a core has overrun its stack')
  }
}

const outcomeOf = <T>({ outcome }: Core): T => {
  if (outcome === undefined) throw new Error('the core has not ended')
  if ('error' in outcome) throw outcome.error
  return outcome.value as T
}
