// Installs the API as the global table `uwsgi`: a loop over what the host has bound, names as they are in the table plus those
// of the real Lua plugin. Nothing here knows a function by name. `require 'uwsgi'` finds it among the loaded libraries.
import type { BoundApi, BoundFunction } from '../../host/api/bind.ts'
import { pushText, pushValue, readArguments } from './convert.ts'
import type { Pointer } from './glue.ts'
import type { LuaRuntime } from './runtime.ts'

/** Leaves the `uwsgi` table on top of the main stack. Only while booting. */
export const pushApi = (runtime: LuaRuntime, api: BoundApi): void => {
  const { lua, main } = runtime
  lua.lua_createtable(main, 0, api.functions.length + api.attributes.length)
  for (const bound of api.functions) {
    runtime.pushFunction(main, apiFunction(runtime, bound))
    for (const name of [bound.entry.name, ...(bound.entry.luaAliases ?? [])]) {
      pushText(runtime, main, name)
      lua.lua_pushvalue(main, -2)
      lua.lua_rawset(main, -4)
    }
    lua.lua_settop(main, -2)
  }
  for (const { entry, value } of api.attributes) {
    pushText(runtime, main, entry.name)
    pushValue(runtime, main, value, entry.type)
    lua.lua_rawset(main, -3)
  }
}

const apiFunction =
  (runtime: LuaRuntime, bound: BoundFunction) =>
  (L: Pointer): number => {
    const result = bound.call(readArguments(runtime, L, bound.entry))
    pushValue(runtime, L, result, bound.entry.returns)
    return 1
  }
