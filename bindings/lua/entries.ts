// Entries into guest code beside requests: callbacks, hooks, programs, the loading of apps. They may nest, since a host
// function may lead back here while Lua frames are on the stack: each has a Lua thread and a buffer of its own meanwhile.
// Invariants: both exist from the start, because making them allocates outside of any protected call; a guest's error leaves
// as a GuestError and never as Lua's own unwinding, which would skip the frames of the host and of other languages between.
import { GuestError } from '../../host/errors.ts'
import { pushText } from './convert.ts'
import { outOfMemory, toGuestError } from './errors.ts'
import { luaBuffer, luaStatus, type Pointer } from './glue.ts'
import type { HostFunction, LuaRuntime, LuaThread, Reference } from './runtime.ts'

/**
 * How many entries may lie inside each other. Lua itself ends at 200 C calls, of which a level takes two and those that the
 * guest makes; with this many it is mostly our message, which says what happened, that a guest sees.
 */
export const maximumDepth = 40

interface Place extends LuaThread {
  readonly buffer: Pointer
}

const noArguments: HostFunction = () => 0

export class Entries {
  readonly #runtime: LuaRuntime
  readonly #free: Place[]
  #arguments: HostFunction = noArguments

  /** Only while booting. */
  constructor(runtime: LuaRuntime) {
    this.#runtime = runtime
    this.#free = Array.from({ length: maximumDepth }, () => ({
      ...runtime.newThread(),
      buffer: runtime.allocate(luaBuffer.size),
    }))
    // lua_resume answers with this string, outside of any protected call. While it exists, answering allocates nothing.
    pushText(runtime, runtime.main, 'C stack overflow')
    runtime.anchor(runtime.main)
  }

  /** `host.arguments`, which the entered function calls first: pushes what the entry was given. */
  readonly pushArguments: HostFunction = (L) => this.#arguments(L)

  /**
   * Runs `entry`, a function of guest/entries.lua or guest/wsapi.lua.
   * @param pushArguments pushes what the entry's `host.arguments()` returns
   * @param take reads the one result, which lies on top of the stack; the interpreter may not be entered meanwhile
   * @throws GuestError what the guest raised; FatalGuestError when the interpreter is lost
   */
  run<T>(entry: Reference, pushArguments: HostFunction, take: (thread: Pointer) => T): T {
    const runtime = this.#runtime
    const place = this.#free.pop()
    if (place === undefined) {
      throw new GuestError('lua', `calls into Lua from within each other are too deep (at most ${maximumDepth})`, '')
    }
    const { thread } = place
    const outerArguments = this.#arguments
    const outerBuffer = runtime.buffer
    this.#arguments = pushArguments
    runtime.buffer = place.buffer
    try {
      runtime.push(thread, entry)
      const status = runtime.resume(thread, 0)
      if (status !== luaStatus.ok) throw this.#failure(thread, status)
      try {
        return take(thread)
      } finally {
        runtime.lua.lua_settop(thread, 0)
      }
    } finally {
      this.#arguments = outerArguments
      runtime.buffer = outerBuffer
      this.#free.push(place)
    }
  }

  #failure(thread: Pointer, status: number): GuestError {
    const runtime = this.#runtime
    const failure = runtime.fail(thread, status)
    // With guest code on the stack it may be that which holds the memory, and lets go of it.
    if (runtime.running === runtime.main && outOfMemory.test(failure.message)) runtime.requireMemory()
    return toGuestError(failure)
  }
}
