// Entries into guest code beside requests: callbacks, hooks, programs, the loading of apps. They may nest, since a host
// function may lead back here while Lua frames are on the stack: each has a Lua thread and a buffer of its own meanwhile, and
// keeps them while it waits.
// Invariants: for each level of nesting both are there beforehand; a guest's error leaves
// as a GuestError and never as Lua's own unwinding, which would skip the frames of the host and of other languages between.
import { GuestError } from '../../host/errors.ts'
import { pushText } from './convert.ts'
import { FatalGuestError, outOfMemory, StoppedError, toGuestError } from './errors.ts'
import { luaBuffer, luaStatus, type Pointer } from './glue.ts'
import type { HostFunction, LuaRuntime, LuaThread, Reference } from './runtime.ts'
import { Serving } from './serving.ts'
import { Task } from './task.ts'

/**
 * How many entries may lie inside each other. Lua itself ends at 200 C calls, of which a level takes two and those that the
 * guest makes; with this many it is mostly our message, which says what happened, that a guest sees.
 */
export const maximumDepth = 40

interface Place extends LuaThread {
  readonly buffer: Pointer
  /** What ran there was stopped: its thread is of no more use. */
  isAbandoned: boolean
}

const noArguments: HostFunction = () => 0

const suspended = Symbol('suspended')

/** So many places of entries that have waited are kept for the next ones. */
const mostSpare = 64

export class Entries {
  readonly #runtime: LuaRuntime
  readonly #free: Place[]
  /** In place of those where an entry waits, others are made, and these are spare when it is done. */
  readonly #spare: Place[] = []
  /** For want of memory so many were not made. */
  #missing = 0
  #arguments: HostFunction = noArguments

  /** Only while booting. */
  constructor(runtime: LuaRuntime) {
    this.#runtime = runtime
    this.#free = Array.from({ length: maximumDepth }, () => ({
      ...runtime.newThread(),
      buffer: runtime.allocate(luaBuffer.size),
      isAbandoned: false,
    }))
    // lua_resume answers with this string, outside of any protected call. While it exists, answering allocates nothing.
    pushText(runtime, runtime.main, 'C stack overflow')
    runtime.anchor(runtime.main)
  }

  /** `host.arguments`, which the entered function calls first: pushes what the entry was given. */
  readonly pushArguments: HostFunction = (L) => this.#arguments(L)

  /**
   * Runs `entry`, a function of guest/entries.lua or guest/wsapi.lua. What waits in it parks the thread.
   * @param pushArguments pushes what the entry's `host.arguments()` returns
   * @param take reads the one result, which lies on top of the stack; the interpreter may not be entered meanwhile
   * @throws GuestError what the guest raised; StoppedError when it overran; FatalGuestError when the interpreter is lost
   */
  run<T>(entry: Reference, pushArguments: HostFunction, take: (thread: Pointer) => T): T {
    const place = this.#takePlace()
    const outerArguments = this.#arguments
    this.#arguments = pushArguments
    try {
      this.#runtime.push(place.thread, entry)
      return this.#advance(place, this.#runtime.serving, undefined, take) as T
    } finally {
      this.#arguments = outerArguments
      this.#leave(place)
    }
  }

  /**
   * The same for a caller who takes a promise: what waits in it suspends it.
   * @throws GuestError, or the promise is rejected with it, as `run` does
   */
  runWaiting<T>(entry: Reference, pushArguments: HostFunction, take: (thread: Pointer) => T): T | Promise<T> {
    const runtime = this.#runtime
    const place = this.#takePlace()
    const serving = runtime.serving.request === undefined ? new Serving(runtime.log, undefined) : runtime.serving
    const later = Promise.withResolvers<T>()
    const step = (): T | typeof suspended => {
      let outcome: T | typeof suspended | undefined
      try {
        outcome = this.#advance(place, serving, task, take)
        return outcome
      } finally {
        if (outcome !== suspended) {
          task.end()
          if (serving.request === undefined) serving.endErrorLine()
        }
      }
    }
    const goOn = (): void => {
      try {
        const outcome = step()
        if (outcome === suspended) return
        later.resolve(outcome)
      } catch (error) {
        later.reject(error)
      }
      this.#takeBack(place)
    }
    const task = new Task(runtime, place.thread, goOn)
    const outerArguments = this.#arguments
    this.#arguments = pushArguments
    let outcome: T | typeof suspended | undefined
    try {
      runtime.push(place.thread, entry)
      outcome = step()
    } finally {
      this.#arguments = outerArguments
      if (outcome === suspended) this.#replace()
      else this.#leave(place)
    }
    return outcome === suspended ? later.promise : outcome
  }

  #takePlace(): Place {
    const place = this.#free.pop()
    if (place !== undefined) return place
    throw new GuestError('lua', `calls into Lua from within each other are too deep (at most ${maximumDepth})`, '')
  }

  #advance<T>(place: Place, serving: Serving, task: Task | undefined, take: (thread: Pointer) => T): T | typeof suspended {
    const runtime = this.#runtime
    const { thread } = place
    const { buffer: outerBuffer, serving: outerServing, task: outerTask } = runtime
    runtime.buffer = place.buffer
    runtime.serving = serving
    runtime.task = task
    try {
      const status = runtime.resume(thread, 0)
      if (status === luaStatus.suspended) return suspended
      if (status !== luaStatus.ok) throw this.#failure(thread, status)
      try {
        return take(thread)
      } finally {
        runtime.lua.lua_settop(thread, 0)
      }
    } catch (error) {
      place.isAbandoned = error instanceof StoppedError
      throw error
    } finally {
      runtime.buffer = outerBuffer
      runtime.serving = outerServing
      runtime.task = outerTask
    }
  }

  /** An entry is done that has not waited. */
  #leave(place: Place): void {
    if (!place.isAbandoned) this.#free.push(place)
    else {
      this.#drop(place)
      this.#replace()
    }
  }

  #drop(place: Place): void {
    const runtime = this.#runtime
    if (runtime.isDead) return
    runtime.lua.free(place.buffer)
    if (place.isAbandoned) runtime.abandonThread(place)
    else runtime.dropThread(place)
  }

  /** For the place of an entry that waits, or was stopped. */
  #replace(): void {
    const spare = this.#spare.pop()
    if (spare !== undefined) {
      this.#free.push(spare)
      return
    }
    const runtime = this.#runtime
    try {
      const made = runtime.makeThread()
      const buffer = runtime.lua.malloc(luaBuffer.size)
      if (buffer !== 0) {
        this.#free.push({ ...made, buffer, isAbandoned: false })
        return
      }
      runtime.dropThread(made)
    } catch (error) {
      if (error instanceof FatalGuestError) throw error
    }
    this.#missing += 1
  }

  /** An entry that waited is done. */
  #takeBack(place: Place): void {
    if (this.#runtime.isDead) return
    if (place.isAbandoned) this.#drop(place)
    else if (this.#missing > 0) {
      this.#missing -= 1
      this.#free.push(place)
    } else if (this.#spare.length < mostSpare) this.#spare.push(place)
    else this.#drop(place)
  }

  #failure(thread: Pointer, status: number): GuestError {
    const runtime = this.#runtime
    const failure = runtime.fail(thread, status)
    // With guest code on the stack, or suspended, it may be that which holds the memory, and lets go of it.
    const isAlone = runtime.running === runtime.main && runtime.waiting.size === 0
    if (isAlone && outOfMemory.test(failure.message)) runtime.requireMemory()
    return toGuestError(failure)
  }
}
