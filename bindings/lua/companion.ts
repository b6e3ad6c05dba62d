// Two small wasm modules that stand beside the Lua interpreter (glue.wasm) and do in wasm what would otherwise cross into
// JavaScript and back: error unwinding, the request table, the check behind `setmetatable`, the entry of host functions,
// the looking for an end from outside.
// An `error` or `coroutine.yield` costs two thirds of what unwinding by a JavaScript exception does, the request table likewise
// of one filled from JavaScript. With no JavaScript frame between Lua frames, a stack of them can also be suspended: suspension-code.ts.

import type { WasmTable } from '../../host/plugin/web-assembly.ts'
import { defineStopping, importForStopping, type StoppingExports } from './stopping-code.ts'
import { defineSuspension, importForSuspension, type SuspensionExports } from './suspension-code.ts'
import {
  add,
  block,
  break_,
  breakIf,
  type Code,
  call,
  callIndirect,
  choose,
  constant,
  drop,
  equal,
  extendUnsigned,
  globalGet,
  globalSet,
  greaterUnsigned,
  i32,
  i64,
  if_,
  lessUnsigned,
  load8,
  load16,
  load32,
  load64,
  local,
  loop,
  ModuleBuilder,
  memoryCopy,
  notEqual,
  notEqual64,
  return_,
  shiftRight,
  subtract,
  throw_,
  tryCatch,
} from './wasm-assembler.ts'

export interface WasmGlobal {
  value: number
}

/** Exports of the first module: what glue.wasm imports to unwind. */
export interface Unwinding {
  readonly longjmp: unknown
  /** Place 0 is where `invoke` of the second module goes once it exists. */
  readonly slot: WasmTable
  readonly invoke_vii: unknown
  readonly _emscripten_throw_longjmp: unknown
}

/** Exports of the second module; functions are lua_CFunctions to be put into glue.wasm's table. */
export interface Companion extends SuspensionExports, StoppingExports {
  readonly invoke: unknown
  readonly newEnv: unknown
  readonly setMetatable: unknown
  /** Address of the vars block of the request, and of a place as large for the one before. */
  readonly varsStart: WasmGlobal
  readonly previousStart: WasmGlobal
  /** Address of the u32 that holds the length of the vars block. */
  readonly varsLength: WasmGlobal
  /** The next request is compared with nothing. To be cleared whenever the addresses change. */
  readonly previousEnd: WasmGlobal
  /** Place of Lua's own setmetatable in the table, and the C string that says why it is not called. */
  readonly luaSetMetatable: WasmGlobal
  readonly gcRefusal: WasmGlobal
}

const upvalue = (index: number): Code => constant(-1_001_000 - index)
const typeNil = 0
const typeTable = 5

/**
 * glue.wasm was compiled with longjmp as "throw through `_emscripten_throw_longjmp`, catch in `invoke_vii`". It must have
 * both when it is instantiated, while catching needs its table: hence a first module with a place to be filled later.
 */
export const unwindingModule = (): Uint8Array => {
  const module = new ModuleBuilder()
  const longjmp = module.defineTag('longjmp')
  const slot = module.defineTable('slot', 1)
  const invoke = module.type([i32, i32, i32], [])
  module.defineFunction('invoke_vii', [i32, i32, i32], [], 0, [
    [local.get(0), local.get(1), local.get(2)],
    [constant(0), callIndirect(invoke, slot)],
  ])
  module.defineFunction('_emscripten_throw_longjmp', [], [], 0, [throw_(longjmp)])
  return module.bytes()
}

export const companionModule = (): Uint8Array => {
  const module = new ModuleBuilder()
  const lua = (name: string, params: (typeof i32 | typeof i64)[], results: (typeof i32)[]): number =>
    module.importFunction('lua', name, params, results)
  module.importMemory('lua', 'memory')
  const table = module.importTable('lua', '__indirect_function_table')
  const longjmp = module.importTag('unwinding', 'longjmp')
  const stackSave = lua('stackSave', [], [i32])
  const stackRestore = lua('stackRestore', [i32], [])
  const setThrew = lua('setThrew', [i32, i32], [])
  const luaType = lua('lua_type', [i32, i32], [i32])
  const pushValue = lua('lua_pushvalue', [i32, i32], [])
  const pushString = lua('lua_pushlstring', [i32, i32, i32], [i32])
  const createTable = lua('lua_createtable', [i32, i32, i32], [])
  const rawGet = lua('lua_rawget', [i32, i32], [i32])
  const rawSet = lua('lua_rawset', [i32, i32], [])
  const rawGetIndex = lua('lua_rawgeti', [i32, i32, i64], [i32])
  const rawSetIndex = lua('lua_rawseti', [i32, i32, i64], [])
  const argumentError = lua('luaL_argerror', [i32, i32, i32], [i32])
  const luaError = lua('lua_error', [i32], [i32])
  const suspension = importForSuspension(lua)
  const dispatch = module.importFunction('host', 'dispatch', [i32], [i32])
  const resumed = module.importFunction('host', 'resumed', [i32], [i32])
  const stopping = importForStopping(module)

  // invoke(function, a, b): calls glue.wasm's function in C's idea of setjmp.
  const stackPointer = 3
  module.defineFunction('invoke', [i32, i32, i32], [], 1, [
    [call(stackSave), local.set(stackPointer)],
    block(
      tryCatch(longjmp, [local.get(1), local.get(2), local.get(0), callIndirect(module.type([i32, i32], []), table)]),
      return_,
    ),
    [local.get(stackPointer), call(stackRestore)],
    [constant(1), constant(0), call(setThrew)],
  ])

  defineSuspension(module, suspension, { dispatch, resumed, table, luaError })
  defineStopping(module, stopping, { yieldTo: suspension.yieldTo, luaError })

  // setMetatable(L), upvalue 1 the string `__gc`: refuses a metatable with that field, since finalizers run where nothing
  // can stop them. Setting the field later has no effect in Lua 5.4, so this is the one gate.
  const luaSetMetatable = module.defineGlobal('luaSetMetatable')
  const gcRefusal = module.defineGlobal('gcRefusal')
  module.defineFunction('setMetatable', [i32], [i32], 0, [
    [local.get(0), constant(2), call(luaType), constant(typeTable), equal],
    if_([
      [local.get(0), upvalue(1), call(pushValue)],
      [local.get(0), constant(2), call(rawGet), constant(typeNil), notEqual],
      if_([local.get(0), constant(2), globalGet(gcRefusal), call(argumentError), return_]),
    ]),
    [local.get(0), globalGet(luaSetMetatable), callIndirect(module.type([i32], [i32]), table)],
  ])

  defineNewEnv(module, { createTable, pushString, pushValue, rawSet, rawGetIndex, rawSetIndex })
  return module.bytes()
}

