// The plugins of the master: imported, prepared, called. What they leave in `data` goes to every thread.
// Invariant: a plugin that fails before the threads start is not started in them either.
import type { OptionMap } from '../api/kinds.ts'
import { PluginLoadError } from '../errors.ts'
import type { Logger } from '../log/logger.ts'
import { applyPluginOptions } from '../plugin/apply-options.ts'
import { standInFor } from '../plugin/guest-description.ts'
import { importPlugin } from '../plugin/import-plugin.ts'
import type { MasterContext, Plugin } from '../plugin/plugin.ts'
import { PluginHooks } from '../plugin/plugin-hooks.ts'
import type { PluginOptionValue } from '../plugin/plugin-option.ts'
import type { PluginSource } from '../plugin/plugin-source.ts'
import { PluginRegistry } from '../plugin/registry.ts'
import { thrownMessage } from '../plugin/thrown.ts'
import type { PluginStart, ThreadPlan } from '../worker/messages.ts'
import type { MountPlan } from '../worker/mount-plan.ts'

export interface MasterPluginsOptions {
  readonly sources: readonly PluginSource[]
  readonly mounts: readonly MountPlan[]
  readonly threads: readonly ThreadPlan[]
  readonly opt: OptionMap
  /** The values of plugins' own options, by their names. */
  readonly pluginOptions: ReadonlyMap<string, ReadonlyMap<string, PluginOptionValue>>
  readonly workers: number
  readonly cores: number
  readonly logger: Logger
  readonly timeoutMs: number
}

const cycleMs = 1000
const none: ReadonlyMap<string, PluginOptionValue> = new Map()

export class MasterPlugins {
  readonly #options: MasterPluginsOptions
  readonly #registry = new PluginRegistry()
  readonly #hooks: PluginHooks
  readonly #sources = new Map<Plugin, PluginSource>()
  #cycle: NodeJS.Timeout | undefined

  constructor(options: MasterPluginsOptions) {
    this.#options = options
    this.#hooks = new PluginHooks({ registry: this.#registry, log: options.logger, limitMs: options.timeoutMs })
  }

  /** In load order, without those that were dropped. */
  get plugins(): readonly Plugin[] {
    return this.#registry.plugins
  }

  /**
   * Imports them, calls `onLoad` and hands them their options. One that cannot be had is told in the log.
   * @throws PolywsgiError PLUGIN_LOAD, PLUGIN_HOOK for one that the server cannot be without; ConfigError for a value that a
   *   plugin does not take
   */
  async load(): Promise<void> {
    for (const source of this.#options.sources) {
      try {
        // The master runs no guest code: it has what a file of one says of itself.
        const { description } = source
        const plugin = description === undefined ? await importPlugin(source.url, this.#limitOf(source)) : standInFor(description)
        // A module is loaded once per process, a plugin's data belongs to one instance: what another left must not be seen.
        if (!declaredData.has(plugin)) declaredData.set(plugin, plugin.data)
        // Of a frozen plugin it is what it was declared with.
        Reflect.set(plugin, 'data', declaredData.get(plugin))
        this.#registry.add(plugin, source)
        this.#sources.set(plugin, source)
      } catch (error) {
        const failure = new PluginLoadError(source.text, thrownMessage(error), { cause: error })
        if (source.isRequired) throw failure
        this.#options.logger.text(failure.message)
      }
    }
    await this.#hooks.start('onLoad', (plugin) => plugin.onLoad?.(this.#contextOf(plugin)))
    for (const plugin of this.#registry.plugins) {
      await applyPluginOptions(plugin, this.#optionsOf(plugin), this.#options.timeoutMs)
    }
  }

  /** The sockets are bound. @throws PolywsgiError PLUGIN_HOOK */
  async prepare(): Promise<void> {
    await this.#hooks.start('init', (plugin) => plugin.init?.(this.#contextOf(plugin)))
    await this.#hooks.start('postInit', (plugin) => plugin.postInit?.(this.#contextOf(plugin)))
    this.#checkData()
    if (this.#options.cores > 1) await this.#hooks.start('enableThreads', (plugin) => plugin.enableThreads?.())
    await this.#hooks.start('masterFixup', (plugin) => plugin.masterFixup?.(0))
  }

  /** What goes to every thread, with the data that is there now. */
  starts(): readonly PluginStart[] {
    return this.#registry.plugins.map((plugin) => ({
      source: this.#sources.get(plugin) as PluginSource,
      data: plugin.data,
      options: this.#optionsOf(plugin),
    }))
  }

  /** It has cost a thread its interpreter: threads are started without it. */
  drop(name: string): void {
    const plugin = this.#registry.named(name)
    if (plugin !== undefined) this.#registry.drop(plugin)
  }

  /** The threads are up. */
  startCycle(): void {
    if (this.#registry.withHook('masterCycle').length === 0) return
    this.#cycle = setInterval(() => this.#hooks.run('masterCycle', (plugin) => plugin.masterCycle?.()), cycleMs)
    this.#cycle.unref()
  }

  threadStarts(): void {
    this.#hooks.run('preUwsgiFork', (plugin) => plugin.preUwsgiFork?.())
  }

  threadStarted(): void {
    this.#hooks.run('postUwsgiFork', (plugin) => plugin.postUwsgiFork?.(0))
  }

  /** @param isAlive what overran has ended without its worker */
  harakiri(workerId: number, isAlive: boolean): void {
    this.#hooks.run('harakiri', (plugin) => plugin.harakiri?.(workerId, isAlive))
  }

  /** @returns whether a plugin has consumed the packet */
  manageUdp(address: string, port: number, packet: Uint8Array): boolean {
    const offer = (plugin: Plugin): boolean | undefined => plugin.manageUdp?.(address, port, packet)
    return this.#hooks.run('manageUdp', offer, (answer) => answer === true)
  }

  /** The master is about to reload or to end. */
  cleanup(): void {
    this.#hooks.run('masterCleanup', (plugin) => plugin.masterCleanup?.())
  }

  close(): void {
    clearInterval(this.#cycle)
    this.#hooks.run('atexit', (plugin) => plugin.atexit?.())
  }

  /** What cannot be cloned would keep every thread from starting, with an error that names no plugin. */
  #checkData(): void {
    for (const plugin of this.#registry.plugins) {
      if (plugin.data === undefined || this.#registry.isBuiltIn(plugin)) continue
      try {
        structuredClone(plugin.data)
      } catch (error) {
        const reason = `what it left in data cannot cross to the threads: ${(error as Error).message}`
        this.#hooks.failed(plugin, 'init', new Error(reason))
      }
    }
  }

  #contextOf(plugin: Plugin): MasterContext {
    const { mounts, threads, opt, workers, logger } = this.#options
    const isLoader = (app: { source: string; plugin: string | undefined }): boolean =>
      this.#registry.loadersOf(app).includes(plugin)
    const isNeeded =
      this.#options.sources.some(({ language }) => language === plugin.name) ||
      mounts.some(isLoader) ||
      threads.some(({ program, programPlugin }) => program !== undefined && isLoader({ source: program, plugin: programPlugin }))
    return { log: logger, opt, options: this.#optionsOf(plugin), workers, isNeeded }
  }

  #limitOf({ isBuiltIn }: PluginSource): number | undefined {
    return isBuiltIn === true ? undefined : this.#options.timeoutMs
  }

  #optionsOf(plugin: Plugin): ReadonlyMap<string, PluginOptionValue> {
    return this.#options.pluginOptions.get(plugin.name) ?? none
  }
}

/** The `data` that plugins were declared with, before any instance's `init`. */
const declaredData = new WeakMap<Plugin, unknown>()
