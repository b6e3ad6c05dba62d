// Stops guest code that overran, from within: at one of the checks that stop-checks.ts has put into the interpreter a hook is set
// that is called at the next instruction. It yields, so that no guest code runs any more: no `pcall` sees an error, nothing
// that is to be closed is. Whoever resumed a coroutine that yields so comes to a check itself when it goes on, and yields in its
// turn, up to the thread that the host resumed. Where Lua cannot yield (a comparator of `table.sort`) the hook raises an
// error, at each instruction, up to where it can.
// Invariant: what is stopped is the innermost entry of the host into guest code, whole; frames of other entries below it go on.
// Their host function then raises the StoppedError that ended it, which stops these too, unless somebody between has caught it.
import type { GuestStops } from '../../host/api/guest-stops.ts'
import { decoded, StoppedError, withoutOwnFrames } from './errors.ts'
import { luaStatus, type Pointer } from './glue.ts'
import type { LuaRuntime, Reference } from './runtime.ts'
import { checksPerPoll, stopWordsAt } from './stop-checks.ts'
import { hookAnswer } from './stopping-code.ts'

/** LUA_MASKCOUNT */
const countMask = 8
const everyInstruction = 1
/** Coroutines that have resumed each other: so many stacks are told, the outer ones with the lines where they would go on. */
const mostTraces = 8

export class Stopping {
  readonly #runtime: LuaRuntime
  readonly #stops: GuestStops
  #hookAt = 0
  #traceback: Reference = 0n
  /** The error that the code which runs is to end with. */
  #error: StoppedError | undefined
  /** The host knows. */
  #isTold = false
  readonly #traces = new Map<Pointer, string>()

  constructor(runtime: LuaRuntime, stops: GuestStops) {
    this.#runtime = runtime
    this.#stops = stops
  }

  /** Once the interpreter and its companion are there. */
  install(): void {
    const { companion, words } = this.#runtime
    const checkStop = this.#runtime.addCFunction(companion.checkStop)
    this.#hookAt = this.#runtime.addCFunction(companion.stopHook)
    this.#runtime.words[stopWordsAt.checkStop >>> 2] = checkStop
    words[stopWordsAt.countdown >>> 2] = checksPerPoll
  }

  /** @param traceback Lua's own `debug.traceback` */
  setTraceback(traceback: Reference): void {
    this.#traceback = traceback
  }

  /** The code that runs is being stopped. */
  get isStopping(): boolean {
    return this.#error !== undefined
  }

  /** Asked by the companion every so often, between two instructions of the Lua function that runs in `L`. Nothing may be pushed. */
  readonly #poll = (L: Pointer): void => {
    const { words } = this.#runtime
    if (this.#error === undefined) {
      words[stopWordsAt.countdown >>> 2] = checksPerPoll
      if (Atomics.load(this.#stops.word, 0) === 0) return
      const reason = this.#stops.judge()
      if (reason === undefined) return
      this.#error = new StoppedError(reason)
      this.#isTold = false
    }
    this.#setHook(L)
  }

  /** The code that runs in `L` called something that was stopped, and is to end as that did. */
  begin(L: Pointer, error: StoppedError): void {
    this.#error = error
    this.#isTold = true
    this.#setHook(L)
  }

  #setHook(L: Pointer): void {
    // Below 0, every check calls.
    this.#runtime.words[stopWordsAt.countdown >>> 2] = 0xffff_ffff
    this.#runtime.lua.lua_sethook(L, this.#hookAt, countMask, everyInstruction)
  }

  /** Asked by the companion's hook. */
  readonly #hooked = (L: Pointer): number => {
    const { lua, scratch } = this.#runtime
    if (this.#error === undefined) {
      // A coroutine that was stopped and that another request goes on with.
      lua.lua_sethook(L, 0, 0, 0)
      return hookAnswer.goOn
    }
    if (!this.#isTold && !this.#traces.has(L) && this.#traces.size < mostTraces) this.#traces.set(L, this.#traceOf(L))
    if (lua.lua_isyieldable(L) !== 0) return hookAnswer.yield
    const message = Buffer.from(this.#error.message)
    this.#runtime.bytes.set(message, scratch)
    lua.lua_pushlstring(L, scratch, message.length)
    return hookAnswer.raise
  }

  #traceOf(L: Pointer): string {
    const runtime = this.#runtime
    const { lua } = runtime
    // Told before, in case that there is no memory for it and the error is raised from here.
    this.#traces.set(L, '')
    runtime.push(L, this.#traceback)
    const isWritten = lua.lua_pcallk(L, 0, 1, 0, 0, 0) === luaStatus.ok
    const trace = isWritten ? withoutOwnFrames('', runtime.latin1At(L, -1)).traceback : ''
    lua.lua_settop(L, -2)
    return trace
  }

  /** What the companion imports. */
  readonly imports = { poll: this.#poll, hooked: this.#hooked }

  /**
   * The entry in which code was being stopped has come to its end: whatever runs from here on is other code.
   * @returns what it ends with
   */
  end(): StoppedError {
    const error = this.#error as StoppedError
    this.#error = undefined
    this.#runtime.words[stopWordsAt.countdown >>> 2] = checksPerPoll
    const [first = '', ...outer] = [...this.#traces.values()].filter((trace) => trace !== '')
    this.#traces.clear()
    if (!this.#isTold) {
      error.traceback = decoded([first, ...outer.map((trace) => trace.slice(trace.indexOf('\n') + 1))].join('\n'))
      this.#isTold = true
      this.#stops.stopped(error.traceback)
    }
    return error
  }
}
