// Values on their way into Lua, byte for byte. Lua strings are bytes, Lua integers have 64 bits; what does not fit is an error,
// never a rounded number. All functions here may raise a Lua error and so run inside protected calls only.
import type { ApiResult, ApiScalar, ApiValue, BytesMap, OptionMap, OptionValue, RecordValue } from '../../host/api/kinds.ts'
import type { Pointer } from './glue.ts'
import type { LuaRuntime } from './runtime.ts'

/** Pushes one value. */
export type Push = (L: Pointer, value: ApiValue) => void

const utf8 = new TextEncoder()

/** Pushes a string of any size. */
export const pushBytes = (runtime: LuaRuntime, L: Pointer, bytes: Uint8Array): void => {
  const { lua } = runtime
  if (bytes.length <= runtime.scratchSize) {
    runtime.bytes.set(bytes, runtime.scratch)
    lua.lua_pushlstring(L, runtime.scratch, bytes.length)
    return
  }
  const start = runtime.startBuffer(L, bytes.length)
  runtime.bytes.set(bytes, start)
  lua.luaL_pushresultsize(runtime.buffer, bytes.length)
}

/** Pushes text as UTF-8. */
export const pushText = (runtime: LuaRuntime, L: Pointer, text: string): void => pushBytes(runtime, L, utf8.encode(text))

/** Pushes text of one byte per character. */
export const pushLatin1 = (runtime: LuaRuntime, L: Pointer, text: string): void =>
  pushBytes(runtime, L, Buffer.from(text, 'latin1'))

export const pushInteger = (runtime: LuaRuntime, L: Pointer, value: number | bigint): void => {
  if (Number.isSafeInteger(value)) {
    runtime.lua.lua_pushinteger(L, BigInt(value))
    return
  }
  const integer = BigInt(value)
  if (BigInt.asIntN(64, integer) !== integer) throw new RangeError(`${integer} does not fit into a Lua integer`)
  runtime.lua.lua_pushinteger(L, integer)
}

/** Room on the stack for so many values. @throws Error when Lua has none */
export const reserveStack = (runtime: LuaRuntime, L: Pointer, count: number): void => {
  if (runtime.lua.lua_checkstack(L, count) === 0) throw new Error(`no room for ${count} values on Lua's stack`)
}

/**
 * Makes the function that pushes values of a declared type. Undefined, `not_defined`, is nil. Only while booting: names of
 * fields are anchored.
 */
export const pushOf = (runtime: LuaRuntime, type: ApiResult): Push => {
  const push = definedPushOf(runtime, type)
  const { lua } = runtime
  return (L, value) => {
    if (value === undefined) lua.lua_pushnil(L)
    else push(L, value)
  }
}

/** Makes the function that pushes what a host function answered, and answers how many values that are. */
export const pushResultsOf = (runtime: LuaRuntime, type: ApiResult): ((L: Pointer, value: ApiValue) => number) => {
  if (typeof type === 'object' && 'list' in type && type.lua === 'values') {
    const pushItem = pushOf(runtime, type.list)
    return (L, value) => {
      if (value === undefined) {
        runtime.lua.lua_pushnil(L)
        return 1
      }
      const items = value as readonly ApiValue[]
      reserveStack(runtime, L, items.length)
      for (const item of items) pushItem(L, item)
      return items.length
    }
  }
  const push = pushOf(runtime, type)
  return (L, value) => {
    push(L, value)
    return 1
  }
}

const definedPushOf = (runtime: LuaRuntime, type: ApiResult): Push => {
  if (typeof type === 'object') {
    return 'list' in type ? listPush(runtime, type.list) : recordPush(runtime, type.record)
  }
  switch (type) {
    case 'options':
      return (L, value) => pushOptions(runtime, L, value as OptionMap)
    case 'dict':
      return (L, value) => pushDict(runtime, L, value as BytesMap)
    case 'none':
      return (L) => runtime.lua.lua_pushnil(L)
    case 'true':
      return scalarPush(runtime, 'bool')
    default:
      return scalarPush(runtime, type)
  }
}

const scalarPush = (runtime: LuaRuntime, type: ApiScalar): Push => {
  const { lua } = runtime
  switch (type) {
    case 'int':
    case 'int64':
      return (L, value) => pushInteger(runtime, L, value as number | bigint)
    case 'float':
      return (L, value) => lua.lua_pushnumber(L, Number(value))
    case 'bool':
      return (L, value) => lua.lua_pushboolean(L, value ? 1 : 0)
    // Implementations may hold what is bytes to guests as text.
    case 'text':
    case 'bytes':
      return (L, value) => {
        if (typeof value === 'string') pushText(runtime, L, value)
        else pushBytes(runtime, L, value as Uint8Array)
      }
  }
}

const listPush = (runtime: LuaRuntime, itemType: ApiResult): Push => {
  const { lua } = runtime
  const pushItem = pushOf(runtime, itemType)
  return (L, value) => {
    const items = value as readonly ApiValue[]
    lua.lua_createtable(L, items.length, 0)
    let place = 0n
    for (const item of items) {
      place += 1n
      pushItem(L, item)
      lua.lua_rawseti(L, -2, place)
    }
  }
}

const recordPush = (runtime: LuaRuntime, types: Readonly<Record<string, ApiResult>>): Push => {
  const { lua } = runtime
  const fields = Object.entries(types).map(([name, type]) => {
    pushText(runtime, runtime.main, name)
    return { name, key: runtime.anchor(runtime.main), push: definedPushOf(runtime, type) }
  })
  return (L, value) => {
    const record = value as RecordValue
    lua.lua_createtable(L, 0, fields.length)
    for (const { name, key, push } of fields) {
      const field = record[name]
      if (field === undefined) continue
      runtime.push(L, key)
      push(L, field)
      lua.lua_rawset(L, -3)
    }
  }
}

/** A table from names to strings. */
export const pushDict = (runtime: LuaRuntime, L: Pointer, dict: BytesMap): void => {
  const { lua } = runtime
  lua.lua_createtable(L, 0, dict.size)
  for (const [name, value] of dict) {
    pushLatin1(runtime, L, name)
    pushBytes(runtime, L, value)
    lua.lua_rawset(L, -3)
  }
}

/** A table from option name to string, true, or an array of these for an option given more than once. */
const pushOptions = (runtime: LuaRuntime, L: Pointer, options: OptionMap): void => {
  const { lua } = runtime
  lua.lua_createtable(L, 0, options.size)
  for (const [name, values] of options) {
    pushText(runtime, L, name)
    if (values.length === 1) pushOption(runtime, L, values[0]!)
    else {
      lua.lua_createtable(L, values.length, 0)
      for (const [index, value] of values.entries()) {
        pushOption(runtime, L, value)
        lua.lua_rawseti(L, -2, BigInt(index + 1))
      }
    }
    lua.lua_rawset(L, -3)
  }
}

const pushOption = (runtime: LuaRuntime, L: Pointer, value: OptionValue): void => {
  if (value === true) runtime.lua.lua_pushboolean(L, 1)
  else pushText(runtime, L, value)
}
