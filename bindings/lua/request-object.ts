// The request object of plugins written in Lua: a table that names its request by a number, with a metatable that has the
// members of the host's table. Guests may keep fields of their own in it.
// Invariant: a member acts only while the hook runs that was given the object.
import type { FunctionOwner } from '../../host/api/guest-function.ts'
import type { GuestRequests, RequestMember, ServedRequest } from '../../host/plugin/guest-request.ts'
import { ArgumentReaders } from './arguments.ts'
import { pushInteger, pushResultsOf, pushText, reserveStack } from './convert.ts'
import { luaType, type Pointer } from './glue.ts'
import { ordinaryFunction } from './install.ts'
import type { HostFunction, LuaRuntime, Reference } from './runtime.ts'

/** Where a method finds its object, and `__index` the name. */
const selfAt = 1
const nameAt = 2

export class RequestObjects {
  readonly #runtime: LuaRuntime
  readonly #requests: GuestRequests
  /** A key that no guest has. */
  readonly #serialKey: Reference
  readonly #appKey: Reference
  readonly #metatable: Reference
  readonly #methods = new Map<string, Reference>()
  readonly #properties = new Map<string, HostFunction>()

  /** Only while booting. */
  constructor(runtime: LuaRuntime, requests: GuestRequests, owner: FunctionOwner) {
    const { lua, main } = runtime
    this.#runtime = runtime
    this.#requests = requests
    lua.lua_createtable(main, 0, 0)
    this.#serialKey = runtime.anchor(main)
    pushText(runtime, main, 'app')
    this.#appKey = runtime.anchor(main)
    const readers = new ArgumentReaders(runtime, owner)
    for (const member of requests.members) {
      if (member.isProperty) this.#properties.set(member.name, this.#property(member))
      else {
        runtime.pushFunction(main, this.#method(member, ordinaryFunction(runtime, member, readers)))
        this.#methods.set(member.name, runtime.anchor(main))
      }
    }
    lua.lua_createtable(main, 0, 3)
    const setField = (name: string, push: () => void): void => {
      pushText(runtime, main, name)
      push()
      lua.lua_rawset(main, -3)
    }
    setField('__index', () => runtime.pushFunction(main, this.#index))
    setField('__name', () => pushText(runtime, main, 'request'))
    setField('__metatable', () => lua.lua_pushboolean(main, 0))
    this.#metatable = runtime.anchor(main)
  }

  /** Inside a host function. */
  push(L: Pointer, { serial, app }: ServedRequest): void {
    const runtime = this.#runtime
    const { lua } = runtime
    reserveStack(runtime, L, 3)
    lua.lua_createtable(L, 0, 2)
    runtime.push(L, this.#serialKey)
    pushInteger(runtime, L, serial)
    lua.lua_rawset(L, -3)
    if (app !== 0) {
      runtime.push(L, this.#appKey)
      runtime.push(L, BigInt(app))
      lua.lua_rawset(L, -3)
    }
    runtime.push(L, this.#metatable)
    lua.lua_setmetatable(L, -2)
  }

  #method({ name }: RequestMember, run: HostFunction): HostFunction {
    const { lua } = this.#runtime
    return (L) => {
      if (lua.lua_type(L, selfAt) !== luaType.table) throw new Error(`request.${name}() is a method: call request:${name}(...)`)
      this.#requests.assertCurrent(this.#serialOf(L))
      // The arguments alone, from the bottom of the stack.
      lua.lua_rotate(L, selfAt, -1)
      lua.lua_settop(L, -2)
      return run(L)
    }
  }

  #property(member: RequestMember): HostFunction {
    const { lua } = this.#runtime
    const pushResults = pushResultsOf(this.#runtime, member.entry.returns)
    // Made of many values: once for each object.
    const isKept = member.entry.returns === 'dict'
    return (L) => {
      this.#requests.assertCurrent(this.#serialOf(L))
      pushResults(L, member.call([]))
      if (!isKept) return 1
      lua.lua_pushvalue(L, nameAt)
      lua.lua_pushvalue(L, -2)
      lua.lua_rawset(L, selfAt)
      return 1
    }
  }

  readonly #index: HostFunction = (L) => {
    const { lua } = this.#runtime
    lua.lua_settop(L, nameAt)
    if (lua.lua_type(L, nameAt) === luaType.string) {
      const name = this.#runtime.latin1At(L, nameAt)
      const property = this.#properties.get(name)
      if (property !== undefined) return property(L)
      const method = this.#methods.get(name)
      if (method !== undefined) {
        this.#runtime.push(L, method)
        return 1
      }
    }
    lua.lua_pushnil(L)
    return 1
  }

  #serialOf(L: Pointer): number | undefined {
    const { lua } = this.#runtime
    this.#runtime.push(L, this.#serialKey)
    const type = lua.lua_rawget(L, selfAt)
    const serial = type === luaType.number ? lua.lua_tonumberx(L, -1, 0) : undefined
    lua.lua_settop(L, -2)
    return serial
  }
}
