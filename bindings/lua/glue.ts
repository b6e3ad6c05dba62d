// The Lua 5.4 interpreter: wasmoon's glue.wasm without wasmoon. Its exports are Lua's C API under its own names, and the 27
// functions it imports are ours (system-calls.ts), so none of wasmoon's or Emscripten's JavaScript runs.
// Compiled once, in the master; the modules cross to the workers with the machine code that V8 has made of them so far.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { type WasmMemory, type WasmModule, type WasmTable, wasm } from '../../host/plugin/web-assembly.ts'
import { companionModule, unwindingModule } from './companion.ts'
import { withStopChecks } from './stop-checks.ts'
import { readSections, readUleb, sectionIds } from './wasm-sections.ts'

/** Crosses the fork: what `init` compiles and every worker instantiates. */
export interface LuaModules {
  readonly glue: WasmModule
  readonly unwinding: WasmModule
  readonly companion: WasmModule
}

/** `lua_State *`, `const char *` and the like: addresses in the interpreter's memory. */
export type Pointer = number

/** The part of Lua's C API (Lua 5.4 manual, 4 and 5) that the binding calls. lua_Integer is a bigint. */
export interface LuaExports {
  readonly memory: WasmMemory
  readonly __indirect_function_table: WasmTable
  __wasm_call_ctors(): void
  malloc(size: number): Pointer
  free(block: Pointer): void
  luaL_newstate(): Pointer
  luaopen_base(L: Pointer): number
  luaopen_coroutine(L: Pointer): number
  luaopen_debug(L: Pointer): number
  luaopen_math(L: Pointer): number
  luaopen_os(L: Pointer): number
  luaopen_string(L: Pointer): number
  luaopen_table(L: Pointer): number
  luaopen_utf8(L: Pointer): number
  lua_newthread(L: Pointer): Pointer
  lua_resetthread(L: Pointer): number
  lua_resume(L: Pointer, from: Pointer, argumentCount: number, resultCount: Pointer): number
  lua_pcallk(L: Pointer, argumentCount: number, resultCount: number, handler: number, context: number, k: number): number
  lua_callk(L: Pointer, argumentCount: number, resultCount: number, context: number, k: number): void
  lua_xmove(from: Pointer, to: Pointer, count: number): void
  lua_gettop(L: Pointer): number
  lua_settop(L: Pointer, index: number): void
  lua_rotate(L: Pointer, index: number, count: number): void
  lua_checkstack(L: Pointer, count: number): number
  lua_type(L: Pointer, index: number): number
  lua_isinteger(L: Pointer, index: number): number
  lua_toboolean(L: Pointer, index: number): number
  lua_tonumberx(L: Pointer, index: number, isNumber: Pointer): number
  lua_tointegerx(L: Pointer, index: number, isNumber: Pointer): bigint
  lua_tolstring(L: Pointer, index: number, length: Pointer): Pointer
  lua_tocfunction(L: Pointer, index: number): number
  lua_pushnil(L: Pointer): void
  lua_pushboolean(L: Pointer, value: number): void
  lua_pushnumber(L: Pointer, value: number): void
  lua_pushinteger(L: Pointer, value: bigint): void
  lua_pushlstring(L: Pointer, start: Pointer, length: number): Pointer
  lua_pushcclosure(L: Pointer, tableIndex: number, upvalues: number): void
  lua_pushvalue(L: Pointer, index: number): void
  lua_pushthread(L: Pointer): number
  lua_isyieldable(L: Pointer): number
  /** A mask of 0 takes the hook away. */
  lua_sethook(L: Pointer, hook: number, mask: number, count: number): void
  lua_createtable(L: Pointer, arraySize: number, recordSize: number): void
  lua_newuserdatauv(L: Pointer, size: number, userValues: number): Pointer
  lua_concat(L: Pointer, count: number): void
  lua_rawget(L: Pointer, index: number): number
  lua_rawset(L: Pointer, index: number): void
  lua_rawseti(L: Pointer, index: number, key: bigint): void
  lua_rawgeti(L: Pointer, index: number, key: bigint): number
  lua_getglobal(L: Pointer, name: Pointer): number
  lua_setglobal(L: Pointer, name: Pointer): void
  lua_setfield(L: Pointer, index: number, name: Pointer): void
  lua_getfield(L: Pointer, index: number, name: Pointer): number
  lua_getmetatable(L: Pointer, index: number): number
  lua_setmetatable(L: Pointer, index: number): number
  lua_next(L: Pointer, index: number): number
  luaL_loadbufferx(L: Pointer, start: Pointer, length: number, name: Pointer, mode: Pointer): number
  luaL_ref(L: Pointer, index: number): number
  luaL_unref(L: Pointer, index: number, reference: number): void
  luaL_where(L: Pointer, level: number): void
  luaL_buffinitsize(L: Pointer, buffer: Pointer, size: number): Pointer
  luaL_prepbuffsize(buffer: Pointer, size: number): Pointer
  luaL_pushresult(buffer: Pointer): void
  luaL_pushresultsize(buffer: Pointer, size: number): void
}

