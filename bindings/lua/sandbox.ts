// Makes a fresh state ready for apps: opens the libraries that guests may have, installs the API, runs the binding's own Lua
// files, which prune the rest. What those files need of the host is one table of functions, reachable by nobody else.
import { randomInt } from 'node:crypto'
import type { BoundApi } from '../../host/api/bind.ts'
import type { GuestFiles } from '../../host/api/guest-access.ts'
import type { FunctionOwner } from '../../host/api/guest-function.ts'
import { pushBytes, pushInteger, pushText } from './convert.ts'
import { replaceCoroutineFunctions } from './coroutines.ts'
import { Entries } from './entries.ts'
import { ownChunkName } from './errors.ts'
import { fileFunctions } from './files.ts'
import { luaStatus, type Pointer } from './glue.ts'
import describeSource from './guest/describe.lua?raw'
import entriesSource from './guest/entries.lua?raw'
import filesSource from './guest/files.lua?raw'
import modulesSource from './guest/modules.lua?raw'
import pluginSource from './guest/plugin.lua?raw'
import sandboxSource from './guest/sandbox.lua?raw'
import wsapiSource from './guest/wsapi.lua?raw'
import { GuestHooks } from './hooks.ts'
import { pushApi } from './install.ts'
import type { ModuleFiles } from './module-files.ts'
import { ModuleLoads } from './module-loads.ts'
import { PluginFiles } from './plugin-files.ts'
import { readInput, writeError } from './request-streams.ts'
import type { HostFunction, LuaRuntime, Reference } from './runtime.ts'

export interface Sandbox {
  readonly entries: Entries
  readonly hooks: GuestHooks
  /** Lua: loads an app from the arguments of the entry and keeps the function that serves its requests. */
  readonly mount: Reference
  /** Lua: runs the program in the arguments of the entry to its end. */
  readonly runProgram: Reference
  /** Lua: runs the plugin's file in the arguments of the entry; `pluginFiles` has taken what its table holds. */
  readonly loadPlugin: Reference
  readonly pluginFiles: PluginFiles
  /** The function that the last `mount` kept. */
  takeKept(): Reference
  /** The files of each app, by the number that its Lua side knows. */
  readonly moduleFiles: ModuleFiles[]
}

// io and package are never opened: what does not exist needs no removing.
const libraries = ['base', 'coroutine', 'debug', 'math', 'os', 'string', 'table', 'utf8'] as const

/**
 * @param parts.owner whose the functions are that guests hand to the API
 * @throws Error when a step fails, which only want of memory can bring about
 */
export const openSandbox = (
  runtime: LuaRuntime,
  api: BoundApi,
  parts: {
    owner: FunctionOwner
    memoryLimit: number
    isAsync: boolean
    files: GuestFiles
    environment: ReadonlyMap<string, string>
  },
): Sandbox => {
  const { lua, main } = runtime
  const moduleFiles: ModuleFiles[] = []
  for (const library of libraries) {
    lua[`luaopen_${library}`](main)
    if (library === 'coroutine' && parts.isAsync) replaceCoroutineFunctions(runtime, lua.lua_gettop(main))
    if (library === 'base') lua.lua_settop(main, -2)
    else setGlobal(runtime, library)
  }
  pushApi(runtime, api, parts)
  lua.lua_pushvalue(main, -1)
  const apiTable = runtime.anchor(main)
  setGlobal(runtime, 'uwsgi')

  const entries = new Entries(runtime)
  let kept: Reference | undefined
  const keep: HostFunction = (L) => {
    kept = runtime.anchor(L)
    return 0
  }
  const pluginFiles = new PluginFiles(runtime, entries, parts)
  const moduleLoads = new ModuleLoads(runtime)
  const more = {
    arguments: entries.pushArguments,
    keep,
    ...pluginFiles.hostFunctions(),
    ...moduleLoads.hostFunctions(),
    ...fileFunctions(runtime, parts.files, parts.environment),
  }
  pushHost(runtime, moduleFiles, more)
  const host = runtime.anchor(main)
  const pruned = runScript(runtime, sandboxSource, [host], 3) as [Reference, Reference, Reference]
  const [luaLoad, luaTraceback, luaInfo] = pruned
  runScript(runtime, filesSource, [host], 0)
  const [describe, probe, collect] = runScript(runtime, describeSource, [luaTraceback], 3) as [Reference, Reference, Reference]
  runtime.setOwnFunctions({ describe, probe, collect, traceback: luaTraceback })
  const [newWorld] = runScript(runtime, modulesSource, [host, luaLoad], 1) as [Reference]
  const [mount] = runScript(runtime, wsapiSource, [host, newWorld, luaLoad], 1) as [Reference]
  const ownEntries = runScript(runtime, entriesSource, [host, newWorld, luaLoad], 3) as [Reference, Reference, Reference]
  const [call, callForText, runProgram] = ownEntries
  const [loadPlugin] = runScript(runtime, pluginSource, [host, newWorld, luaLoad, luaInfo], 1) as [Reference]
  pluginFiles.setCall(call)
  return {
    entries,
    hooks: new GuestHooks(runtime, entries, { call, callForText }, apiTable),
    mount,
    runProgram,
    loadPlugin,
    pluginFiles,
    moduleFiles,
    takeKept: () => {
      const taken = kept
      kept = undefined
      if (taken === undefined) throw new Error('no function was kept')
      return taken
    },
  }
}

