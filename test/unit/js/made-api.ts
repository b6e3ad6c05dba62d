// Boots the JavaScript plugin with an API made by the test: entries with implementations in a line each, arguments checked
// as the server checks them.
import { join } from 'node:path'
import { createJsPlugin, type JsPluginOptions } from '../../../bindings/js/index.ts'
import type { BoundApi, BoundFunction } from '../../../host/api/bind.ts'
import { checkArguments } from '../../../host/api/check-arguments.ts'
import type { ApiFunction, ApiHook, ApiKind, ApiParameter, ApiResult, ApiValue } from '../../../host/api/kinds.ts'
import type { Plugin, WorkerContext } from '../../../host/plugin/plugin.ts'
import type { WsgiRequest } from '../../../host/request/wsgi-request.ts'
import { type HarnessOptions, PluginHarness } from '../../support/plugin-harness.ts'
import { directoryWith } from './js-apps.ts'

export interface MadeFunction {
  readonly params?: readonly (Partial<ApiParameter> & Pick<ApiParameter, 'name' | 'type'>)[]
  readonly returns?: ApiResult
  readonly aliases?: readonly string[]
  /** `blocking` unless given. */
  readonly kind?: ApiKind
  /** The same where the caller need not be parked; absent: there is no such form. */
  // biome-ignore lint/suspicious/noExplicitAny: each test knows what its own function gets
  readonly callAsync?: (...args: any[]) => ApiValue | Promise<ApiValue>
  // biome-ignore lint/suspicious/noExplicitAny: each test knows what its own function gets
  call(...args: any[]): ApiValue
}

export interface MadeApi {
  /** Whole functions, beside those that are made. */
  readonly bound?: readonly BoundFunction[]
  readonly functions?: Readonly<Record<string, MadeFunction>>
  readonly attributes?: Readonly<Record<string, { type: ApiResult; value: ApiValue }>>
  readonly hooks?: readonly string[]
}

const common = { group: 'identity', doc: '', example: { js: '', lua: '', python: '' } } as const

const madeFunctions = (functions: Readonly<Record<string, MadeFunction>>): BoundFunction[] =>
  Object.entries(functions).map(([name, { params = [], returns = 'none', aliases = [], kind = 'blocking', call, callAsync }]) => {
    const entry: ApiFunction = {
      ...common,
      shape: 'function',
      name,
      kind,
      params: params.map((param) => ({ doc: '', ...param })),
      returns,
      raises: [],
      aliases,
    }
    const bound: BoundFunction = { entry, call: (args) => call(...checkArguments(entry, args)) }
    return callAsync === undefined ? bound : { ...bound, callAsync: (args) => callAsync(...checkArguments(entry, args)) }
  })

const boundApi = ({ bound = [], functions = {}, attributes = {}, hooks = [] }: MadeApi): BoundApi => ({
  functions: [...bound, ...madeFunctions(functions)],
  attributes: Object.entries(attributes).map(([name, { type, value }]) => ({
    entry: { ...common, shape: 'attribute', name, type },
    value,
  })),
  hooks: hooks.map((name): ApiHook => ({ ...common, shape: 'hook', name, params: [], returns: 'none' })),
})

export interface Booted {
  readonly plugin: Plugin
  readonly harness: PluginHarness
  readonly context: WorkerContext
  /** Those that the plugin was given, in order. */
  readonly requests: readonly WsgiRequest[]
  /** Mounts an app of one file at the root. */
  mount(source: string): Promise<void>
}

export const bootApi = async (made: MadeApi, options: HarnessOptions & JsPluginOptions = {}): Promise<Booted> => {
  const plugin = createJsPlugin(options) as Plugin
  const api = boundApi(made)
  let context: WorkerContext | undefined
  const requests: WsgiRequest[] = []
  const harness = await PluginHarness.boot(
    {
      ...plugin,
      request: (request) => {
        requests.push(request)
        return plugin.request?.(request) ?? -1
      },
      postFork: async (given) => {
        context = { ...given, api, data: plugin.data }
        await plugin.postFork?.(context)
      },
    },
    options,
  )
  return {
    plugin,
    harness,
    context: context as WorkerContext,
    requests,
    mount: async (source) => {
      await harness.mount(join(directoryWith({ 'app.js': source }), 'app.js'))
    },
  }
}

/**
 * Runs statements in a handler of a guest that has this API, and gives what they return, through JSON.
 * @throws Error with the server's log when the handler failed
 */
export const runWithApi = async (made: MadeApi, body: string): Promise<unknown> => {
  const { harness, mount } = await bootApi(made)
  await mount(`export default async () => Response.json({ value: await (async () => {\n${body}\n})() })`)
  const response = await harness.request()
  if (response.status !== '200 OK') throw new Error(harness.logLines.join('\n'))
  return (JSON.parse(response.text) as { value: unknown }).value
}
