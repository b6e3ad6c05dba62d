// The plugins of one configuration: found, imported and checked while it is read, listed for --plugins-list. Nothing of a
// plugin is called here but `magic`. Those that are always there are imported with the first other one: it must not claim what
// they have. Those that are written in a guest's language are not imported but read, in a thread of their own.
import type { AskedPlugin, LoadedPlugin, PluginLoader, PluginSurroundings } from './config/index.ts'
import { PolywsgiError } from './errors.ts'
import { type Described, describeGuestPlugins } from './master/describe-plugins.ts'
import { boundedSync } from './plugin/bounded-call.ts'
import { standInFor } from './plugin/guest-description.ts'
import { importPlugin, requirementsOf } from './plugin/import-plugin.ts'
import { type LocatedPlugin, locatePlugin } from './plugin/locate.ts'
import type { Plugin } from './plugin/plugin.ts'
import { hookFailure } from './plugin/plugin-hooks.ts'
import type { PluginSource } from './plugin/plugin-source.ts'
import { PluginRegistry } from './plugin/registry.ts'

/** As `plugin-timeout` has it; what the configuration says of that is not known yet. */
const standardLimitMs = 30_000
const moduleExtension = /\.(?:[cm]?js|[cm]?ts)$/

/** As `memory-limit` has it. */
const standardMemoryLimit = 256 * 1024 * 1024

export interface ModulePluginsOptions {
  /** URLs of the plugins that are always there. */
  readonly builtIn: readonly string[]
  /** Where paths begin, and from where packages are seen. */
  readonly cwd: string
  /** URL of what threads run that read plugins in a guest's language. */
  readonly describeEntry: string
  readonly version: string
  /** How long a plugin's module, and its `magic`, may take. */
  readonly limitMs?: number
}

export class ModulePlugins implements PluginLoader {
  readonly #options: ModulePluginsOptions
  readonly #limitMs: number
  /** What files in a guest's language say of themselves, by their URLs. */
  readonly #described = new Map<string, Described>()
  readonly #builtInUrls = new Map<Plugin, string>()
  readonly #registry = new PluginRegistry()
  #isBuiltInThere = false

  constructor(options: ModulePluginsOptions) {
    this.#options = options
    this.#limitMs = options.limitMs ?? standardLimitMs
  }

  async prepare(asked: readonly AskedPlugin[], surroundings: PluginSurroundings): Promise<void> {
    const { directories, pythonPath, memoryLimit = standardMemoryLimit } = surroundings
    const ofLanguage = new Map<Plugin, PluginSource[]>()
    for (const { text, isRequired } of asked) {
      const located = this.#located(text, directories)
      if (located === undefined || this.#described.has(located.url)) continue
      await this.#importBuiltIn()
      const language = this.#languageOf(located.url)
      if (language === undefined) continue
      ofLanguage.set(language, [...(ofLanguage.get(language) ?? []), { text, isRequired, ...located }])
    }
    const { describeEntry: entry, version } = this.#options
    for (const [language, sources] of ofLanguage) {
      const languageUrl = this.#builtInUrls.get(language) ?? ''
      const described = await describeGuestPlugins(sources, { entry, version, languageUrl, memoryLimit, pythonPath })
      for (const [index, outcome] of described.entries()) this.#described.set(sources[index]?.url ?? '', outcome)
    }
  }

  async load({ text, isRequired }: AskedPlugin, directories: readonly string[]): Promise<LoadedPlugin | undefined> {
    const located = locatePlugin(text, directories, this.#options.cwd)
    if (located === undefined) return undefined
    await this.#importBuiltIn()
    const source: PluginSource = { text, isRequired, ...located }
    if (!moduleExtension.test(new URL(located.url).pathname)) return await this.#ofLanguage(source, directories)
    const plugin = await this.#import(text, located.url)
    if (located.modifier1 !== undefined && plugin.request === undefined) throw servesNothing()
    const { name, options = [] } = plugin
    return { name, source, requires: requirementsOf(plugin), options, claim: () => this.#registry.add(plugin, source) }
  }

  async #import(text: string, url: string): Promise<Plugin> {
    // There is no log yet, and a process that ends without a word leaves its operator nothing to go by.
    const tell = (code: number): void => {
      process.stderr.write(`!!! the plugin ${text} has ended the process while it was loaded (exit code ${code}) !!!\n`)
    }
    process.once('exit', tell)
    try {
      return await importPlugin(url, this.#limitMs)
    } finally {
      process.off('exit', tell)
    }
  }

  /** A plugin in a guest's language: its own description says what it claims. */
  async #ofLanguage(source: PluginSource & LocatedPlugin, directories: readonly string[]): Promise<LoadedPlugin> {
    if (!this.#described.has(source.url)) await this.prepare([source], { directories, pythonPath: [], memoryLimit: undefined })
    const language = this.#languageOf(source.url)
    const description = this.#described.get(source.url)
    if (language === undefined || description === undefined) {
      throw new PolywsgiError('PLUGIN_LOAD', 'it is no JavaScript or TypeScript module, and no plugin loads plugins of its kind')
    }
    if (description instanceof PolywsgiError) throw description
    if (source.modifier1 !== undefined && !description.hooks.includes('request')) throw servesNothing()
    const { name, options } = description
    const described: PluginSource = { ...source, language: language.name, description }
    return { name, source: described, requires: [], options, claim: () => this.#registry.add(standInFor(description), described) }
  }

  #languageOf(url: string): Plugin | undefined {
    const { pathname } = new URL(url)
    return this.#registry.plugins.find((plugin) => plugin.pluginExtensions?.some((end) => pathname.endsWith(end)))
  }

  /** Undefined also for what cannot be located: whoever loads it is told why. */
  #located(text: string, directories: readonly string[]): LocatedPlugin | undefined {
    try {
      return locatePlugin(text, directories, this.#options.cwd)
    } catch {
      return undefined
    }
  }

  magic(argument: string): boolean {
    for (const plugin of this.#registry.withHook('magic')) {
      try {
        if (boundedSync(() => plugin.magic?.(argument), this.#limitMs) === true) return true
      } catch (error) {
        throw new PolywsgiError('PLUGIN_HOOK', hookFailure(plugin, 'magic', error), { cause: error })
      }
    }
    return false
  }

  /** The list in the form of uWSGI's. Differs from uWSGI: the server does not start after it. */
  async list(): Promise<string> {
    await this.#importBuiltIn()
    const slots = Array.from({ length: 256 }, (_, modifier1) => this.#registry.requestPlugin(modifier1))
    const isRequest = (plugin: Plugin): boolean => slots.includes(plugin)
    return [
      '*** polywsgi loaded generic plugins ***',
      ...this.#registry.plugins.filter((plugin) => !isRequest(plugin)).map(({ name }) => name),
      '',
      '*** polywsgi loaded request plugins ***',
      ...slots.flatMap((plugin, modifier1) => (plugin === undefined ? [] : [`${modifier1}: ${plugin.name}`])),
      '--- end of plugins list ---',
    ].join('\n')
  }

  async #importBuiltIn(): Promise<void> {
    if (this.#isBuiltInThere) return
    this.#isBuiltInThere = true
    for (const url of this.#options.builtIn) {
      const plugin = await importPlugin(url)
      this.#registry.add(plugin, { isBuiltIn: true, isRequired: true })
      this.#builtInUrls.set(plugin, url)
    }
  }
}

const servesNothing = (): PolywsgiError =>
  new PolywsgiError('PLUGIN_LOAD', 'it has no request hook, so it can serve no modifier1')
