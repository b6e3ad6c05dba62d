// What the configuration wants of whoever loads plugins: it knows what is asked for, and nothing of modules.
import type { PluginSource } from '../plugin/plugin-source.ts'

/** One element of `plugin` or `need-plugin`. */
export interface AskedPlugin {
  /** `[modifier1:]name`, as it was written. */
  readonly text: string
  /** It stands in `need-plugin`: without it there is no start. */
  readonly isRequired: boolean
}

export interface LoadedPlugin {
  readonly name: string
  readonly source: PluginSource
  /** What must be loaded before it, as `plugin` names it. */
  readonly requires: readonly string[]
  /** The options it declares, unchecked. */
  readonly options: unknown
  /** Takes the plugin in, with all that it claims. @throws PolywsgiError PLUGIN_LOAD for what another has */
  claim(): void
}

/** What plugins are looked for in, and what one needs that has to be run to be known. */
export interface PluginSurroundings {
  /** Where bare names are looked for before anywhere else, in this order. */
  readonly directories: readonly string[]
  readonly pythonPath: readonly string[]
  /** `memory-limit`, in bytes; undefined when it is not given. */
  readonly memoryLimit: number | undefined
}

export interface PluginLoader {
  /** Tells which plugins will be loaded next: what all of them need may be done for all at once. Never rejects. */
  prepare?(asked: readonly AskedPlugin[], surroundings: PluginSurroundings): Promise<void>
  /**
   * Loads a plugin, without taking it in.
   * @param directories where bare names are looked for before anywhere else, in this order
   * @returns undefined when there is nothing to load: it is there already
   * @throws PolywsgiError PLUGIN_LOAD; the message is the reason and does not name the plugin
   */
  load(asked: AskedPlugin, directories: readonly string[]): Promise<LoadedPlugin | undefined>
  /** Offers an argument of the command line to the plugins taken in. True: one of them has taken it. @throws PolywsgiError PLUGIN_HOOK */
  magic(argument: string): boolean
}
