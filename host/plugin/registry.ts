// The plugins of one thread: found by name, by modifier1, by hook, or by the apps they load.

import { PolywsgiError } from '../errors.ts'
import { type HookName, type HookOrder, hookTable } from './hook-table.ts'
import type { Plugin } from './plugin.ts'

/** How a plugin came into the registry. */
export interface PluginStanding {
  /** One of ours: there is no server without it. */
  readonly isBuiltIn?: boolean
  /** The server does not start without it. */
  readonly isRequired: boolean
  /** The packets it serves instead of those of its own `modifier1`: the same plugin may sit elsewhere in another server. */
  readonly modifier1?: number
}

const thirdParty: PluginStanding = { isRequired: false }

export class PluginRegistry {
  readonly #standings = new Map<Plugin, PluginStanding>()
  #byModifier1: (Plugin | undefined)[] = new Array(256).fill(undefined)
  readonly #names = new Map<string, Plugin>()
  #plugins: readonly Plugin[] = []
  readonly #withHook = new Map<HookName, readonly Plugin[]>()

  /** @throws PolywsgiError PLUGIN_LOAD as `add` */
  constructor(plugins: readonly Plugin[] = []) {
    for (const plugin of plugins) this.add(plugin)
  }

  /** In load order. */
  get plugins(): readonly Plugin[] {
    return this.#plugins
  }

  /**
   * A modifier1 that the operator has given counts more than what one of ours claims, which then serves its apps only.
   * @throws PolywsgiError PLUGIN_LOAD for a plugin that claims what another one has; it is not added then
   */
  add(plugin: Plugin, standing: PluginStanding = thirdParty): void {
    for (const name of [plugin.name, plugin.alias]) {
      if (name !== undefined && this.#names.has(name)) throw new PolywsgiError('PLUGIN_LOAD', `two plugins are named '${name}'`)
    }
    const modifier1 = standing.modifier1 ?? plugin.modifier1
    if (modifier1 !== undefined) {
      const other = this.#byModifier1[modifier1]
      if (other !== undefined && !(standing.modifier1 !== undefined && this.isBuiltIn(other))) {
        throw new PolywsgiError('PLUGIN_LOAD', `plugins '${other.name}' and '${plugin.name}' both claim modifier1 ${modifier1}`)
      }
      this.#byModifier1[modifier1] = plugin
    }
    for (const name of [plugin.name, plugin.alias]) if (name !== undefined) this.#names.set(name, plugin)
    this.#standings.set(plugin, standing)
    this.#plugins = [...this.#plugins, plugin]
    this.#withHook.clear()
  }

  /** It has failed: no hook of it is called any more, and what it claimed is nobody's. */
  drop(plugin: Plugin): void {
    this.#plugins = this.#plugins.filter((other) => other !== plugin)
    this.#byModifier1 = this.#byModifier1.map((other) => (other === plugin ? undefined : other))
    for (const [name, other] of this.#names) if (other === plugin) this.#names.delete(name)
    this.#withHook.clear()
  }

  isBuiltIn(plugin: Plugin): boolean {
    return this.#standings.get(plugin)?.isBuiltIn === true
  }

  isRequired(plugin: Plugin): boolean {
    return this.#standings.get(plugin)?.isRequired === true
  }

  /** The plugin that serves packets of a modifier1. */
  requestPlugin(modifier1: number): Plugin | undefined {
    return this.#byModifier1[modifier1]
  }

  /** By name or alias. */
  named(name: string): Plugin | undefined {
    return this.#names.get(name)
  }

  /** The plugins that have a hook, in the order in which the hook table says that they are called. */
  withHook(hook: HookName): readonly Plugin[] {
    let plugins = this.#withHook.get(hook)
    if (plugins === undefined) {
      plugins = this.#inOrder(hookTable[hook].order).filter((plugin) => plugin[hook] !== undefined)
      this.#withHook.set(hook, plugins)
    }
    return plugins
  }

  #inOrder(order: HookOrder): readonly Plugin[] {
    if (order === 'load' || order === 'one') return this.#plugins
    const request = this.#byModifier1.filter((plugin) => plugin !== undefined)
    const general = this.#plugins.filter((plugin) => !request.includes(plugin))
    return order === 'general first' ? [...general, ...request] : [...request, ...general]
  }

  /** The plugins that may load an app, the likeliest first. */
  loadersOf(app: { readonly source: string; readonly plugin: string | undefined }): Plugin[] {
    const loaders = this.withHook('mountApp')
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
