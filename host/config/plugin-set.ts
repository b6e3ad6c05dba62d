// The plugins that a configuration asks for, and what each adds to its table. They are found before anything is judged: an
// option that nobody knows may be that of a plugin which is named after it, in a file that is read later.
import { PluginLoadError, PolywsgiError } from '../errors.ts'
import type { PluginSource } from '../plugin/plugin-source.ts'
import { Expansion, type ExpansionContext } from './expand.ts'
import { hasSetting } from './option.ts'
import { type OptionTable, ownOptions } from './option-table.ts'
import type { AskedPlugin, LoadedPlugin, PluginLoader, PluginSurroundings } from './plugin-loader.ts'
import { BadPluginOption, pluginRows } from './plugin-rows.ts'
import { typed } from './resolve.ts'
import { shown } from './shown.ts'

/** What is asked for, in the order of asking. */
export interface Asked extends PluginSurroundings {
  readonly plugins: readonly AskedPlugin[]
}

/** @throws ConfigError */
export const askedFor = (context: ExpansionContext): Asked => {
  const expansion = new Expansion(context)
  const directories: string[] = []
  const pythonPath: string[] = []
  let memoryLimit: number | undefined
  const plugins = new Map<string, AskedPlugin>()
  for (const directive of context.store.all()) {
    const option = context.table.find(directive.name)?.option
    if (option === undefined || !hasSetting(option) || !pluginOptions.has(option.name)) continue
    const value = typed(option, directive, expansion.value(directive))
    const items = value as readonly string[]
    if (option.name === 'memory-limit') memoryLimit = value as number
    else if (option.name === 'pythonpath') pythonPath.push(...items)
    else if (option.name === 'plugins-dir') directories.push(...items)
    else {
      for (const text of items) {
        // Asked for twice, it is needed if it is so once.
        const isRequired = option.name === 'need-plugin' || plugins.get(text)?.isRequired === true
        plugins.set(text, { text, isRequired })
      }
    }
  }
  return { plugins: [...plugins.values()], directories, pythonPath, memoryLimit }
}

const pluginOptions: ReadonlySet<string> = new Set(['plugin', 'need-plugin', 'plugins-dir', 'pythonpath', 'memory-limit'])

export class PluginSet {
  readonly #loader: PluginLoader
  readonly #tried = new Set<string>()
  readonly #failed = new Set<string>()
  readonly #sources: PluginSource[] = []
  readonly #failures: string[] = []
  #table = ownOptions

  constructor(loader: PluginLoader) {
    this.#loader = loader
  }

  /** Our own options and those of the plugins. */
  get table(): OptionTable {
    return this.#table
  }

  /** In the order of loading. */
  get sources(): readonly PluginSource[] {
    return this.#sources
  }

  /** Why a plugin is not there, a line for each. */
  get failures(): readonly string[] {
    return this.#failures
  }

  magic(argument: string): boolean {
    return this.#loader.magic(argument)
  }

  /**
   * Loads what was not tried before.
   * @returns whether there was something; then the table may be larger, and the configuration say more
   * @throws PolywsgiError PLUGIN_LOAD for a required plugin that cannot be had
   */
  async add({ plugins, ...surroundings }: Asked): Promise<boolean> {
    const { directories } = surroundings
    const fresh = plugins.filter(({ text }) => !this.#tried.has(text))
    if (fresh.length > 0) await this.#loader.prepare?.(fresh, surroundings)
    for (const asked of fresh) {
      if (!this.#tried.has(asked.text)) await this.#load(asked, directories)
    }
    return fresh.length > 0
  }

  async #load(asked: AskedPlugin, directories: readonly string[]): Promise<void> {
    this.#tried.add(asked.text)
    try {
      const loaded = await this.#loader.load(asked, directories)
      if (loaded === undefined) return
      for (const text of loaded.requires) await this.#require(text, directories)
      this.#take(loaded)
    } catch (error) {
      if (!(error instanceof PolywsgiError || error instanceof BadPluginOption)) throw error
      const failure = new PluginLoadError(shown(asked.text), error.message, { cause: error })
      this.#failures.push(failure.message)
      this.#failed.add(asked.text)
      if (asked.isRequired) throw failure
    }
  }

  /** Two plugins that require each other are both loaded: the one that was begun first counts as there. */
  async #require(text: string, directories: readonly string[]): Promise<void> {
    if (!this.#tried.has(text)) await this.#load({ text, isRequired: false }, directories)
    if (this.#failed.has(text))
      throw new PolywsgiError('PLUGIN_LOAD', `it requires the plugin '${shown(text)}', which is not there`)
  }

  #take(loaded: LoadedPlugin): void {
    const { name, source, options } = loaded
    const same = this.#sources.findIndex(({ url }) => url === source.url)
    if (same !== -1) {
      // Loaded already under another spelling, as uWSGI has it: once is enough.
      const earlier = this.#sources[same]!
      this.#sources[same] = { ...earlier, isRequired: earlier.isRequired || source.isRequired }
      return
    }
    const table = this.#table.with(pluginRows(name, options, this.#table))
    loaded.claim()
    this.#table = table
    this.#sources.push(source)
  }
}
