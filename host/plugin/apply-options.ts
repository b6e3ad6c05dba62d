// Hands a plugin the values of its own options, between `onLoad` and `init`.
import { ConfigError } from '../errors.ts'
import { boundedCall } from './bounded-call.ts'
import type { Plugin } from './plugin.ts'
import type { PluginOptionValue } from './plugin-option.ts'
import { thrownMessage } from './thrown.ts'

/**
 * Calls `set` of each option that has a value, in the order in which the plugin declares them.
 * @param values option names to the values that hold
 * @param limitMs how long a `set` may run
 * @throws ConfigError CONFIG_BAD_VALUE naming the plugin and the option, when `set` throws or overruns
 */
export const applyPluginOptions = async (
  plugin: Plugin,
  values: ReadonlyMap<string, PluginOptionValue>,
  limitMs: number,
): Promise<void> => {
  for (const one of plugin.options ?? []) {
    // The kind of the option is the type of its value: the configuration has seen to that.
    const option = one as { readonly name: string; set?(value: PluginOptionValue): void }
    const value = values.get(option.name)
    if (value === undefined || option.set === undefined) continue
    try {
      // It answers at once; one that was written async is held to what it throws all the same.
      await boundedCall<unknown>(() => option.set?.(value), limitMs)
    } catch (error) {
      throw new ConfigError('CONFIG_BAD_VALUE', `plugin ${plugin.name}: ${option.name}: ${thrownMessage(error)}`, {
        cause: error,
      })
    }
  }
}
