// Functions of the guest that the host holds: handlers of RPC and signals, hooks; and running them. The host knows a
// handler by a number, behind which is a value that keeps the function alive. Invariants: a number is never used for two
// functions; a function that runs stays alive though it be released meanwhile; whatever a call ends with, a value, an error
// or a promise's outcome, is a host's value when it leaves this file.
import type { BytesMap } from '../../host/api/kinds.ts'
import { bytesOf } from './arguments.ts'
import { type Engine, maxArguments, mostNested, type Pointer, type RawFunction } from './engine.ts'
import { GuestThrow, guestErrorOf } from './errors.ts'
import { Tag } from './layout.ts'
import { newDict } from './results.ts'
import type { Runtime } from './runtime.ts'

/** Makes a host's value of what a function answered; must not keep the cell. */
type Read<T> = (cell: Pointer) => T

/** Hands the values of a call over, one by one. */
type PutArguments = (put: (value: Pointer) => void) => void

type Outcome<T> = { readonly value: T } | { readonly error: unknown }

/** A promise of the guest that somebody here waits for. */
interface Waiting<T> {
  readonly read: Read<T>
  outcome: Outcome<T> | undefined
  resolve: ((value: T) => void) | undefined
  reject: ((error: unknown) => void) | undefined
}

const pending = 0
const fulfilled = 1

export class FunctionTable {
  readonly #runtime: Runtime
  readonly #engine: Engine
  readonly #kept = new Map<number, Pointer>()
  readonly #hooks = new Map<string, Pointer>()
  readonly #waiting = new Map<number, Waiting<unknown>>()
  #lastHandle = 0
  #lastToken = 0

