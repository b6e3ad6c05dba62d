// Functions of guests that the host holds: anchored in Lua's registry until the host gives them back.
import type { Pointer } from './glue.ts'
import { luaType, registryIndex } from './glue.ts'
import type { LuaRuntime, Reference } from './runtime.ts'

/** The handle that the host keeps. It may be given back twice; the registry's place then already belongs to another. */
export class HeldFunction {
  readonly #runtime: LuaRuntime
  #reference: Reference | undefined

  /** Takes the value at `index` of the stack, which stays there. Only inside a host function. */
  constructor(runtime: LuaRuntime, L: Pointer, index: number) {
    this.#runtime = runtime
    runtime.lua.lua_pushvalue(L, index)
    this.#reference = runtime.anchor(L)
  }

  /** True for a handle of this interpreter. */
  belongsTo(runtime: LuaRuntime): boolean {
    return this.#runtime === runtime
  }

  /** @throws Error when it was given back */
  push(L: Pointer): void {
    if (this.#reference === undefined) throw new Error('the function was released')
    this.#runtime.push(L, this.#reference)
  }

  release(): void {
    if (this.#reference === undefined || this.#runtime.isDead) return
    this.#runtime.lua.luaL_unref(this.#runtime.main, registryIndex, Number(this.#reference))
    this.#reference = undefined
  }
}

/** Can the value at `index` be called: is it a function, or has it a `__call`? `callName` is the anchored string `__call`. */
export const isCallable = (runtime: LuaRuntime, L: Pointer, index: number, callName: Reference): boolean => {
  const { lua } = runtime
  const type = lua.lua_type(L, index)
  if (type === luaType.function) return true
  if (type !== luaType.table && type !== luaType.userdata) return false
  if (lua.lua_getmetatable(L, index) === 0) return false
  runtime.push(L, callName)
  const found = lua.lua_rawget(L, -2) !== luaType.nil
  lua.lua_settop(L, -3)
  return found
}