export const registryIndex = -1_001_000
/** Pseudo-index of the running host function's upvalue 1. */
export const firstUpvalue = registryIndex - 1

export const luaType = { none: -1, nil: 0, boolean: 1, number: 3, string: 4, table: 5, function: 6, userdata: 7 } as const
const luaTypeNames = ['nil', 'boolean', 'userdata', 'number', 'string', 'table', 'function', 'userdata', 'thread'] as const
/** The name Lua has for a value's type, in messages. */
export const luaTypeName = (type: number): string => luaTypeNames[type] ?? 'value of another type'

/** What lua_resume and lua_pcallk answer; `suspended` is what `LuaRuntime.resume` makes of a yield for the host. */
export const luaStatus = { ok: 0, yield: 1, outOfMemory: 4, suspended: -1 } as const

/** Bytes of a luaL_Buffer in this build (524), rounded up to a multiple of 16, and where in it the number of bytes so far is kept. */
export const luaBuffer = { size: 528, lengthOffset: 8 } as const

export const compileLua = async (): Promise<LuaModules> => {
  const path = createRequire(import.meta.url).resolve('wasmoon/dist/glue.wasm')
  return {
    glue: new wasm.Module(withStopChecks(withSmallMemory(await readFile(path)))),
    unwinding: new wasm.Module(unwindingModule()),
    companion: new wasm.Module(companionModule()),
  }
}

// What glue.wasm needs before its heap begins: static data and a C stack of 1 MiB end at address 1083712.
const initialPages = 17
/** What the module declares as its maximum, 2 GiB. */
export const maximumPages = 32_768

/**
 * The module asks for 16 MiB from the start, which would make that the smallest memory limit. Rewritten to ask for what
 * it needs. The limit itself is not written here, though a maximum in this section would hold too: it is known only in
 * the workers, and a module compiled per worker would share no machine code. The module has no instruction that grows
 * memory, it calls `emscripten_resize_heap`, and system-calls.ts refuses there.
 */
const withSmallMemory = (module: Uint8Array): Uint8Array => {
  const section = readSections(module).find(({ id }) => id === sectionIds.memory)
  if (section !== undefined) {
    const { start } = section
    // One memory with a maximum: `01 01 min max`.
    const [minimum, maximumAt] = readUleb(module, start + 2)
    const [maximum] = readUleb(module, maximumAt)
    if (module[start] === 1 && module[start + 1] === 1 && minimum >= initialPages && maximum === maximumPages) {
      const rewritten = Uint8Array.from(module)
      // Padded to the old length: LEB128 allows leading zeros, and no other section moves.
      for (let index = start + 2; index < maximumAt; index += 1) rewritten[index] = index + 1 < maximumAt ? 0x80 : 0
      rewritten[start + 2] = maximumAt - start === 3 ? initialPages : initialPages | 0x80
      return rewritten
    }
  }
  throw new Error('this build of glue.wasm has another memory section than the one the binding was made for')
}
