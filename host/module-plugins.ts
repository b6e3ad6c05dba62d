// The plugins of one configuration: found, imported and checked while it is read, listed for --plugins-list. Nothing of a
// plugin is called here but `magic`. Those that are always there are imported with the first other one: it must not claim what
// they have.
import type { AskedPlugin, LoadedPlugin, PluginLoader } from './config/index.ts'
import { PolywsgiError } from './errors.ts'
import { boundedSync } from './plugin/bounded-call.ts'
import { importPlugin } from './plugin/import-plugin.ts'
import { type LocatedPlugin, locatePlugin } from './plugin/locate.ts'
import type { Plugin } from './plugin/plugin.ts'
import { hookFailure } from './plugin/plugin-hooks.ts'
import type { PluginSource } from './plugin/plugin-source.ts'
import { PluginRegistry } from './plugin/registry.ts'

/** As `plugin-timeout` has it; what the configuration says of that is not known yet. */
const standardLimitMs = 30_000
const moduleExtension = /\.(?:[cm]?js|[cm]?ts)$/

export class ModulePlugins implements PluginLoader {
  readonly #builtIn: readonly string[]
  readonly #cwd: string
  readonly #limitMs: number
  readonly #registry = new PluginRegistry()
  #isBuiltInThere = false

  /**
   * @param builtIn URLs of the plugins that are always there
   * @param cwd where paths begin, and from where packages are seen
   * @param limitMs how long a plugin's module, and its `magic`, may take
   */
  constructor(builtIn: readonly string[], cwd: string, limitMs = standardLimitMs) {
    this.#builtIn = builtIn
    this.#cwd = cwd
    this.#limitMs = limitMs
  }

  async load({ text, isRequired }: AskedPlugin, directories: readonly string[]): Promise<LoadedPlugin | undefined> {
    const located = locatePlugin(text, directories, this.#cwd)
    if (located === undefined) return undefined
    await this.#importBuiltIn()
    const source: PluginSource = { text, isRequired, ...located }
    const path = new URL(located.url).pathname
    if (!moduleExtension.test(path)) return this.#ofLanguage(source, path)
    const plugin = await importPlugin(located.url, this.#limitMs)
    if (located.modifier1 !== undefined && plugin.request === undefined) {
      throw new PolywsgiError('PLUGIN_LOAD', 'it has no request hook, so it can serve no modifier1')
    }
    return { name: plugin.name, source, options: plugin.options ?? [], claim: () => this.#registry.add(plugin, source) }
  }

  /** A plugin in a guest's language: only its threads can tell what it is. */
  #ofLanguage(source: PluginSource & LocatedPlugin, path: string): LoadedPlugin {
    const language = this.#registry.plugins.find((plugin) => plugin.pluginExtensions?.some((end) => path.endsWith(end)))
    if (language === undefined) {
      throw new PolywsgiError('PLUGIN_LOAD', 'it is no JavaScript or TypeScript module, and no plugin loads plugins of its kind')
    }
    const name = decodeURIComponent(path)
      .replace(/^.*\//s, '')
      .replace(/\.[^.]*$/, '')
    return { name, source: { ...source, language: language.name }, options: [], claim: () => {} }
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
    for (const url of this.#builtIn) this.#registry.add(await importPlugin(url), { isBuiltIn: true, isRequired: true })
  }
}