/**
 * newEnv(L), upvalue 1 a table: pushes a table of the vars block, the last of repeated names winning. A block that ends badly
 * reads as if it had ended before that (as in protocol/vars.ts). Most strings of a request are those of the request before,
 * at the same place: the upvalue keeps these, and comparing bytes is cheaper than finding a string by its hash.
 * Invariant: strings in the upvalue belong to the previous block up to `previousEnd`; while they change it is 0, so that
 * an error in the middle leaves nothing to be compared with.
 */
const defineNewEnv = (
  module: ModuleBuilder,
  lua: Record<'createTable' | 'pushString' | 'pushValue' | 'rawSet' | 'rawGetIndex' | 'rawSetIndex', number>,
): void => {
  const varsStart = module.defineGlobal('varsStart')
  const varsLength = module.defineGlobal('varsLength')
  const previousStart = module.defineGlobal('previousStart')
  const previousEnd = module.defineGlobal('previousEnd')
  const stringCount = module.defineGlobal('stringCount')

  const sameBytes = defineSameBytes(module)

  const [state, at, end, key, keyLength, value, valueLength, previous, previousStop, index] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]

  const hasPrevious: Code = [local.get(previous), local.get(previousStop), lessUnsigned]
  const previousLength: Code = [local.get(previous), load16]
  const pushOne = (start: number, length: number): Code => [
    [local.get(index), constant(1), add, local.set(index)],
    [hasPrevious],
    choose(
      [
        [previousLength, local.get(length), equal],
        choose([local.get(start), local.get(previous), constant(2), add, local.get(length), call(sameBytes)], constant(0)),
      ],
      constant(0),
    ),
    if_(
      [local.get(state), upvalue(1), local.get(index), extendUnsigned, call(lua.rawGetIndex), drop],
      [
        [local.get(state), local.get(start), local.get(length), call(lua.pushString), drop],
        [local.get(state), constant(-1), call(lua.pushValue)],
        [local.get(state), upvalue(1), local.get(index), extendUnsigned, call(lua.rawSetIndex)],
      ],
    ),
    hasPrevious,
    if_([local.get(previous), constant(2), add, previousLength, add, local.set(previous)]),
  ]

  module.defineFunction('newEnv', [i32], [i32], 9, [
    [globalGet(varsStart), local.tee(at), globalGet(varsLength), load32, add, local.set(end)],
    [globalGet(previousStart), local.set(previous), globalGet(previousEnd), local.set(previousStop)],
    [constant(0), globalSet(previousEnd)],
    // Room for as many names as last time, and the two that are not request variables.
    [local.get(state), constant(0), globalGet(stringCount), constant(1), shiftRight, constant(2), add, call(lua.createTable)],
    block(
      loop(
        [local.get(at), constant(4), add, local.get(end), greaterUnsigned, breakIf(1)],
        [local.get(at), load16, local.set(keyLength), local.get(at), constant(2), add, local.set(key)],
        [local.get(key), local.get(keyLength), add, constant(2), add, local.tee(value)],
        [local.get(end), greaterUnsigned, breakIf(1)],
        [local.get(value), constant(2), subtract, load16, local.tee(valueLength)],
        [local.get(value), add, local.get(end), greaterUnsigned, breakIf(1)],
        pushOne(key, keyLength),
        pushOne(value, valueLength),
        [local.get(state), constant(-3), call(lua.rawSet)],
        [local.get(value), local.get(valueLength), add, local.set(at)],
        break_(0),
      ),
    ),
    [globalGet(previousStart), globalGet(varsStart), local.get(at), globalGet(varsStart), subtract, memoryCopy],
    [globalGet(previousStart), local.get(at), globalGet(varsStart), subtract, add, globalSet(previousEnd)],
    [local.get(index), globalSet(stringCount)],
    constant(1),
  ])
}

/** sameBytes(a, b, length) → 1 or 0, eight bytes at a time. */
const defineSameBytes = (module: ModuleBuilder): number => {
  const [a, b, length] = [0, 1, 2]
  const step = (width: number, load: Code, differs: number): Code =>
    loop([
      [local.get(length), constant(width - 1), greaterUnsigned],
      if_([
        [local.get(a), load, local.get(b), load, differs],
        if_([constant(0), return_]),
        [local.get(a), constant(width), add, local.set(a)],
        [local.get(b), constant(width), add, local.set(b)],
        [local.get(length), constant(width), subtract, local.set(length)],
        break_(1),
      ]),
    ])
  return module.defineFunction('sameBytes', [i32, i32, i32], [i32], 0, [
    step(8, load64, notEqual64),
    step(1, load8, notEqual),
    constant(1),
  ])
}
