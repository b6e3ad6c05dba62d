// Plain data on its way into Lua and out of it: what plugins written in Lua are told, and what they say of themselves. All
// functions here may raise a Lua error and so run inside protected calls only.
import { type Plain, Unfit } from '../../host/plugin/guest-description.ts'
import { pushText, reserveStack } from './convert.ts'
import { luaType, luaTypeName, type Pointer } from './glue.ts'
import type { LuaRuntime } from './runtime.ts'

/** A table that refers to itself has no end. */
const deepest = 8
const mostValues = 10_000

type Told = boolean | number | string | readonly Told[] | { readonly [name: string]: Told }

export const pushPlain = (runtime: LuaRuntime, L: Pointer, value: Told): void => {
  const { lua } = runtime
  reserveStack(runtime, L, 3)
  switch (typeof value) {
    case 'boolean':
      return lua.lua_pushboolean(L, value ? 1 : 0)
    case 'number':
      return Number.isSafeInteger(value) ? lua.lua_pushinteger(L, BigInt(value)) : lua.lua_pushnumber(L, value)
    case 'string':
      return pushText(runtime, L, value)
  }
  lua.lua_createtable(L, 0, 0)
  if (Array.isArray(value)) {
    value.forEach((item: Told, index) => {
      pushPlain(runtime, L, item)
      lua.lua_rawseti(L, -2, BigInt(index + 1))
    })
    return
  }
  for (const [name, item] of Object.entries(value)) {
    pushText(runtime, L, name)
    pushPlain(runtime, L, item)
    lua.lua_rawset(L, -3)
  }
}

/**
 * The value at `index`, counted from the bottom of the stack. Tables are read as they are, without metamethods.
 * @throws Error for a table that is nested too deep or too large
 */
export const readPlain = (runtime: LuaRuntime, L: Pointer, index: number): Plain => {
  const { lua } = runtime
  let count = 0

  const read = (at: number, depth: number): Plain => {
    count += 1
    if (count > mostValues) throw new Error(`more than ${mostValues} values`)
    const type = lua.lua_type(L, at)
    switch (type) {
      case luaType.nil:
        return undefined
      case luaType.boolean:
        return lua.lua_toboolean(L, at) === 1
      case luaType.number:
        return lua.lua_tonumberx(L, at, 0)
      case luaType.string:
        return Buffer.from(runtime.bytesAt(L, at)).toString('utf8')
      case luaType.table:
        return readTable(at, depth)
      default:
        return new Unfit(luaTypeName(type))
    }
  }

  const readTable = (at: number, depth: number): Plain => {
    if (depth === deepest) throw new Error(`tables in tables more than ${deepest} deep`)
    reserveStack(runtime, L, 3)
    const named: Record<string, Plain> = Object.create(null)
    const placed = new Map<number, Plain>()
    lua.lua_pushnil(L)
    while (lua.lua_next(L, at) !== 0) {
      const value = read(lua.lua_gettop(L), depth + 1)
      const key = lua.lua_type(L, -2)
      if (key === luaType.string) named[Buffer.from(runtime.bytesAt(L, -2)).toString('utf8')] = value
      else placed.set(key === luaType.number ? lua.lua_tonumberx(L, -2, 0) : Number.NaN, value)
      lua.lua_settop(L, -2)
    }
    if (placed.size === 0) return named
    const list = Array.from(placed, (_, place) => placed.get(place + 1))
    const isList = Object.keys(named).length === 0 && list.every((value) => value !== undefined)
    return isList ? list : new Unfit('table that is neither a list nor of names')
  }

  return read(index, 0)
}
