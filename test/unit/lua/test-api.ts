// An API made for a test: entries declared where they are used, installed into Lua in place of the real ones.
import { createLuaPlugin } from '../../../bindings/lua/index.ts'
import type { BoundApi, BoundFunction } from '../../../host/api/bind.ts'
import { checkArguments } from '../../../host/api/check-arguments.ts'
import type { GuestFunction } from '../../../host/api/guest-function.ts'
import type { ApiFunction, ApiParameter, ApiResult, ApiValue } from '../../../host/api/kinds.ts'
import type { Plugin } from '../../../host/plugin/plugin.ts'

export const example = { js: '', lua: '', python: '' }

export const param = (name: string, type: ApiParameter['type'], rest: Partial<ApiParameter> = {}): ApiParameter => ({
  name,
  type,
  doc: '',
  ...rest,
})

/** What implementations were called with, in order. */
export const received: ApiValue[][] = []

export const bound = (
  name: string,
  params: readonly ApiParameter[],
  returns: ApiResult,
  // biome-ignore lint/suspicious/noExplicitAny: each implementation knows the types of its own arguments
  implement: (...args: any[]) => ApiValue,
  rest: Partial<ApiFunction> = {},
): BoundFunction => {
  const entry: ApiFunction = {
    shape: 'function',
    name,
    group: 'identity',
    kind: 'immediate',
    params,
    returns,
    raises: [],
    doc: '',
    example,
    ...rest,
  }
  return {
    entry,
    call: (args) => {
      const checked = checkArguments(entry, args)
      received.push(checked)
      return implement(...checked)
    },
  }
}

export const attribute = (name: string, type: ApiResult, value: ApiValue): BoundApi['attributes'][number] => ({
  entry: { shape: 'attribute', name, group: 'identity', type, doc: '', example },
  value,
})

/** The plugin with this API in place of the real one. */
export const pluginWith = (api: Partial<BoundApi>): Plugin => {
  const plugin = createLuaPlugin()
  const whole: BoundApi = { functions: [], attributes: [], hooks: [], ...api }
  const { postFork, mule } = plugin
  plugin.postFork = (context) => postFork?.({ ...context, api: whole })
  plugin.mule = async (program, context) => (await mule?.(program, { ...context, api: whole })) ?? false
  return plugin as Plugin
}

/** Functions by name, as the host's RPC keeps them: a new one under a name releases the old one. */
export class Registry {
  readonly functions = new Map<string, GuestFunction>()

  /** `uwsgi.keep(name, function)` and `uwsgi.call(name, ...)`. */
  readonly entries: readonly BoundFunction[] = [
    bound('keep', [param('name', 'text'), param('handler', 'function')], 'true', (name: string, handler: GuestFunction) => {
      this.functions.get(name)?.release()
      this.functions.set(name, handler)
      return true
    }),
    bound('call', [param('name', 'text'), param('args', 'bytes', { variadic: true })], 'bytes', (name, args) =>
      this.call(name, args),
    ),
  ]

  call(name: string, args: readonly Uint8Array[] = []): Uint8Array | undefined {
    const kept = this.functions.get(name)
    if (kept === undefined) throw new Error(`no function ${name}`)
    return kept.owner.rpc?.(kept.handler, args) as Uint8Array | undefined
  }

  /** With text both ways. */
  callText(name: string, ...args: string[]): string | undefined {
    const result = this.call(
      name,
      args.map((argument) => Buffer.from(argument)),
    )
    return result === undefined ? undefined : Buffer.from(result).toString()
  }
}
