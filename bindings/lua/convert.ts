// Values across the border, both ways, byte for byte. Lua strings are bytes, Lua integers have 64 bits; what one side cannot
// hold is an error, never a rounded number. All functions here may raise a Lua error and so run inside protected calls only.
import type { ApiFunction, ApiParameter, ApiType, ApiValue, OptionMap, OptionValue } from '../../host/api/kinds.ts'
import { ApiArgumentError } from '../../host/errors.ts'
import { luaType, luaTypeNames, type Pointer } from './glue.ts'
import type { LuaRuntime } from './runtime.ts'

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

export const pushInteger = (runtime: LuaRuntime, L: Pointer, value: number | bigint): void => {
  const integer = BigInt(value)
  if (BigInt.asIntN(64, integer) !== integer) throw new RangeError(`${integer} does not fit into a Lua integer`)
  runtime.lua.lua_pushinteger(L, integer)
}

/** Pushes what the API answered; `type` is the declared one, which tells an int from a float. */
export const pushValue = (runtime: LuaRuntime, L: Pointer, value: ApiValue, type: ApiType): void => {
  const { lua } = runtime
  if (value === undefined) lua.lua_pushnil(L)
  else if (typeof value === 'boolean') lua.lua_pushboolean(L, value ? 1 : 0)
  else if (typeof value === 'string') pushText(runtime, L, value)
  else if (typeof value === 'bigint') pushInteger(runtime, L, value)
  else if (typeof value === 'number') {
    if (type === 'int') pushInteger(runtime, L, value)
    else lua.lua_pushnumber(L, value)
  } else if (value instanceof Uint8Array) pushBytes(runtime, L, value)
  else pushOptions(runtime, L, value)
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

/** The arguments of the host function that is running in `L`; nil at the end counts as not given. */
export const readArguments = (runtime: LuaRuntime, L: Pointer, entry: ApiFunction): ApiValue[] => {
  let count = runtime.lua.lua_gettop(L)
  while (count > 0 && runtime.lua.lua_type(L, count) === luaType.nil) count -= 1
  // More than declared: their number alone is what checkArguments() complains about.
  return Array.from({ length: count }, (_, index) => {
    const param = entry.params[index]
    return param === undefined ? true : readArgument(runtime, L, index + 1, entry, param)
  })
}

const readArgument = (runtime: LuaRuntime, L: Pointer, index: number, entry: ApiFunction, param: ApiParameter): ApiValue => {
  const { lua } = runtime
  const type = lua.lua_type(L, index)
  const wantsNumber = param.type === 'int' || param.type === 'float'
  switch (type) {
    case luaType.nil:
      return undefined
    case luaType.boolean:
      return lua.lua_toboolean(L, index) === 1
    case luaType.number:
      // Where Lua's own functions take strings they take numbers too, and the other way round (luaL_check*).
      return wantsNumber || param.type === 'bool' ? readNumber(runtime, L, index) : runtime.bytesAt(L, index).slice()
    case luaType.string: {
      const number = wantsNumber ? readNumericString(runtime, L, index) : undefined
      return number ?? runtime.bytesAt(L, index).slice()
    }
    default:
      throw new ApiArgumentError(
        entry.name,
        param.name,
        'type',
        `argument '${param.name}' must be ${wanted[param.type]}, not a ${luaTypeNames[type] ?? 'value of another type'}`,
      )
  }
}

const wanted = { int: 'a whole number', float: 'a number', bool: 'a boolean', text: 'a string', bytes: 'a string' } as const

/** A float that is a whole number stays exact as a JavaScript number; an integer beyond 2^53 becomes a bigint. */
const readNumber = (runtime: LuaRuntime, L: Pointer, index: number): number | bigint => {
  const number = runtime.lua.lua_tonumberx(L, index, 0)
  if (Number.isSafeInteger(number) || runtime.lua.lua_isinteger(L, index) === 0) return number
  return runtime.lua.lua_tointegerx(L, index, 0)
}

const readNumericString = (runtime: LuaRuntime, L: Pointer, index: number): number | bigint | undefined => {
  const { lua } = runtime
  const integer = lua.lua_tointegerx(L, index, runtime.lengthOut)
  if (runtime.view.getInt32(runtime.lengthOut, true) === 1) {
    return Number.isSafeInteger(Number(integer)) ? Number(integer) : integer
  }
  const number = lua.lua_tonumberx(L, index, runtime.lengthOut)
  return runtime.view.getInt32(runtime.lengthOut, true) === 1 ? number : undefined
}
