// Installs the API as the global table `uwsgi`: a loop over what the host has bound, names as they are in the table plus those
// of the real Lua plugin. Nothing here knows a function by name. `require 'uwsgi'` finds it among the loaded libraries.
// Members that guests assign (hooks) are not there until one does; hooks.ts looks them up when they are to be called.
import type { BoundApi, BoundCallable, BoundFunction } from '../../host/api/bind.ts'
import { type DirectFunction, notDefined } from '../../host/api/direct.ts'
import { type FunctionOwner, GuestFunction } from '../../host/api/guest-function.ts'
import type { ApiValue } from '../../host/api/kinds.ts'
import { ArgumentReaders } from './arguments.ts'
import { pushOf, pushResultsOf, pushText } from './convert.ts'
import { luaType } from './glue.ts'
import type { HostFunction, LuaRuntime } from './runtime.ts'

/** Leaves the `uwsgi` table on top of the main stack. Only while booting. */
export const pushApi = (
  runtime: LuaRuntime,
  api: BoundApi,
  { owner, isAsync }: { owner: FunctionOwner; isAsync: boolean },
): void => {
  const { lua, main } = runtime
  const readers = new ArgumentReaders(runtime, owner)
  lua.lua_createtable(main, 0, api.functions.length + api.attributes.length)
  for (const bound of api.functions) {
    const { name, aliases = [], luaAliases = [] } = bound.entry
    runtime.pushFunction(main, apiFunction(runtime, bound, readers, isAsync))
    for (const alias of [name, ...aliases, ...luaAliases]) {
      pushText(runtime, main, alias)
      lua.lua_pushvalue(main, -2)
      lua.lua_rawset(main, -4)
    }
    lua.lua_settop(main, -2)
  }
  for (const { entry, value } of api.attributes) {
    pushText(runtime, main, entry.name)
    pushOf(runtime, entry.type)(main, value)
    lua.lua_rawset(main, -3)
  }
}

const apiFunction = (runtime: LuaRuntime, bound: BoundFunction, readers: ArgumentReaders, isAsync: boolean): HostFunction => {
  const { direct } = bound
  const parking = ordinaryFunction(runtime, bound, readers)
  const ordinary = isAsync ? waitingFunction(runtime, bound, readers, parking) : parking
  return direct === undefined ? ordinary : directFunction(runtime, direct, ordinary)
}

/** Answers from the scratch memory when that is possible, and passes everything else on. */
const directFunction = (runtime: LuaRuntime, direct: DirectFunction, ordinary: HostFunction): HostFunction => {
  const { lua, scratch, scratchSize, lengthOut } = runtime
  return (L) => {
    if (lua.lua_gettop(L) !== 1 || lua.lua_type(L, 1) !== luaType.string) return ordinary(L)
    const start = lua.lua_tolstring(L, 1, lengthOut)
    const { words } = runtime
    const length = direct(runtime.bytes, start, words[lengthOut >>> 2] as number, words, scratch, scratchSize)
    if (length >= 0) lua.lua_pushlstring(L, scratch, length)
    else if (length === notDefined) lua.lua_pushnil(L)
    else return ordinary(L)
    return 1
  }
}

/** A host function for Lua that takes and answers what the declaration says. Only while booting. */
export const ordinaryFunction = (runtime: LuaRuntime, bound: BoundCallable, readers: ArgumentReaders): HostFunction => {
  const readArguments = readers.of(bound.entry)
  const pushResults = pushResultsOf(runtime, bound.entry.returns)
  if (!bound.entry.params.some((param) => param.type === 'function')) {
    return (L) => {
      const args: ApiValue[] = []
      readArguments(L, args)
      return pushResults(L, bound.call(args))
    }
  }
  return (L) => {
    const args: ApiValue[] = []
    let result: ApiValue
    try {
      readArguments(L, args)
      result = bound.call(args)
    } catch (error) {
      // The host has taken nothing: these functions are still ours alone.
      for (const value of args) if (value instanceof GuestFunction) value.release()
      throw error
    }
    return pushResults(L, result)
  }
}

/** Suspends where `parking` would park, if it can. */
const waitingFunction = (
  runtime: LuaRuntime,
  bound: BoundFunction,
  readers: ArgumentReaders,
  parking: HostFunction,
): HostFunction => {
  // Functions that a call is given are the host's from then on, or given back: not to be left open by a wait.
  if (bound.callAsync === undefined || bound.entry.params.some((param) => param.type === 'function')) return parking
  const callAsync = bound.callAsync.bind(bound)
  const readArguments = readers.of(bound.entry)
  const pushResults = pushResultsOf(runtime, bound.entry.returns)
  return (L) => {
    if (!runtime.canWait(L)) return parking(L)
    const args: ApiValue[] = []
    readArguments(L, args)
    const result = callAsync(args)
    return result instanceof Promise ? runtime.wait(result, pushResults) : pushResults(L, result)
  }
}