const setGlobal = (runtime: LuaRuntime, name: string): void =>
  runtime.withCString(name, (pointer) => runtime.lua.lua_setglobal(runtime.main, pointer))

/** Runs one of the binding's own files with anchored values as its arguments; anchors what it returns. */
const runScript = (runtime: LuaRuntime, source: string, args: readonly Reference[], resultCount: number): Reference[] => {
  const { lua, main } = runtime
  const bytes = Buffer.from(source)
  const address = runtime.allocate(bytes.length)
  runtime.bytes.set(bytes, address)
  let status = runtime.withCString(`=${ownChunkName}`, (name) => lua.luaL_loadbufferx(main, address, bytes.length, name, 0))
  lua.free(address)
  if (status === luaStatus.ok) {
    for (const argument of args) runtime.push(main, argument)
    status = lua.lua_pcallk(main, args.length, resultCount, 0, 0, 0)
  }
  if (status !== luaStatus.ok) throw new Error(`Lua does not start: ${runtime.latin1At(main, -1)}`)
  // From the top down.
  return Array.from({ length: resultCount }, () => runtime.anchor(main)).reverse()
}

const pushHost = (
  runtime: LuaRuntime,
  moduleFiles: readonly ModuleFiles[],
  more: Readonly<Record<string, HostFunction>>,
): void => {
  const { lua, main } = runtime
  lua.lua_createtable(main, 0, 16)
  const setField = (name: string): void => runtime.withCString(name, (pointer) => lua.lua_setfield(main, -2, pointer))

  const functions: Record<string, HostFunction> = {
    log: (L) => {
      runtime.log.bytes(runtime.bytesAt(L, 1).slice())
      return 0
    },
    // CPU time of this thread: a worker is what a process is to the standalone interpreter.
    clock: (L) => {
      const { user, system } = process.threadCpuUsage()
      lua.lua_pushnumber(L, (user + system) / 1e6)
      return 1
    },
    randomInteger: (L) => {
      pushInteger(runtime, L, (BigInt(randomInt(2 ** 32)) << 31n) | BigInt(randomInt(2 ** 31)))
      return 1
    },
    newObject: (L) => {
      lua.lua_newuserdatauv(L, 0, 0)
      lua.lua_pushvalue(L, 1)
      lua.lua_setmetatable(L, -2)
      return 1
    },
    findModule: (L) => {
      const found = moduleFiles[lua.lua_tonumberx(L, 1, 0)]!.find(runtime.latin1At(L, 2))
      if ('reason' in found) return pushNilAndReason(runtime, L, found.reason)
      pushText(runtime, L, found.file)
      return 1
    },
    readModule: (L) => {
      const read = moduleFiles[lua.lua_tonumberx(L, 1, 0)]!.read(runtime.latin1At(L, 2))
      if ('reason' in read) return pushNilAndReason(runtime, L, read.reason)
      pushBytes(runtime, L, read.source)
      return 1
    },
    ...more,
    readInput: readInput(runtime),
    writeError: writeError(runtime),
  }
  for (const [name, serve] of Object.entries(functions)) {
    runtime.pushFunction(main, serve)
    setField(name)
  }
  pushNewEnv(runtime)
  setField('newEnv')
  pushSetMetatable(runtime)
  setField('setMetatable')
}

const pushNilAndReason = (runtime: LuaRuntime, L: Pointer, reason: string): number => {
  runtime.lua.lua_pushnil(L)
  pushText(runtime, L, reason)
  return 2
}

const pushNewEnv = (runtime: LuaRuntime): void => {
  runtime.lua.lua_createtable(runtime.main, 0, 0)
  runtime.lua.lua_pushcclosure(runtime.main, runtime.addCFunction(runtime.companion.newEnv), 1)
}

const pushSetMetatable = (runtime: LuaRuntime): void => {
  const { lua, main, companion } = runtime
  runtime.withCString('setmetatable', (name) => lua.lua_getglobal(main, name))
  companion.luaSetMetatable.value = lua.lua_tocfunction(main, -1)
  lua.lua_settop(main, -2)
  companion.gcRefusal.value = runtime.newCString("'__gc' is not available: finalizers cannot be stopped")
  pushText(runtime, main, '__gc')
  lua.lua_pushcclosure(main, runtime.addCFunction(companion.setMetatable), 1)
}