  constructor(runtime: Runtime, engine: Engine) {
    this.#runtime = runtime
    this.#engine = engine
    engine.onDeath.add((error) => {
      for (const waiting of this.#waiting.values()) waiting.reject?.(error)
      this.#waiting.clear()
    })
  }

  /** How many functions are kept for handlers. */
  get size(): number {
    return this.#kept.size
  }

  /** How many promises of functions that were called are not settled. */
  get pending(): number {
    return this.#waiting.size
  }

  /** @returns the number by which the function is known from now on */
  keep(cell: Pointer): number {
    const value = this.#engine.duplicate(cell)
    this.#lastHandle += 1
    this.#kept.set(this.#lastHandle, value)
    return this.#lastHandle
  }

  release(handle: number): void {
    const value = this.#kept.get(handle)
    if (value === undefined) return
    this.#kept.delete(handle)
    if (this.#engine.dead === undefined) this.#engine.free(value)
  }

  /** What the guest has set as a hook. The value is the table's own. */
  hook(name: string): Pointer | undefined {
    return this.#hooks.get(name)
  }

  /** @throws Error for a number that was released or never given */
  handler(handle: number): Pointer {
    const value = this.#kept.get(handle)
    if (value === undefined) throw new Error(`the JavaScript function ${handle} is not there any more`)
    return value
  }

  // ---- calling; all throw GuestError, and FatalGuestError when the interpreter is lost

  /** Calls with bytes, which the function gets as UwsgiBytes. */
  callWithBytes<T>(fn: Pointer, args: readonly Uint8Array[], read: Read<T>): T | Promise<T> {
    if (args.length >= maxArguments) throw guestErrorOf(`a function was to be called with ${args.length} arguments`)
    const { converter } = this.#runtime
    const putAll: PutArguments = (put) => {
      for (const bytes of args) put(converter.newBuffer(bytes))
    }
    return this.#call('callWithBytes', fn, putAll, read)
  }

  callWithInteger<T>(fn: Pointer, value: number, read: Read<T>): T | Promise<T> {
    return this.#call('callWithValues', fn, (put) => put(this.#runtime.converter.int32(value)), read)
  }

  /** The hook of a spooler: one argument, an object of the job's variables with its name and body. */
  callSpooler<T>(fn: Pointer, file: string, vars: BytesMap, body: Uint8Array, read: Read<T>): T | Promise<T> {
    const { converter } = this.#runtime
    const putJob: PutArguments = (put) => {
      put(converter.newText(file))
      put(newDict(converter, vars))
      if (body.length > 0) put(converter.newBuffer(body))
    }
    return this.#call('callSpooler', fn, putJob, read)
  }

  // Released while it runs, as by a handler that registers another one in its own place, a function must stay.
  #call<T>(entry: string, fn: Pointer, putArguments: PutArguments, read: Read<T>): T | Promise<T> {
    return this.invoke(
      entry,
      (put) => {
        put(this.#engine.duplicate(fn))
        putArguments(put)
      },
      read,
    )
  }

  /**
   * Calls a function of the glue that runs code of a program, with values that are freed here. When the guest's promise
   * has not settled by the end of the turn the result is a promise too.
   */
  invoke<T>(entry: string, putArguments: PutArguments, read: Read<T>): T | Promise<T> {
    const engine = this.#engine
    if (engine.dead !== undefined) throw engine.dead
    if (engine.depth >= mostNested) {
      throw guestErrorOf(`RangeError: more than ${mostNested} calls into JavaScript, each inside the one before it`)
    }
    const values: Pointer[] = []
    try {
      putArguments((value) => values.push(value))
      const called = this.#runtime.entry(entry)
      for (const [index, value] of values.entries()) engine.setValue(index, value)
      return this.#answer(engine.call(called, values.length), read)
    } catch (error) {
      throw error instanceof GuestThrow ? guestErrorOf(`${error.kind}: ${error.message}`) : error
    } finally {
      if (engine.dead === undefined) for (const value of values) engine.free(value)
    }
  }

  #answer<T>(result: Pointer, read: Read<T>): T | Promise<T> {
    const engine = this.#engine
    if (engine.isException(result)) {
      const error = engine.takeException(result)
      const description = this.#runtime.describe(error)
      engine.free(error)
      const stopped = this.#runtime.interruption.errorOf(description)
      this.#runtime.suspension.endTurn()
      throw stopped ?? guestErrorOf(description)
    }
    let settled = result
    try {
      const isObject = engine.i32[(result >> 2) + 1] === Tag.object
      const state = isObject ? engine.ffi._QTS_PromiseState(engine.context, result) : -1
      if (state === fulfilled) settled = engine.ffi._QTS_PromiseResult(engine.context, result)
      else if (state >= pending) return this.#settle(result, read)
      const value = read(settled)
      this.#runtime.suspension.endTurn()
      return value
    } finally {
      if (engine.dead === undefined) {
        if (settled !== result) engine.free(settled)
        engine.free(result)
      }
    }
  }

  #settle<T>(promise: Pointer, read: Read<T>): T | Promise<T> {
    const engine = this.#engine
    const { suspension } = this.#runtime
    this.#lastToken = this.#lastToken >= 0x3fffffff ? 1 : this.#lastToken + 1
    const token = this.#lastToken
    const waiting: Waiting<T> = { read, outcome: undefined, resolve: undefined, reject: undefined }
    this.#waiting.set(token, waiting as Waiting<unknown>)
    engine.setInt(0, token)
    engine.setValue(1, promise)
    const watched = engine.call(this.#runtime.entry('watchPromise'), 2)
    const isWatched = !engine.isException(watched)
    engine.free(isWatched ? watched : engine.takeException(watched))
    if (!isWatched) {
      this.#waiting.delete(token)
      throw engine.outOfMemory()
    }
    suspension.endTurn()
    // Frames below wait for the outcome: their turn does not end before this call does.
    if (engine.depth > 0) suspension.runJobsUntil(() => waiting.outcome !== undefined)
    const { outcome } = waiting
    if (outcome !== undefined) {
      if ('error' in outcome) throw outcome.error
      return outcome.value
    }
    return new Promise((resolve, reject) => {
      waiting.resolve = resolve
      waiting.reject = reject
    })
  }

  #finish(token: number, getValue: (read: Read<unknown>) => unknown): void {
    const waiting = this.#waiting.get(token)
    if (waiting === undefined) return
    this.#waiting.delete(token)
    try {
      const value = getValue(waiting.read)
      waiting.outcome = { value }
      waiting.resolve?.(value)
    } catch (error) {
      const outcome = error instanceof GuestThrow ? guestErrorOf(`${error.kind}: ${error.message}`) : error
      waiting.outcome = { error: outcome }
      waiting.reject?.(outcome)
    }
  }

  /** What an RPC function answered. */
  readonly readBytes: Read<Uint8Array | undefined> = (cell) => {
    const tag = this.#engine.i32[(cell >> 2) + 1]
    if (tag === Tag.undefined || tag === Tag.null) return undefined
    const bytes = bytesOf(this.#runtime.converter, cell)
    if (bytes !== undefined) return bytes
    throw guestErrorOf(`TypeError: an RPC function returns text, bytes, a number or nothing, not ${this.#runtime.inspect(cell)}`)
  }

  functions(): Record<string, RawFunction> {
    const { converter } = this.#runtime
    return {
      /** token, value. */
      promiseFulfilled: (_argc, argv) => {
        this.#finish(converter.int(argv)!, (read) => read(argv + 8))
        return 0
      },
      /** token, reason. */
      promiseRejected: (_argc, argv) => {
        this.#finish(converter.int(argv)!, () => {
          const description = this.#runtime.describe(argv + 8)
          throw this.#runtime.interruption.errorOf(description) ?? guestErrorOf(description)
        })
        return 0
      },
      /** name, function or undefined. */
      setHook: (_argc, argv) => {
        const name = converter.text(argv)!
        const value = this.#engine.isFunction(argv + 8) ? this.#engine.duplicate(argv + 8) : undefined
        const before = this.#hooks.get(name)
        if (value === undefined) this.#hooks.delete(name)
        else this.#hooks.set(name, value)
        if (before !== undefined) this.#engine.free(before)
        return 0
      },
    }
  }
}
