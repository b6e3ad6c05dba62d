// What the host calls of a guest beside requests: functions it was handed (RPC, signals) and those that a guest assigned to
// members of the `uwsgi` table, which are looked up when they are to be called. One table serves all apps of the worker: of
// two that assign the same hook, the later one wins, as when two modules of one program do.
import type { BytesMap } from '../../host/api/kinds.ts'
import { GuestError } from '../../host/errors.ts'
import { pushBytes, pushDict, pushInteger, pushText, reserveStack } from './convert.ts'
import type { Entries } from './entries.ts'
import { HeldFunction } from './functions.ts'
import { luaType, luaTypeName, type Pointer } from './glue.ts'
import type { HostFunction, LuaRuntime, Reference } from './runtime.ts'

const hookNames = ['post_fork_hook', 'after_req_hook', 'atexit', 'mule_msg_hook', 'spooler'] as const
export type HookName = (typeof hookNames)[number]

/** The functions of guest/entries.lua. */
export interface EntryFunctions {
  readonly call: Reference
  readonly callForText: Reference
}

type MaybePromise<T> = T | Promise<T>

const nothing = (): void => {}

export class GuestHooks {
  readonly #runtime: LuaRuntime
  readonly #entries: Entries
  readonly #functions: EntryFunctions
  readonly #api: Reference
  readonly #names: Readonly<Record<HookName, Reference>>

  /** @param api the `uwsgi` table. Only while booting */
  constructor(runtime: LuaRuntime, entries: Entries, functions: EntryFunctions, api: Reference) {
    this.#runtime = runtime
    this.#entries = entries
    this.#functions = functions
    this.#api = api
    const names = hookNames.map((name) => {
      pushText(runtime, runtime.main, name)
      return [name, runtime.anchor(runtime.main)]
    })
    this.#names = Object.fromEntries(names) as Record<HookName, Reference>
  }

  /**
   * @returns a promise only where it may wait, and does
   * @throws GuestError what the function raised, or when it answered neither a string nor a number nor nil
   */
  rpc(handler: unknown, args: readonly Uint8Array[], mayWait: boolean): MaybePromise<Uint8Array | undefined> {
    const held = this.#held(handler)
    const runtime = this.#runtime
    const pushCall = (L: Pointer): number => {
      reserveStack(runtime, L, args.length + 1)
      held.push(L)
      for (const argument of args) pushBytes(runtime, L, argument)
      return args.length + 1
    }
    return this.#run(mayWait, this.#functions.callForText, pushCall, (thread) => {
      const type = runtime.lua.lua_type(thread, -1)
      if (type === luaType.string) return runtime.copyAt(thread, -1)
      if (type === luaType.nil) return undefined
      throw new GuestError('lua', `the function returned a ${luaTypeName(type)}, not a string or a number`, '')
    })
  }

  /** @throws GuestError what the function raised */
  signal(handler: unknown, signum: number, mayWait: boolean): MaybePromise<true> {
    const held = this.#held(handler)
    const pushCall = (L: Pointer): number => {
      held.push(L)
      pushInteger(this.#runtime, L, signum)
      return 2
    }
    return this.#run(mayWait, this.#functions.call, pushCall, () => true)
  }

  #run<T>(mayWait: boolean, entry: Reference, pushCall: HostFunction, take: (thread: Pointer) => T): MaybePromise<T> {
    return mayWait ? this.#entries.runWaiting(entry, pushCall, take) : this.#entries.run(entry, pushCall, take)
  }

  /** A hook that is called with nothing. @throws GuestError what it raised */
  run(name: HookName): void {
    if (!this.#isSet(name)) return
    this.#entries.run(this.#functions.call, (L) => this.#push(L, name), nothing)
  }

  /** True: there is a `mule_msg_hook`, and it has run. @throws GuestError what it raised */
  muleMessage(message: Uint8Array): boolean {
    if (!this.#isSet('mule_msg_hook')) return false
    const pushCall = (L: Pointer): number => {
      this.#push(L, 'mule_msg_hook')
      pushBytes(this.#runtime, L, message)
      return 2
    }
    this.#entries.run(this.#functions.call, pushCall, nothing)
    return true
  }

  /**
   * What `uwsgi.spooler` answered for a job; 0, not mine, without one; -1, retry, for what is no whole number.
   * @throws GuestError what it raised
   */
  spool(file: string, vars: BytesMap, body: Uint8Array): number {
    const runtime = this.#runtime
    if (!this.#isSet('spooler')) return 0
    // The last ones win: a job's own variables do not pass for these two.
    const job = new Map(vars).set('spooler_task_name', Buffer.from(file))
    if (body.length > 0) job.set('body', body)
    const pushCall = (L: Pointer): number => {
      this.#push(L, 'spooler')
      pushDict(runtime, L, job)
      return 2
    }
    return this.#entries.run(this.#functions.call, pushCall, (thread) => {
      if (runtime.lua.lua_type(thread, -1) !== luaType.number) return -1
      const answer = runtime.lua.lua_tonumberx(thread, -1, 0)
      return Number.isSafeInteger(answer) ? answer : -1
    })
  }

  #held(handler: unknown): HeldFunction {
    if (handler instanceof HeldFunction && handler.belongsTo(this.#runtime)) return handler
    throw new Error('lua: not a function of this interpreter')
  }

  /** False and nil are "not set". Neither this nor pushing a hook allocates, so that a request pays almost nothing for it. */
  #isSet(name: HookName): boolean {
    const { lua, running } = this.#runtime
    if (this.#runtime.isDead) return false
    this.#push(running, name)
    const isSet = lua.lua_toboolean(running, -1) === 1
    lua.lua_settop(running, -2)
    return isSet
  }

  /** Without metamethods, which a guest may have given the table. */
  #push(L: Pointer, name: HookName): number {
    const { lua } = this.#runtime
    this.#runtime.push(L, this.#api)
    this.#runtime.push(L, this.#names[name])
    lua.lua_rawget(L, -2)
    lua.lua_rotate(L, -2, 1)
    lua.lua_settop(L, -2)
    return 1
  }
}
