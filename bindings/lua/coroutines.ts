// The guests' coroutine library where a worker has several cores: functions of the companion module in place of those of Lua
// that resume coroutines or tell of them. What they do otherwise is Lua's own doing; suspension-code.ts says why they are there.
import { luaType, type Pointer } from './glue.ts'
import type { LuaRuntime } from './runtime.ts'

/** @param coroutine the library's table, at this index of the main stack. Only while booting */
export const replaceCoroutineFunctions = (runtime: LuaRuntime, coroutine: number): void => {
  const { lua, main, companion } = runtime
  const pushField = (name: string): void => {
    runtime.withCString(name, (pointer) => lua.lua_getfield(main, coroutine, pointer))
    if (lua.lua_type(main, -1) !== luaType.function) throw new Error(`Lua has no coroutine.${name}`)
  }
  const placeOfTop = (): number => {
    const place = lua.lua_tocfunction(main, -1)
    lua.lua_settop(main, -2)
    return place
  }
  const placeOf = (name: string): number => {
    pushField(name)
    return placeOfTop()
  }
  companion.luaResume.value = placeOf('resume')
  companion.luaCreate.value = placeOf('create')
  companion.luaStatus.value = placeOf('status')
  companion.luaClose.value = placeOf('close')
  // What Lua's own `wrap` makes of any function.
  pushField('wrap')
  lua.lua_pushvalue(main, -1)
  lua.lua_callk(main, 1, 1, 0, 0)
  companion.luaWrapped.value = placeOfTop()

  companion.resumeAgainAt.value = runtime.addCFunction(companion.resumeAgain)
  companion.wrapAgainAt.value = runtime.addCFunction(companion.wrapAgain)
  companion.wrappedAt.value = runtime.addCFunction(companion.wrapped)
  const kept = (text: string): Pointer => runtime.newCString(text)
  companion.normalText.value = kept('normal')
  companion.resumeRefusal.value = kept('cannot resume non-suspended coroutine')
  companion.closeRefusal.value = kept('cannot close a normal coroutine')

  for (const name of ['resume', 'wrap', 'status', 'close'] as const) {
    lua.lua_pushcclosure(main, runtime.addCFunction(companion[name]), 0)
    runtime.withCString(name, (pointer) => lua.lua_setfield(main, coroutine, pointer))
  }
}
