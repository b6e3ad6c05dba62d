// For tests of several cores in one Lua state: functions that wait until the test lets them go on, and requests on cores of
// their own.
import type { BoundFunction } from '../../../host/api/bind.ts'
import { checkArguments } from '../../../host/api/check-arguments.ts'
import type { ApiParameter, ApiResult, ApiValue } from '../../../host/api/kinds.ts'
import type { WsgiRequest } from '../../../host/request/wsgi-request.ts'
import { type HarnessOptions, type HarnessRequest, type HarnessResponse, PluginHarness } from '../../support/plugin-harness.ts'
import { mountSource } from './fixture.ts'
import { bound, param, pluginWith, Registry } from './test-api.ts'

/** A function that waits by a promise where it may, and parks otherwise. */
export const waiting = (
  name: string,
  params: readonly ApiParameter[],
  returns: ApiResult,
  // biome-ignore lint/suspicious/noExplicitAny: each implementation knows the types of its own arguments
  ways: { call: (...args: any[]) => ApiValue; callAsync: (...args: any[]) => ApiValue | Promise<ApiValue> },
): BoundFunction => {
  const plain = bound(name, params, returns, ways.call, { kind: 'blocking' })
  return { ...plain, callAsync: (args) => ways.callAsync(...checkArguments(plain.entry, args)) }
}

export class AsyncLua {
  harness!: PluginHarness
  readonly registry = new Registry()
  /** Whom `uwsgi.wait(name)` keeps waiting. */
  readonly gates = new Map<string, PromiseWithResolvers<string>>()
  /** Names with which `uwsgi.wait` was called where nothing can be suspended, and was answered at once. */
  readonly parked: string[] = []
  /** What `uwsgi.note` was called with. */
  readonly notes: string[] = []
  readonly requests: WsgiRequest[] = []
  /** How many chunks were followed by a turn of the others. */
  turns = 0
  readonly #free: number[] = []

  static async boot(cores = 8, options: HarnessOptions & { functions?: readonly BoundFunction[] } = {}): Promise<AsyncLua> {
    const lua = new AsyncLua()
    const plugin = pluginWith({ functions: [...lua.#functions(), ...lua.registry.entries, ...(options.functions ?? [])] })
    const commit = (): Promise<void> => {
      lua.turns += 1
      return new Promise((resolve) => setImmediate(resolve))
    }
    const waits = { isAsync: true, commit } as never
    lua.harness = await PluginHarness.boot(plugin, { cores, ...options, server: { waits, cores, ...options.server } })
    for (let core = cores - 1; core >= 0; core -= 1) lua.#free.push(core)
    return lua
  }

  #functions(): BoundFunction[] {
    return [
      waiting('wait', [param('name', 'text')], 'bytes', {
        call: (name: string) => {
          this.parked.push(name)
          return `parked ${name}`
        },
        callAsync: (name: string) => this.#gate(name).promise,
      }),
      waiting('turn', [], 'true', {
        call: () => {
          this.parked.push('turn')
          return true
        },
        callAsync: () => new Promise<true>((resolve) => setImmediate(resolve, true)),
      }),
      waiting('quick', [], 'bytes', { call: () => 'parked', callAsync: () => 'at once' }),
      waiting('call_later', [param('name', 'text'), param('args', 'bytes', { variadic: true })], 'bytes', {
        call: (name: string, args: Uint8Array[]) => this.registry.call(name, args),
        callAsync: (name: string, args: Uint8Array[]) => this.run(name, args),
      }),
      bound('note', [param('text', 'text')], 'none', (text: string) => void this.notes.push(text)),
      bound('current', [], 'int', () => this.requests.indexOf(this.harness.plugin.currentRequest?.() as WsgiRequest)),
    ]
  }

  /** As the host's RPC calls a function for somebody who can wait. */
  run(name: string, args: readonly Uint8Array[] = []): Promise<Uint8Array | undefined> | Uint8Array | undefined {
    const kept = this.registry.functions.get(name)
    if (kept === undefined) throw new Error(`no function ${name}`)
    return kept.owner.rpc?.(kept.handler, args, true) as Uint8Array | undefined
  }

  #gate(name: string): PromiseWithResolvers<string> {
    const gate = Promise.withResolvers<string>()
    this.gates.set(name, gate)
    return gate
  }

  /** Mounts an app whose handler has this body; `env` is its argument. */
  handler(statements: string, before = ''): Promise<string> {
    return mountSource(this.harness, `${before}\nreturn function(env) ${statements}\nend`)
  }

  /** On a core of its own, which is free again afterwards. */
  async request(request: HarnessRequest): Promise<HarnessResponse> {
    const coreId = this.#free.pop()
    if (coreId === undefined) throw new Error('all cores are taken')
    try {
      return await this.harness.request({
        ...request,
        coreId,
        onOpen: (opened) => {
          this.requests.push(opened)
          request.onOpen?.(opened)
        },
      })
    } finally {
      this.#free.push(coreId)
    }
  }

  /** What a handler with this body answers. */
  async answer(statements: string, before = ''): Promise<string> {
    return (await this.request({ mountpoint: await this.handler(statements, before) })).text
  }

  /** Lets `uwsgi.wait(name)` go on; waits for it to have been called. */
  async open(name: string, value: string | Error = `opened ${name}`): Promise<void> {
    while (!this.gates.has(name)) await tick()
    const gate = this.gates.get(name) as PromiseWithResolvers<string>
    this.gates.delete(name)
    if (value instanceof Error) gate.reject(value)
    else gate.resolve(value)
    await tick()
  }
}

export const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
