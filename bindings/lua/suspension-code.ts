// The part of the companion module that suspends Lua: the entry of host functions, which may yield in place of returning, and
// the coroutine functions of guests, through which such a yield has to pass.
// A yield ends at the innermost lua_resume. Where that is a guest's own, the functions here yield once more, in the coroutine
// that resumed, and so up to the thread that the host resumed; afterwards each resumes what it had resumed. That a yield is the
// host's is told by a flag of this module, set right before it: no value stands for it, so none can be kept, shown or forged.
// Invariants: between setting the flag and the host's taking it back no Lua code runs; a coroutine that waits for the host is
// marked, and a guest can neither resume nor close one that is.
import type { WasmGlobal } from './companion.ts'
import {
  and,
  type Code,
  call,
  callIndirect,
  choose,
  constant,
  drop,
  equal,
  globalGet,
  globalSet,
  i32,
  type i64,
  if_,
  lessSigned,
  load8,
  local,
  type ModuleBuilder,
  notEqual,
  or,
  return_,
  store8,
  subtract,
} from './wasm-assembler.ts'

export interface SuspensionExports {
  readonly hostCall: unknown
  /** lua_KFunctions; their places in the table go into the globals of similar names. */
  readonly hostResumed: unknown
  readonly resumeAgain: unknown
  readonly wrapAgain: unknown
  readonly hostResumedAt: WasmGlobal
  readonly resumeAgainAt: WasmGlobal
  readonly wrapAgainAt: WasmGlobal
  /** Not 0: the yield that has just reached the host was a host function's. To be cleared by who sees it. */
  readonly suspending: WasmGlobal
  /** What stands in place of Lua's own functions. */
  readonly resume: unknown
  readonly wrap: unknown
  /** What `wrap` makes; upvalue 1 is the coroutine. */
  readonly wrapped: unknown
  readonly status: unknown
  readonly close: unknown
  readonly wrappedAt: WasmGlobal
  /** Places of Lua's own functions. */
  readonly luaResume: WasmGlobal
  readonly luaCreate: WasmGlobal
  readonly luaWrapped: WasmGlobal
  readonly luaStatus: WasmGlobal
  readonly luaClose: WasmGlobal
  /** C strings. */
  readonly normalText: WasmGlobal
  readonly resumeRefusal: WasmGlobal
  readonly closeRefusal: WasmGlobal
}

/** What `dispatch` and `resumed` answer when the function is to be suspended; hostCall raises for every other one below 0. */
export const suspend = -2

/**
 * The byte that Lua keeps for its host in front of each thread (LUA_EXTRASPACE, 4 bytes here; 0 at first). `isHosts`: only the
 * host may resume it. `cannotWait`: it was resumed from where Lua cannot yield, or from a thread with this mark.
 */
export const threadMark = { distance: 4, isHosts: 1, cannotWait: 2 } as const

type ImportLua = (name: string, params: (typeof i32 | typeof i64)[], results: (typeof i32)[]) => number

/** Declares its imports first of all: to be called before anything else is defined. */
export const importForSuspension = (lua: ImportLua) => ({
  yieldTo: lua('lua_yieldk', [i32, i32, i32, i32], [i32]),
  isYieldable: lua('lua_isyieldable', [i32], [i32]),
  toThread: lua('lua_tothread', [i32, i32], [i32]),
  setTop: lua('lua_settop', [i32, i32], []),
  pushBoolean: lua('lua_pushboolean', [i32, i32], []),
  pushText: lua('lua_pushstring', [i32, i32], [i32]),
  pushClosure: lua('lua_pushcclosure', [i32, i32, i32], []),
  where: lua('luaL_where', [i32, i32], []),
  concat: lua('lua_concat', [i32, i32], []),
})

interface Parts {
  readonly table: number
  readonly luaError: number
  readonly dispatch: number
  readonly resumed: number
}

