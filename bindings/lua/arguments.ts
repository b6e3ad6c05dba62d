// The arguments of host functions on their way out of Lua: for each parameter of the API a reader, made once while booting, so
// that a call neither looks at its declaration nor makes a closure. Where Lua's own functions take strings they take numbers
// too, and the other way round (luaL_check*), and so do these. All of it runs inside of host functions only.
import { type FunctionOwner, GuestFunction } from '../../host/api/guest-function.ts'
import type { ApiCallable, ApiParameter, ApiValue, BytesMap } from '../../host/api/kinds.ts'
import { ApiArgumentError } from '../../host/errors.ts'
import { pushText } from './convert.ts'
import { HeldFunction, isCallable } from './functions.ts'
import { luaType, luaTypeName, type Pointer } from './glue.ts'
import type { LuaRuntime, Reference } from './runtime.ts'

type Read = (L: Pointer, index: number) => ApiValue

/** Appends the arguments of the host function that is running in `L` to `into`, which holds what was read when this throws. */
export type ReadArguments = (L: Pointer, into: ApiValue[]) => void

export class ArgumentReaders {
  readonly #runtime: LuaRuntime
  readonly #owner: FunctionOwner
  readonly #callName: Reference

  /** @param owner whose the functions are that guests pass. Only while booting */
  constructor(runtime: LuaRuntime, owner: FunctionOwner) {
    this.#runtime = runtime
    this.#owner = owner
    pushText(runtime, runtime.main, '__call')
    this.#callName = runtime.anchor(runtime.main)
  }

  /** Nil at the end counts as not given, except among variadic arguments. */
  of(entry: ApiCallable): ReadArguments {
    const { lua } = this.#runtime
    const readers = entry.params.map((param) => this.#reader(entry, param))
    const isVariadic = entry.params.at(-1)?.variadic === true
    const fixed = isVariadic ? readers.length - 1 : readers.length
    // More than declared: their number alone is what checkArguments() complains about.
    const readRest: Read = isVariadic ? (readers[fixed] as Read) : () => true
    return (L, into) => {
      let count = lua.lua_gettop(L)
      if (!isVariadic || count <= fixed) {
        while (count > 0 && lua.lua_type(L, count) === luaType.nil) count -= 1
      }
      for (let index = 0; index < count; index += 1) {
        const read = index < fixed ? (readers[index] as Read) : readRest
        into.push(read(L, index + 1))
      }
    }
  }

  #reader(entry: ApiCallable, param: ApiParameter): Read {
    const { lua } = this.#runtime
    const read = this.#readerOfType(entry, param)
    return (L, index) => (lua.lua_type(L, index) === luaType.nil ? undefined : read(L, index))
  }

  /** Reads what is not nil. A string or boolean in the wrong place is handed on for checkArguments() to refuse. */
  #readerOfType(entry: ApiCallable, param: ApiParameter): Read {
    const runtime = this.#runtime
    const { lua } = runtime
    const place = entry.params.indexOf(param) + 1
    const refuse = (type: number, index: number): never => {
      const name = param.variadic ? `${param.name}[${index - place}]` : param.name
      const message = `argument '${name}' must be ${wanted[param.type]}, not a ${luaTypeName(type)}`
      throw new ApiArgumentError(entry.name, name, 'type', message)
    }
    switch (param.type) {
      case 'bytes':
      case 'text':
        return (L, index) => {
          const type = lua.lua_type(L, index)
          if (type === luaType.string || type === luaType.number) return runtime.copyAt(L, index)
          return type === luaType.boolean ? lua.lua_toboolean(L, index) === 1 : refuse(type, index)
        }
      case 'bool':
      case 'int':
      case 'int64':
      case 'float': {
        const takesNumericString = param.type !== 'bool'
        return (L, index) => {
          const type = lua.lua_type(L, index)
          if (type === luaType.number) return readNumber(runtime, L, index)
          if (type === luaType.boolean) return lua.lua_toboolean(L, index) === 1
          if (type !== luaType.string) return refuse(type, index)
          const number = takesNumericString ? readNumericString(runtime, L, index) : undefined
          return number ?? runtime.copyAt(L, index)
        }
      }
      case 'int|bytes':
        return (L, index) => {
          const type = lua.lua_type(L, index)
          if (type === luaType.number) return readNumber(runtime, L, index)
          if (type === luaType.string) return runtime.copyAt(L, index)
          return type === luaType.boolean ? lua.lua_toboolean(L, index) === 1 : refuse(type, index)
        }
      case 'function':
        return (L, index) => {
          if (!isCallable(runtime, L, index, this.#callName)) refuse(lua.lua_type(L, index), index)
          return new GuestFunction(this.#owner, new HeldFunction(runtime, L, index))
        }
      case 'dict':
        return (L, index) => {
          const type = lua.lua_type(L, index)
          if (type !== luaType.table) refuse(type, index)
          return readDict(runtime, L, index, (what) => {
            throw new ApiArgumentError(entry.name, param.name, 'type', `argument '${param.name}': ${what}`)
          })
        }
    }
  }
}

const wanted: Readonly<Record<ApiParameter['type'], string>> = {
  int: 'a whole number',
  int64: 'a whole number',
  float: 'a number',
  bool: 'a boolean',
  text: 'a string',
  bytes: 'a string',
  function: 'a function',
  dict: 'a table',
  'int|bytes': 'a whole number or a string',
}

/** Exact: a whole number, of either of Lua's kinds, as a number within ±2^53 and as a bigint beyond. */
const readNumber = (runtime: LuaRuntime, L: Pointer, index: number): number | bigint => {
  const number = runtime.lua.lua_tonumberx(L, index, 0)
  return Number.isSafeInteger(number) ? number : (readInteger(runtime, L, index) ?? number)
}

/** Undefined: not a whole number, or not within 64 bits. */
const readInteger = (runtime: LuaRuntime, L: Pointer, index: number): bigint | undefined => {
  const integer = runtime.lua.lua_tointegerx(L, index, runtime.lengthOut)
  return runtime.view.getInt32(runtime.lengthOut, true) === 1 ? integer : undefined
}

const readNumericString = (runtime: LuaRuntime, L: Pointer, index: number): number | bigint | undefined => {
  const integer = readInteger(runtime, L, index)
  if (integer !== undefined) return Number.isSafeInteger(Number(integer)) ? Number(integer) : integer
  const number = runtime.lua.lua_tonumberx(L, index, runtime.lengthOut)
  return runtime.view.getInt32(runtime.lengthOut, true) === 1 ? number : undefined
}

/** The table at `index`, whatever its metatable says. `refuse` is told what is wrong with it. */
const readDict = (runtime: LuaRuntime, L: Pointer, index: number, refuse: (what: string) => never): BytesMap => {
  const { lua } = runtime
  const dict = new Map<string, Uint8Array>()
  lua.lua_pushnil(L)
  while (lua.lua_next(L, index) !== 0) {
    const keyType = lua.lua_type(L, -2)
    if (keyType !== luaType.string) {
      const key = keyType === luaType.number ? String(readNumber(runtime, L, -2)) : `one that is a ${luaTypeName(keyType)}`
      refuse(`keys must be strings, not ${key}`)
    }
    const key = runtime.latin1At(L, -2)
    const type = lua.lua_type(L, -1)
    if (type !== luaType.string && type !== luaType.number) {
      const name = Buffer.from(key, 'latin1').toString('utf8')
      refuse(`the value of '${name}' must be a string or a number, not a ${luaTypeName(type)}`)
    }
    dict.set(key, runtime.copyAt(L, -1))
    lua.lua_settop(L, -2)
  }
  return dict
}
