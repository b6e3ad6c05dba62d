// The plugins of a worker, mule or spooler: imported, given their contexts, called in order while the thread starts.

import { PluginLoadError } from '../errors.ts'
import type { Logger } from '../log/logger.ts'
import { importPlugin } from '../plugin/import-plugin.ts'
import type { Plugin, WorkerContext } from '../plugin/plugin.ts'
import { hookFailure, PluginHooks } from '../plugin/plugin-hooks.ts'
import { PluginRegistry } from '../plugin/registry.ts'
import { promised, thrownMessage } from '../plugin/thrown.ts'
import { GuestPlugins } from './guest-plugins.ts'
import type { PluginStart } from './messages.ts'

export interface ThreadPluginsOptions {
  readonly starts: readonly PluginStart[]
  readonly log: Logger
  readonly timeoutMs: number
  /** All of a plugin's context but what is the plugin's own. */
  readonly context: Omit<WorkerContext, 'data' | 'options'>
}

export class ThreadPlugins {
  readonly registry = new PluginRegistry()
  readonly hooks: PluginHooks
  readonly #options: ThreadPluginsOptions
  readonly #contexts = new Map<Plugin, WorkerContext>()
  readonly #guests: GuestPlugins

  constructor(options: ThreadPluginsOptions) {
    this.#options = options
    this.hooks = new PluginHooks({
      registry: this.registry,
      log: options.log,
      limitMs: options.timeoutMs,
      onLost: (plugin, hook) => this.#guests.lost(plugin, hook),
    })
    this.#guests = new GuestPlugins({
      starts: options.starts.filter(({ source }) => source.language !== undefined),
      registry: this.registry,
      hooks: this.hooks,
      contextOf: this.contextOf,
      limitMs: options.timeoutMs,
      take: (start, load) => this.#load(start, load),
    })
  }

  readonly contextOf = (plugin: Plugin): WorkerContext => this.#contexts.get(plugin) as WorkerContext

  /** Imports the modules. @throws PolywsgiError PLUGIN_LOAD for one that the server cannot be without */
  async load(): Promise<void> {
    for (const start of this.#options.starts) {
      const { url, language, isBuiltIn } = start.source
      const limitMs = isBuiltIn === true ? undefined : this.#options.timeoutMs
      if (language === undefined) await this.#load(start, () => importPlugin(url, limitMs))
    }
  }

  /** Once in each thread, after its start. @throws PolywsgiError PLUGIN_HOOK, as every call of a hook of the start does */
  async threadStarted(): Promise<void> {
    await this.hooks.start('postUwsgiFork', (plugin) => plugin.postUwsgiFork?.(1))
    await this.hooks.start('masterFixup', (plugin) => plugin.masterFixup?.(1))
    await this.hooks.start('postFork', (plugin) => plugin.postFork?.(this.contextOf(plugin)))
    // Their languages are up now.
    await this.#guests.start()
  }

  async loadApps(loadMounts: () => Promise<void>): Promise<void> {
    await this.hooks.start('preinitApps', (plugin) => plugin.preinitApps?.(this.contextOf(plugin)))
    await this.hooks.start('initApps', (plugin) => plugin.initApps?.(this.contextOf(plugin)))
    this.#guests.assertSound()
    await loadMounts()
    await this.hooks.start('postinitApps', (plugin) => plugin.postinitApps?.(this.contextOf(plugin)))
    this.#guests.assertSound()
  }

  /** For every core but the first. */
  async startCores(count: number): Promise<void> {
    for (let core = 1; core < count; core += 1) await this.hooks.start('initThread', (plugin) => plugin.initThread?.(core))
    this.#guests.assertSound()
  }

  /** In a spooler. */
  async spoolerInit(): Promise<void> {
    await this.hooks.start('spoolerInit', (plugin) => plugin.spoolerInit?.(this.contextOf(plugin)))
    this.#guests.assertSound()
  }

  /**
   * What guests have set to run when the thread begins its work: it may never return, so it has no limit, and what it throws
   * out of a language's plugin ends the thread.
   */
  async fixup(): Promise<void> {
    for (const plugin of this.registry.withHook('fixup')) {
      try {
        await plugin.fixup?.(this.contextOf(plugin))
      } catch (error) {
        if (this.registry.isBuiltIn(plugin)) throw error
        this.hooks.failed(plugin, 'fixup', error)
      }
    }
  }

  /** Whether one might want the whole worker for itself: it is asked before apps are loaded. */
  get mayOverride(): boolean {
    return this.registry.withHook('worker').length > 0
  }

  /**
   * A plugin that wants the whole worker for itself.
   * @returns a promise of its end when one has taken it, undefined when none has
   */
  workerOverride(): Promise<unknown> | undefined {
    for (const plugin of this.registry.withHook('worker')) {
      try {
        const outcome = plugin.worker?.(this.contextOf(plugin))
        if (outcome === true) return Promise.resolve()
        const later = promised<unknown>(outcome)
        if (later !== undefined) return this.#told(plugin, later)
      } catch (error) {
        this.hooks.failed(plugin, 'worker', error)
      }
    }
    return undefined
  }

  async #told(plugin: Plugin, outcome: Promise<unknown>): Promise<void> {
    try {
      await outcome
    } catch (error) {
      this.#options.log.text(hookFailure(plugin, 'worker', error))
    }
  }

  /** Plugins that keep the worker from its requests. @returns undefined when none has anything to wait for */
  hijack(): Promise<void> | undefined {
    return this.#hijack(this.registry.withHook('hijackWorker'))
  }

  /** Each one waits for those before it; as long as none makes it wait, all of it is done when this returns. */
  #hijack([plugin, ...others]: readonly Plugin[]): Promise<void> | undefined {
    if (plugin === undefined) return undefined
    const failed = (error: unknown): void => this.#options.log.text(hookFailure(plugin, 'hijackWorker', error))
    try {
      const outcome = plugin.hijackWorker?.(this.contextOf(plugin))
      const later = promised<void>(outcome as Promise<void>)
      if (later !== undefined) return later.catch(failed).then(() => this.#hijack(others))
    } catch (error) {
      failed(error)
    }
    return this.#hijack(others)
  }

  async #load(start: PluginStart, load: () => Promise<Plugin>): Promise<Plugin | undefined> {
    const { source, data, options } = start
    try {
      const plugin = await load()
      // A frozen plugin has it in its context alone.
      Reflect.set(plugin, 'data', data)
      this.registry.add(plugin, source)
      this.#contexts.set(plugin, { ...this.#options.context, data, options })
      return plugin
    } catch (error) {
      const failure = new PluginLoadError(source.text, thrownMessage(error), { cause: error })
      if (source.isRequired) throw failure
      this.#options.log.text(failure.message)
      return undefined
    }
  }
}