export const defineSuspension = (
  module: ModuleBuilder,
  lua: ReturnType<typeof importForSuspension>,
  { table, luaError, dispatch, resumed }: Parts,
): void => {
  const suspending = module.defineGlobal('suspending')
  const function_ = module.type([i32], [i32])
  const original = (at: number): Code => [local.get(0), globalGet(at), callIndirect(function_, table)]
  const yieldUp = (continuation: number): Code => [
    [local.get(0), constant(0), constant(0), globalGet(continuation), call(lua.yieldTo), return_],
  ]

  // hostCall(L): JavaScript answers with the number of results, or -1 with the error to raise on top of the stack, or that the
  // function waits. Raising and yielding here keeps the unwinding out of JavaScript's frames.
  const hostResumedAt = module.defineGlobal('hostResumedAt')
  const answered = (ask: number, results: number): Code => [
    [local.get(0), call(ask), local.tee(results), constant(0), lessSigned],
    if_([
      [local.get(results), constant(suspend), equal],
      if_([constant(1), globalSet(suspending), yieldUp(hostResumedAt)]),
      [local.get(0), call(luaError), return_],
    ]),
    local.get(results),
  ]
  module.defineFunction('hostCall', [i32], [i32], 1, answered(dispatch, 1))
  // Continuations get (L, status, context).
  module.defineFunction('hostResumed', [i32, i32, i32], [i32], 1, answered(resumed, 3))

  const markOf = (thread: number): Code => [local.get(thread), constant(threadMark.distance), subtract]
  const isHosts = (thread: number): Code => [markOf(thread), load8, constant(threadMark.isHosts), and]
  // Puts a mark: the address, then the value.
  const put = (thread: number, value: Code): Code => [markOf(thread), value, store8]

  /** Runs Lua's own function, which resumes `co`, and yields in its place when `co` has yielded to the host. */
  const resumeInto = (co: number, results: number, own: number, continuation: number, keep: number): Code => [
    put(co, [
      [markOf(0), load8, constant(threadMark.cannotWait), and],
      [local.get(0), call(lua.isYieldable)],
      choose(constant(0), constant(threadMark.cannotWait)),
      or,
    ]),
    [original(own), local.set(results)],
    globalGet(suspending),
    if_([
      put(co, [markOf(co), load8, constant(threadMark.isHosts), or]),
      [local.get(0), constant(keep), call(lua.setTop)],
      yieldUp(continuation),
    ]),
    local.get(results),
  ]
  const raise = (text: number): Code => [
    [local.get(0), constant(1), call(lua.where)],
    [local.get(0), globalGet(text), call(lua.pushText), drop],
    [local.get(0), constant(2), call(lua.concat)],
    [local.get(0), call(luaError), return_],
  ]
  const argument: Code = [local.get(0), constant(1), call(lua.toThread)]
  const upvalue: Code = [local.get(0), constant(-1_001_001), call(lua.toThread)]
  const [co, results] = [1, 2]

  const luaResume = module.defineGlobal('luaResume')
  const resumeAgainAt = module.defineGlobal('resumeAgainAt')
  const resumeRefusal = module.defineGlobal('resumeRefusal')
  module.defineFunction('resume', [i32], [i32], 2, [
    [argument, local.tee(co), constant(0), equal],
    if_([original(luaResume), return_]),
    isHosts(co),
    if_([
      [local.get(0), constant(0), call(lua.pushBoolean)],
      [local.get(0), globalGet(resumeRefusal), call(lua.pushText), drop],
      [constant(2), return_],
    ]),
    resumeInto(co, results, luaResume, resumeAgainAt, 1),
  ])
  module.defineFunction('resumeAgain', [i32, i32, i32], [i32], 2, [
    [argument, local.set(co + 2)],
    resumeInto(co + 2, results + 2, luaResume, resumeAgainAt, 1),
  ])

  const luaWrapped = module.defineGlobal('luaWrapped')
  const wrapAgainAt = module.defineGlobal('wrapAgainAt')
  module.defineFunction('wrapped', [i32], [i32], 2, [
    [upvalue, local.set(co)],
    isHosts(co),
    if_(raise(resumeRefusal)),
    resumeInto(co, results, luaWrapped, wrapAgainAt, 0),
  ])
  module.defineFunction('wrapAgain', [i32, i32, i32], [i32], 2, [
    [upvalue, local.set(co + 2)],
    resumeInto(co + 2, results + 2, luaWrapped, wrapAgainAt, 0),
  ])
  const luaCreate = module.defineGlobal('luaCreate')
  const wrappedAt = module.defineGlobal('wrappedAt')
  module.defineFunction('wrap', [i32], [i32], 0, [
    [original(luaCreate), drop],
    [local.get(0), globalGet(wrappedAt), constant(1), call(lua.pushClosure)],
    constant(1),
  ])

  // One that waits for the host is to other code what one is that has resumed another: normal.
  const isAnothersHosts: Code = [
    [argument, local.tee(co), constant(0), notEqual],
    choose([local.get(co), local.get(0), notEqual], constant(0)),
    choose(isHosts(co), constant(0)),
  ]
  const luaStatus = module.defineGlobal('luaStatus')
  const normalText = module.defineGlobal('normalText')
  module.defineFunction('status', [i32], [i32], 1, [
    isAnothersHosts,
    if_([
      [local.get(0), globalGet(normalText), call(lua.pushText), drop],
      [constant(1), return_],
    ]),
    original(luaStatus),
  ])
  const luaClose = module.defineGlobal('luaClose')
  const closeRefusal = module.defineGlobal('closeRefusal')
  module.defineFunction('close', [i32], [i32], 1, [isAnothersHosts, if_(raise(closeRefusal)), original(luaClose)])
}
