// One Lua state in one instance of the interpreter: memory and its limit, host functions, protected entries from outside.
// Invariants: every entry into guest code goes through `resume`; nothing that allocates is done outside of a protected call
// once the state is booted, because an allocation that fails there ends the interpreter; after a trap nothing enters again.
import { randomInt } from 'node:crypto'
import type { Log } from '../../host/api/context.ts'
import type { GuestStops } from '../../host/api/guest-stops.ts'
import { GuestError } from '../../host/errors.ts'
import { LineJoiner } from '../../host/plugin/line-joiner.ts'
import { instantiateWasm, wasm } from '../../host/plugin/web-assembly.ts'
import type { Companion, Unwinding } from './companion.ts'
import { FatalGuestError, type LuaFailure, StoppedError, withoutOwnFrames } from './errors.ts'
import {
  firstUpvalue,
  type LuaExports,
  type LuaModules,
  luaBuffer,
  luaStatus,
  luaType,
  type Pointer,
  registryIndex,
} from './glue.ts'
import { InterpreterMemory } from './memory.ts'
import { noOwnFunctions, type OwnFunctions } from './own-functions.ts'
import { Serving } from './serving.ts'
import { Stopping } from './stopping.ts'
import { suspend, threadMark } from './suspension-code.ts'
import { type CallingInterpreter, systemCalls } from './system-calls.ts'
import type { Finish, Task } from './task.ts'

/** Serves a call from Lua: reads arguments from `L`'s stack (from 1), pushes results, returns how many. Throwing is fine. */
export type HostFunction = (L: Pointer) => number

/** A value anchored in the registry. */
export type Reference = bigint

export interface LuaThread {
  readonly thread: Pointer
  readonly reference: Reference
}

export interface RuntimeOptions {
  /** Bytes. Rounded down to pages; below what the interpreter needs for itself booting fails. */
  readonly memoryLimit: number
  readonly log: Log
  readonly stops: GuestStops
}

const scratchSize = 64 * 1024
/** What describing an error needs of the stack: a function, two arguments, two results. */
const describeSlots = 5

export class LuaRuntime extends InterpreterMemory implements CallingInterpreter {
  override readonly lua: LuaExports
  readonly companion: Companion
  readonly main: Pointer
  /** The Lua thread in which the innermost host function was called; `main` while no guest code is on the stack. */
  running: Pointer
  readonly log: Log
  /** The Lua thread of the innermost entry of the host; `main` while there is none. */
  entered: Pointer
  readonly #stopping: Stopping
  readonly cpu: GuestStops['cpu']
  /** Told of each thread whose code will never go on. */
  onAbandoned: (thread: Pointer) => void = () => {}
  /** What the guest code that runs is running for. */
  serving: Serving
  /** The task that runs; undefined where nothing can be suspended. */
  task: Task | undefined
  /** Tasks that are suspended. */
  readonly waiting = new Set<Task>()
  /** Where lua_resume leaves its number of results. */
  readonly resultCount: Pointer
  /** Room for short strings on their way in; a C function call between filling and reading it is not possible. */
  readonly scratch: Pointer
  readonly scratchSize = scratchSize
  /** The luaL_Buffer that host functions build long strings in. Each of several entries inside each other has another. */
  buffer: Pointer

  readonly #functions: HostFunction[] = []
  readonly #hostCallIndex: number
  readonly #threadMaker: Reference
  #made: LuaThread = { thread: 0, reference: 0n }
  #own = noOwnFunctions
  #booting = true
  #dead: FatalGuestError | undefined

