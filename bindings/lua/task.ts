// A task is a Lua thread that the host runs and that may wait: a core's, or that of a function called beside requests. A host
// function that has to wait leaves a promise here and yields; when that settles, whoever runs the task resumes the thread, and
// the function's other half pushes the results or raises the error at the place of the call.
// Invariant: a task waits for one thing at a time, and once it was given up it waits for nothing more; what it had waited for
// may still settle and finds nobody.
import type { Pointer } from './glue.ts'
import type { LuaRuntime } from './runtime.ts'
import { threadMark } from './suspension-code.ts'

/** Pushes what a wait has come to, inside a protected call; answers as a HostFunction does, and may wait again. */
export type Finish<T> = (L: Pointer, value: T) => number

type Outcome = { readonly value: unknown } | { readonly error: unknown }

export class Task {
  readonly #runtime: LuaRuntime
  readonly thread: Pointer
  /** Runs the task on. Never within what made it wait. */
  readonly #wake: () => void
  #finish: Finish<never> | undefined
  #outcome: Outcome | undefined
  #waits = false
  /** Whose CPU time its code takes. */
  readonly #owner: object | undefined
  #isGivenUp = false
  /** Where a luaL_Buffer of its own is, which it needs to build a string across waits. */
  buffer: Pointer = 0

  constructor(runtime: LuaRuntime, thread: Pointer, wake: () => void) {
    this.#runtime = runtime
    this.thread = thread
    this.#wake = wake
    this.#owner = runtime.cpu?.current
    this.#mark(threadMark.isHosts)
  }

  /** Given up: an error was raised where it waited, and it cannot wait again. */
  get isGivenUp(): boolean {
    return this.#isGivenUp
  }

  /** For the suspended function of its thread, when `finish` is given; else for the host itself, which calls `takeOutcome`. */
  wait<T>(promise: Promise<T>, finish?: Finish<T>): void {
    this.#finish = finish as Finish<never> | undefined
    this.#waits = true
    this.#runtime.waiting.add(this)
    promise.then(this.#resolved, this.#rejected)
  }

  readonly #resolved = (value: unknown): void => this.#settle({ value })
  readonly #rejected = (error: unknown): void => this.#settle({ error })

  #settle(outcome: Outcome): void {
    if (!this.#waits) return
    this.#waits = false
    this.#runtime.waiting.delete(this)
    this.#outcome = outcome
    const { cpu } = this.#runtime
    const outer = cpu?.switchTo(this.#owner)
    try {
      this.#wake()
    } finally {
      cpu?.switchTo(outer)
    }
  }

  /** Ends the wait with an error. */
  readonly giveUp = (error: unknown): void => {
    if (!this.#waits) return
    this.#isGivenUp = true
    this.#settle({ error })
  }

  /** The interpreter is lost: whoever runs the task is to learn of it. */
  lose(error: Error): void {
    this.#settle({ error })
  }

  /** @throws what the promise was rejected with */
  takeOutcome(): unknown {
    const outcome = this.#outcome
    this.#outcome = undefined
    if (outcome === undefined) throw new Error('a Lua thread was resumed that waits for nothing')
    if ('error' in outcome) throw outcome.error
    return outcome.value
  }

  /** The other half of the function that waited. @throws what the promise was rejected with */
  readonly resumed = (L: Pointer): number => {
    const finish = this.#finish as Finish<unknown>
    this.#finish = undefined
    return finish(L, this.takeOutcome())
  }

  /** Its thread is idle, and to guests like any that is dead. */
  end(): void {
    this.#mark(0)
    if (this.buffer === 0 || this.#runtime.isDead) return
    this.#runtime.lua.free(this.buffer)
    this.buffer = 0
  }

  #mark(mark: number): void {
    this.#runtime.bytes[this.thread - threadMark.distance] = mark
  }
}
