// Functions that plugins expose for hooks: found by name, called within a time.
import { boundedCall, OverrunError } from '../plugin/bounded-call.ts'
import { functionsOf } from '../plugin/import-plugin.ts'
import type { Plugin, PluginFunction } from '../plugin/plugin.ts'
import { reportOf } from '../plugin/plugin-hooks.ts'
import { isThrown, promised } from '../plugin/thrown.ts'
import type { WsgiRequest } from '../request/wsgi-request.ts'
import { ActionFailure, type HookEnvironment } from './action.ts'

export interface FoundFunction {
  readonly plugin: Plugin
  readonly symbol: string
  readonly call: PluginFunction
}

/** @param symbol the function's name, of the first plugin that has it; or `plugin.name` */
export const findFunction = (symbol: string, plugins: readonly Plugin[]): FoundFunction | undefined => {
  const of = (plugin: Plugin, name: string): FoundFunction | undefined => {
    const functions = functionsOf(plugin)
    if (!Object.hasOwn(functions, name)) return undefined
    return { plugin, symbol, call: functions[name] as PluginFunction }
  }
  for (const plugin of plugins) {
    const found = of(plugin, symbol)
    if (found !== undefined) return found
  }
  const dot = symbol.indexOf('.')
  const owner = plugins.find(({ name, alias }) => [name, alias].includes(symbol.slice(0, Math.max(0, dot))))
  return owner === undefined ? undefined : of(owner, symbol.slice(dot + 1))
}

/**
 * @returns what the function returned, 0 for nothing
 * @throws ActionFailure when it throws or takes too long
 */
export const callFunction = async (
  { plugin, symbol, call }: FoundFunction,
  argument: string | undefined,
  { callLimitMs }: Pick<HookEnvironment, 'callLimitMs'>,
): Promise<number> => {
  try {
    return (await boundedCall(() => call(argument), callLimitMs)) ?? 0
  } catch (error) {
    throw new ActionFailure(functionFailure(plugin, symbol, error), { cause: error })
  }
}

/** `plugin useless: function hello raised: Error: ...`, with the guest's own traceback where the plugin knows it. */
export const functionFailure = (plugin: Plugin, symbol: string, error: unknown): string => {
  const name = `plugin ${plugin.name}: function ${symbol}`
  if (isThrown(error, OverrunError)) return `${name} ${error.message}`
  return `${name} raised: ${reportOf(plugin, error)}`
}

/**
 * The functions of `after-request-hook` in one worker. What one throws is told in the log.
 * @throws ActionFailure for a symbol that no plugin has
 */
export const afterRequestCalls = (
  symbols: readonly string[],
  plugins: readonly Plugin[],
  log: (line: string) => void,
): ((request: WsgiRequest) => void) | undefined => {
  if (symbols.length === 0) return undefined
  const functions = symbols.map((symbol) => {
    const found = findFunction(symbol, plugins)
    if (found === undefined) throw new ActionFailure(`unable to find symbol/function "${symbol}"`)
    return found
  })
  return (request) => {
    for (const { plugin, symbol, call } of functions) {
      const failed = (error: unknown): void => log(functionFailure(plugin, symbol, error))
      try {
        const outcome = call(undefined, request)
        promised(outcome)?.catch(failed)
      } catch (error) {
        failed(error)
      }
    }
  }
}
