// Plugins written as Lua files, in one state: what their tables held, and the calls of their hooks.
import type { FunctionOwner } from '../../host/api/guest-function.ts'
import type { BytesMap } from '../../host/api/kinds.ts'
import { type GuestDeclarations, type Plain, Unfit } from '../../host/plugin/guest-description.ts'
import { type GuestHookName, type GuestParameter, guestHooks } from '../../host/plugin/guest-hooks.ts'
import type { GuestAnswer, GuestArgument, GuestContext, GuestFile } from '../../host/plugin/guest-plugin.ts'
import { GuestRequests, type ServedRequest } from '../../host/plugin/guest-request.ts'
import type { Plugin } from '../../host/plugin/plugin.ts'
import { pushBytes, pushDict, pushInteger, pushText, reserveStack } from './convert.ts'
import type { Entries } from './entries.ts'
import { luaType, luaTypeName, type Pointer } from './glue.ts'
import { pushPlain, readPlain } from './plain.ts'
import { RequestObjects } from './request-object.ts'
import type { HostFunction, LuaRuntime, Reference } from './runtime.ts'

interface Hook {
  readonly line: number
  readonly reference: Reference
}

/** What one file's table held. */
interface Contents {
  readonly values: Map<string, Plain>
  readonly hooks: Map<string, Hook>
}

export class PluginFiles {
  readonly #runtime: LuaRuntime
  readonly #entries: Entries
  readonly #requests: GuestRequests
  readonly #objects: RequestObjects
  #contents: Contents = { values: new Map(), hooks: new Map() }
  #call: Reference = 0n

  /** @param owner whose the functions are that guests hand to the API. Only while booting */
  constructor(runtime: LuaRuntime, entries: Entries, parts: { owner: FunctionOwner; memoryLimit: number }) {
    this.#runtime = runtime
    this.#entries = entries
    this.#requests = new GuestRequests(parts.memoryLimit)
    this.#objects = new RequestObjects(runtime, this.#requests, parts.owner)
  }

  /** What guest/plugin.lua needs of the host. */
  hostFunctions(): Readonly<Record<'keepHook' | 'keepValue' | 'keepApp', HostFunction>> {
    const runtime = this.#runtime
    const { lua } = runtime
    return {
      keepHook: (L) => {
        const line = lua.lua_tonumberx(L, 2, 0)
        lua.lua_settop(L, 3)
        this.#contents.hooks.set(runtime.latin1At(L, 1), { line, reference: runtime.anchor(L) })
        return 0
      },
      keepValue: (L) => {
        const name = runtime.latin1At(L, 1)
        this.#contents.values.set(name, readNamed(runtime, L, name))
        return 0
      },
      keepApp: (L) => {
        pushInteger(runtime, L, runtime.anchor(L))
        return 1
      },
    }
  }

  /** @param call the function of guest/entries.lua that calls what it is given */
  setCall(call: Reference): void {
    this.#call = call
  }

  /** The file that guest/plugin.lua has just run. */
  takeLoaded(file: string, language: Plugin): GuestFile {
    const { values, hooks } = this.#contents
    this.#contents = { values: new Map(), hooks: new Map() }
    const functions = new Map(Array.from(hooks, ([name, { line }]) => [name, line]))
    const declarations: GuestDeclarations = { file, values, functions, isStrict: true }
    const contexts = new WeakMap<GuestContext, Reference>()
    return {
      language,
      declarations,
      requests: this.#requests,
      call: (name, args) => this.#callHook(name, hooks.get(name) as Hook, contexts, args),
    }
  }

  #callHook(name: GuestHookName, hook: Hook, contexts: WeakMap<GuestContext, Reference>, args: readonly GuestArgument[]) {
    const runtime = this.#runtime
    const { params } = guestHooks[name]
    const pushCall: HostFunction = (L) => {
      reserveStack(runtime, L, params.length + 1)
      runtime.push(L, hook.reference)
      params.forEach((param: GuestParameter, index) => {
        if (param === 'context') this.#pushContext(L, contexts, args[index] as GuestContext)
        else this.#push(L, param, args[index])
      })
      return params.length + 1
    }
    return this.#entries.run(this.#call, pushCall, (thread) => this.#answerAt(thread))
  }

  #push(L: Pointer, param: Exclude<GuestParameter, 'context'>, value: GuestArgument): void {
    const runtime = this.#runtime
    switch (param) {
      case 'request':
        return this.#objects.push(L, value as ServedRequest)
      case 'text':
        return pushText(runtime, L, value as string)
      case 'int':
        return pushInteger(runtime, L, value as number)
      case 'bytes':
        return pushBytes(runtime, L, value as Uint8Array)
      case 'dict':
        return pushDict(runtime, L, value as BytesMap)
    }
  }

  /** One table for all hooks of a file. */
  #pushContext(L: Pointer, contexts: WeakMap<GuestContext, Reference>, context: GuestContext): void {
    const runtime = this.#runtime
    const known = contexts.get(context)
    if (known !== undefined) return runtime.push(L, known)
    pushPlain(runtime, L, context as never)
    runtime.lua.lua_pushvalue(L, -1)
    contexts.set(context, runtime.anchor(L))
  }

  #answerAt(thread: Pointer): GuestAnswer {
    const { lua } = this.#runtime
    const type = lua.lua_type(thread, -1)
    switch (type) {
      case luaType.none:
      case luaType.nil:
        return undefined
      case luaType.boolean:
        return lua.lua_toboolean(thread, -1) === 1
      case luaType.number:
        return lua.lua_tonumberx(thread, -1, 0)
      default:
        return new Unfit(luaTypeName(type))
    }
  }
}

const readNamed = (runtime: LuaRuntime, L: Pointer, name: string): Plain => {
  try {
    return readPlain(runtime, L, 2)
  } catch (error) {
    throw new Error(`${name} cannot be read: ${(error as Error).message}`)
  }
}