  /** @throws Error when the interpreter does not start within the memory limit */
  constructor(modules: LuaModules, options: RuntimeOptions) {
    super(options.memoryLimit)
    this.log = options.log
    this.serving = new Serving(options.log, undefined)
    this.#stopping = new Stopping(this, options.stops)
    this.cpu = options.stops.cpu
    const unwinding = instantiateWasm<Unwinding>(modules.unwinding, {})
    this.lua = instantiateWasm<LuaExports>(modules.glue, systemCalls(this, unwinding, new LineJoiner(options.log)))
    this.renewViews()
    this.companion = instantiateWasm<Companion>(modules.companion, {
      lua: this.lua as unknown as Record<string, unknown>,
      unwinding: { longjmp: unwinding.longjmp },
      host: { dispatch: this.#dispatch, resumed: this.#resumed, ...this.#stopping.imports },
    })
    unwinding.slot.set(0, this.companion.invoke)
    this.lua.__wasm_call_ctors()
    this.#stopping.install()
    this.main = this.lua.luaL_newstate()
    if (this.main === 0) throw new Error('no memory for a Lua state')
    this.running = this.main
    this.entered = this.main
    this.#booting = false
    this.resultCount = this.allocate(8)
    this.lengthOut = this.resultCount + 4
    this.scratch = this.allocate(scratchSize)
    this.buffer = this.allocate(luaBuffer.size)
    this.#hostCallIndex = this.addCFunction(this.companion.hostCall)
    this.companion.hostResumedAt.value = this.addCFunction(this.companion.hostResumed)
    this.pushFunction(this.main, this.#serveThread)
    this.#threadMaker = this.anchor(this.main)
  }

  /**
   * Lua takes the seed of its string hashes from the clock: while the state is made, the clock is a random number, so that
   * nobody who sends request variables can choose them to collide.
   */
  now(): number {
    return this.#booting ? randomInt(2 ** 32) * 1000 : Date.now()
  }

  /** The place in the interpreter's function table, which is what C calls a function pointer. */
  addCFunction(wasmFunction: unknown): number {
    const table = this.lua.__indirect_function_table
    const index = table.grow(1)
    table.set(index, wasmFunction)
    return index
  }

  /** Pushes a Lua function that calls `serve`. */
  pushFunction(L: Pointer, serve: HostFunction): void {
    this.lua.lua_pushnumber(L, this.#functions.push(serve) - 1)
    this.lua.lua_pushcclosure(L, this.#hostCallIndex, 1)
  }

  readonly #dispatch = (L: Pointer): number => {
    this.running = L
    try {
      const serve = this.#functions[this.lua.lua_tonumberx(L, firstUpvalue, 0)] as HostFunction
      const resultCount = serve(L)
      if (this.#dead === undefined) return resultCount
    } catch (error) {
      return this.#raise(L, error)
    }
    throw this.#dead
  }

  /** Asked by the companion when a thread goes on in a host function that waited. */
  readonly #resumed = (L: Pointer): number => {
    this.running = L
    try {
      const resultCount = (this.task as Task).resumed(L)
      if (this.#dead === undefined) return resultCount
    } catch (error) {
      return this.#raise(L, error)
    }
    throw this.#dead
  }

  // A JavaScript exception that left through C frames would skip every pcall and leave the C stack where it was. So all end
  // here, except Lua's own unwinding and traps. A host function may have led back into guest code that trapped, and whoever
  // was between may have swallowed that: the frames below are not to go on.
  #raise(L: Pointer, error: unknown): number {
    if (error instanceof wasm.Exception || error instanceof wasm.RuntimeError) throw error
    // V8's stack ran out, perhaps inside the interpreter: what it was doing is not done.
    if (error instanceof RangeError && error.message.includes('call stack')) throw error
    if (this.#dead !== undefined) throw this.#dead
    if (error instanceof StoppedError) this.#stopping.begin(L, error)
    const message = Buffer.from(error instanceof Error ? error.message : String(error)).subarray(0, scratchSize)
    this.lua.luaL_where(L, 1)
    this.bytes.set(message, this.scratch)
    this.lua.lua_pushlstring(L, this.scratch, message.length)
    this.lua.lua_concat(L, 2)
    return -1
  }

  /**
   * Whether the host function that runs in `L` may be suspended: not across a C-call boundary (a comparator of `table.sort`, a
   * callback of `gsub`...), neither in its own coroutine nor in one that has resumed it, and not in an entry that somebody
   * waits for on the stack. There it has to park the thread.
   * @throws Error where it would have to, for a request that was given up
   */
  canWait(L: Pointer): boolean {
    const { task } = this
    if (task === undefined) return false
    const mark = this.bytes[L - threadMark.distance] as number
    if ((mark & threadMark.cannotWait) === 0 && this.lua.lua_isyieldable(L) !== 0) return true
    if (task.isGivenUp) throw new Error('the request is over')
    return false
  }

  /**
   * Suspends the host function that runs, which `canWait`: to be returned by it. `finish` answers in its place. One that was
   * given up is suspended for ever.
   */
  wait<T>(promise: Promise<T>, finish: Finish<T>): number {
    const task = this.task as Task
    if (task.isGivenUp) promise.catch(() => {})
    else task.wait(promise, finish)
    return suspend
  }

  /**
   * Starts a luaL_Buffer with room for `size` bytes, answers where they go. Lua's buffers ask for memory without collecting
   * garbage first when there is none: for a large one that is done here. Only inside a host function.
   */
  startBuffer(L: Pointer, size: number): Pointer {
    if (size > scratchSize) {
      const probe = this.lua.malloc(size)
      if (probe !== 0) this.lua.free(probe)
      else {
        this.push(L, this.#own.collect)
        this.lua.lua_callk(L, 0, 0, 0, 0)
      }
    }
    return this.lua.luaL_buffinitsize(L, this.buffer, size)
  }

  /** Takes the value on top of the stack and anchors it. */
  anchor(L: Pointer): Reference {
    return BigInt(this.lua.luaL_ref(L, registryIndex))
  }

  push(L: Pointer, reference: Reference): void {
    this.lua.lua_rawgeti(L, registryIndex, reference)
  }

  readonly #serveThread: HostFunction = (L) => {
    const thread = this.lua.lua_newthread(L)
    this.#made = { thread, reference: this.anchor(L) }
    return 0
  }

  /**
   * A thread that is made in a protected call, at any time.
   * @throws GuestError when there is no memory for one
   */
  makeThread(): LuaThread {
    const { lua, running } = this
    try {
      if (lua.lua_checkstack(running, 1) === 0) throw new GuestError('lua', 'stack overflow', '')
      this.push(running, this.#threadMaker)
      if (lua.lua_pcallk(running, 0, 0, 0, 0, 0) === luaStatus.ok) return this.#made
      const message = this.#plainMessage(running)
      lua.lua_settop(running, -2)
      throw new GuestError('lua', message, '')
    } catch (error) {
      throw error instanceof GuestError ? error : this.#died(error)
    } finally {
      this.running = running
    }
  }

  dropThread({ reference }: LuaThread): void {
    if (!this.isDead) this.lua.luaL_unref(this.main, registryIndex, Number(reference))
  }

  /** What lies on the thread's stack is garbage from here on; none of it is run to its end. */
  abandonThread(abandoned: LuaThread): void {
    this.dropThread(abandoned)
    this.onAbandoned(abandoned.thread)
  }

  /** A thread that lives as long as the state. Only while booting. */
  newThread(): LuaThread {
    const thread = this.lua.lua_newthread(this.main)
    return { thread, reference: this.anchor(this.main) }
  }

  /**
   * Runs what lies on the thread's stack: a function and its arguments; or goes on in the host function in which it was
   * suspended, when `task` is that of the thread. Answers a luaStatus; results or the error are then on top of the stack,
   * unless it is `suspended`: then the stack is that of the function, and not to be touched. Counted as called from the thread that is
   * running, so that Lua's limit on C calls, which is what keeps V8's stack from running out, holds for nested entries too.
   * @throws StoppedError when it overran: its thread is to be abandoned; FatalGuestError when the interpreter traps, or did so before
   */
  resume(thread: Pointer, argumentCount: number): number {
    if (this.#dead !== undefined) throw this.#dead
    const { running: outer, entered } = this
    this.entered = thread
    try {
      const status = this.lua.lua_resume(thread, outer, argumentCount, this.resultCount)
      const isSuspended = status === luaStatus.yield && this.companion.suspending.value !== 0
      if (isSuspended) this.companion.suspending.value = 0
      if (this.#stopping.isStopping) throw this.#stopping.end()
      return isSuspended ? luaStatus.suspended : status
    } catch (error) {
      throw error instanceof StoppedError ? error : this.#died(error)
    } finally {
      this.running = outer
      this.entered = entered
    }
  }

  /** Number of values on the thread's stack after `resume` answered `ok`. */
  get stackHeight(): number {
    return this.view.getInt32(this.resultCount, true)
  }

  #died(error: unknown): FatalGuestError {
    if (this.#dead !== undefined) return this.#dead
    this.#dead = new FatalGuestError(error)
    for (const task of this.waiting) task.lose(this.#dead)
    return this.#dead
  }

  /** True after a trap: nothing may enter any more. */
  get isDead(): boolean {
    return this.#dead !== undefined
  }

  /** No guest code is on the stack. */
  get isIdle(): boolean {
    return this.running === this.main
  }

  setOwnFunctions(functions: OwnFunctions): void {
    this.#own = functions
    this.#stopping.setTraceback(functions.traceback)
  }

  /**
   * Describes why a thread did not end well (`status` is what `resume` answered), unwinds it and makes it usable again.
   * A host function that runs meanwhile (the guest's `__tostring`, `__close`) may come back here.
   * @throws what `resume` does: unwinding runs the guest's `__close`
   */
  fail(thread: Pointer, status: number): LuaFailure {
    const failure = status === luaStatus.yield ? this.#describeYield(thread) : this.#describeError(thread)
    const { running } = this
    try {
      this.lua.lua_resetthread(thread)
    } catch (error) {
      throw this.#died(error)
    } finally {
      this.running = running
    }
    if (this.#stopping.isStopping) throw this.#stopping.end()
    this.lua.lua_settop(thread, 0)
    return failure
  }

  #describeYield(thread: Pointer): LuaFailure {
    this.lua.lua_settop(thread, 0)
    this.lua.lua_pushnil(thread)
    return { ...this.#describeError(thread), message: 'attempt to yield from outside a coroutine' }
  }

  // Runs in a protected call of the thread that is running, as a C function would: values may lie on `main` already.
  #describeError(thread: Pointer): LuaFailure {
    const { lua, running } = this
    const top = lua.lua_gettop(running)
    if (lua.lua_checkstack(running, describeSlots) === 0) return { message: this.#plainMessage(thread), traceback: '' }
    this.push(running, this.#own.describe)
    lua.lua_pushthread(thread)
    lua.lua_xmove(thread, running, 1)
    lua.lua_pushvalue(thread, -1)
    lua.lua_xmove(thread, running, 1)
    try {
      const status = lua.lua_pcallk(running, 2, 2, 0, 0, 0)
      const failure =
        status === luaStatus.ok
          ? withoutOwnFrames(this.latin1At(running, -2), this.latin1At(running, -1))
          : { message: this.#plainMessage(thread), traceback: '' }
      lua.lua_settop(running, top)
      return failure
    } catch (error) {
      throw this.#died(error)
    } finally {
      this.running = running
    }
  }

  /**
   * To be called after a thread ran out of memory and was unwound, with no guest code on the stack. Most such threads held
   * the memory themselves; when it is still not there, globals hold it, no request can be served any more, and the state
   * is given up.
   * @throws FatalGuestError in that case
   */
  requireMemory(): void {
    this.push(this.main, this.#own.probe)
    try {
      const status = this.lua.lua_pcallk(this.main, 0, 0, 0, 0, 0)
      if (status !== luaStatus.ok) throw new Error('its memory is full and cannot be freed')
    } catch (error) {
      throw this.#died(error)
    }
    this.lua.lua_settop(this.main, 0)
  }

  // The description itself failed, for want of memory most likely: the error is still on top of its thread.
  #plainMessage(thread: Pointer): string {
    return this.lua.lua_type(thread, -1) === luaType.string ? this.latin1At(thread, -1).slice(0, 1024) : 'error in error handling'
  }
}
