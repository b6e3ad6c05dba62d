// The plugins of one thread: loaded by URL, checked, found by modifier1 or by the apps they load.

import { PolywsgiError } from '../errors.ts'
import type { Plugin } from './plugin.ts'

export class PluginRegistry {
  readonly plugins: readonly Plugin[]
  readonly #byModifier1: readonly (Plugin | undefined)[]

  /** @throws PolywsgiError PLUGIN_LOAD for a plugin that is malformed, or claims what another one has */
  constructor(plugins: readonly Plugin[]) {
    const byModifier1: (Plugin | undefined)[] = new Array(256).fill(undefined)
    const names = new Map<string, Plugin>()
    for (const plugin of plugins) {
      for (const name of [plugin.name, plugin.alias]) {
        if (name === undefined) continue
        if (names.has(name)) throw new PolywsgiError('PLUGIN_LOAD', `two plugins are named '${name}'`)
        names.set(name, plugin)
      }
      if (plugin.modifier1 === undefined) continue
      const other = byModifier1[plugin.modifier1]
      if (other !== undefined) {
        throw new PolywsgiError(
          'PLUGIN_LOAD',
          `plugins '${other.name}' and '${plugin.name}' both claim modifier1 ${plugin.modifier1}`,
        )
      }
      byModifier1[plugin.modifier1] = plugin
    }
    this.plugins = plugins
    this.#byModifier1 = byModifier1
  }

  /** The plugin that serves packets of a modifier1. */
  requestPlugin(modifier1: number): Plugin | undefined {
    return this.#byModifier1[modifier1]
  }

  /** The plugins that may load an app, the likeliest first. */
  loadersOf(app: { readonly source: string; readonly plugin: string | undefined }): Plugin[] {
    const loaders = this.plugins.filter((plugin) => plugin.mountApp !== undefined)
    if (app.plugin !== undefined) return loaders.filter((plugin) => plugin.name === app.plugin || plugin.alias === app.plugin)
    return loaders.filter((plugin) => plugin.appExtensions?.some((extension) => app.source.endsWith(extension)) === true)
  }

  /** `.py and .wsgi (python), .lua (lua)`: for messages about an app nobody loads. */
  describeExtensions(): string {
    return this.plugins
      .filter((plugin) => plugin.appExtensions !== undefined)
      .map((plugin) => `${plugin.appExtensions?.join(', ')} (${plugin.name})`)
      .join(', ')
  }
}

/**
 * Imports plugins, each module's default export.
 * @throws PolywsgiError PLUGIN_LOAD naming the URL
 */
export const importPlugins = async (urls: readonly string[]): Promise<Plugin[]> => {
  const plugins: Plugin[] = []
  for (const url of urls) {
    let module: { default?: unknown }
    try {
      module = await import(/* @vite-ignore */ url)
    } catch (error) {
      throw new PolywsgiError('PLUGIN_LOAD', `unable to load plugin ${url}: ${(error as Error).message}`, { cause: error })
    }
    plugins.push(checkedPlugin(url, module.default))
  }
  return plugins
}

const checkedPlugin = (url: string, candidate: unknown): Plugin => {
  const refuse = (why: string): never => {
    throw new PolywsgiError('PLUGIN_LOAD', `unable to load plugin ${url}: ${why}`)
  }
  if (typeof candidate !== 'object' || candidate === null) return refuse('its default export is not a plugin object')
  const plugin = candidate as Plugin
  if (typeof plugin.name !== 'string' || plugin.name === '') return refuse('it has no name')
  const { modifier1 } = plugin
  if (modifier1 !== undefined && !(Number.isInteger(modifier1) && modifier1 >= 0 && modifier1 <= 255)) {
    return refuse(`its modifier1 is ${String(modifier1)}, not a whole number from 0 to 255`)
  }
  if (plugin.request !== undefined && modifier1 === undefined) return refuse('it has a request hook but no modifier1')
  return plugin
}
