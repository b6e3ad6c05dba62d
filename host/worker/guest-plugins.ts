// The plugins of a thread that are written in a guest's language: loaded when their languages are up, and taken from there
// to where the others are. What the master does for those, each thread does for these.
// Invariant: an interpreter that was stopped inside of a call, or has failed, is not entered again.
import { fileURLToPath } from 'node:url'
import { AppLoadError, PolywsgiError } from '../errors.ts'
import { boundedCall, OverrunError } from '../plugin/bounded-call.ts'
import type { HookName } from '../plugin/hook-table.ts'
import type { Plugin, WorkerContext } from '../plugin/plugin.ts'
import type { PluginHooks } from '../plugin/plugin-hooks.ts'
import type { PluginSource } from '../plugin/plugin-source.ts'
import type { PluginRegistry } from '../plugin/registry.ts'
import { isFatal } from '../plugin/thrown.ts'
import type { PluginStart } from './messages.ts'

/** The thread is to be started anew, without the plugin that it is about. */
export class LostInterpreterError extends PolywsgiError {
  readonly plugin: string

  constructor(culprit: string, plugin: string) {
    super('PLUGIN_HOOK', `${culprit} has failed, and the interpreter that it ran in cannot be used any more`)
    this.plugin = plugin
  }
}

export interface GuestPluginsParts {
  readonly starts: readonly PluginStart[]
  readonly registry: PluginRegistry
  readonly hooks: PluginHooks
  readonly contextOf: (plugin: Plugin) => WorkerContext
  /** How long a file may take to run. */
  readonly limitMs: number
  /** Takes what `load` makes into the registry. @returns undefined for what could not be loaded, which is told */
  take(start: PluginStart, load: () => Promise<Plugin>): Promise<Plugin | undefined>
}

export class GuestPlugins {
  readonly #parts: GuestPluginsParts
  readonly #guests = new Map<Plugin, PluginStart>()
  /** Languages by name, and what has cost their interpreters. */
  readonly #lost = new Map<string, { readonly culprit: string; readonly plugin: string }>()

  constructor(parts: GuestPluginsParts) {
    this.#parts = parts
  }

  /** A hook of this plugin has cost the interpreter, if it ran in one. */
  lost(plugin: Plugin, hook: HookName): void {
    const language = this.#guests.get(plugin)?.source.language
    if (language !== undefined) this.#lost.set(language, { culprit: `plugin ${plugin.name}: ${hook} hook`, plugin: plugin.name })
  }

  /**
   * Loads them, and calls their hooks up to `postFork`, which has been called of all others. Where one of them has cost its
   * interpreter, the language is booted anew, and the others that are written in it are loaded again.
   * @throws PolywsgiError PLUGIN_LOAD, PLUGIN_HOOK for one that the server cannot be without
   */
  async start(): Promise<void> {
    let waiting = this.#parts.starts
    while (waiting.length > 0) {
      const round = new Set<Plugin>()
      const postponed: PluginStart[] = []
      for (const start of waiting) {
        if (this.#isLost(start)) {
          postponed.push(start)
          continue
        }
        const plugin = await this.#parts.take(start, () => this.#load(start.source))
        if (plugin === undefined) continue
        this.#guests.set(plugin, start)
        round.add(plugin)
      }
      await this.#callHooks(round)
      waiting = [...(await this.#renew()), ...postponed]
    }
  }

  /** @throws LostInterpreterError when an interpreter is lost that others have begun to use: the thread cannot go on */
  assertSound(): void {
    const [lost] = this.#lost.values()
    if (lost !== undefined) throw new LostInterpreterError(lost.culprit, lost.plugin)
  }

  #isLost({ source }: PluginStart): boolean {
    return source.language !== undefined && this.#lost.has(source.language)
  }

  /** @throws PolywsgiError PLUGIN_LOAD with the reason, and the guest's traceback */
  async #load({ language: name = '', url }: PluginSource): Promise<Plugin> {
    const { registry, contextOf, limitMs } = this.#parts
    const file = fileURLToPath(url)
    const language = registry.named(name)
    if (language?.loadPlugin === undefined) throw new PolywsgiError('PLUGIN_LOAD', `there is no plugin ${name} to load it`)
    try {
      // Known to come to an end when the server started; but it may be another file since.
      return await boundedCall(() => language.loadPlugin?.(file, contextOf(language)) as Plugin | Promise<Plugin>, limitMs)
    } catch (error) {
      const isStopped = error instanceof OverrunError
      if (isStopped || isFatal(error)) this.#lost.set(name, { culprit: file, plugin: file })
      if (isStopped) throw new PolywsgiError('PLUGIN_LOAD', `${file}: the file ${error.message}`)
      if (!(error instanceof AppLoadError)) throw error
      const details = error.details === '' ? '' : `\n${error.details}`
      throw new PolywsgiError('PLUGIN_LOAD', `${error.message}${details}`, { cause: error })
    }
  }

  async #callHooks(guests: ReadonlySet<Plugin>): Promise<void> {
    const { hooks, contextOf } = this.#parts
    const call = (hook: HookName, run: (plugin: Plugin) => unknown): Promise<void> =>
      hooks.start(hook, (plugin) => {
        const start = guests.has(plugin) ? this.#guests.get(plugin) : undefined
        // What runs in an interpreter that is lost waits for the next one.
        return start === undefined || this.#isLost(start) ? undefined : run(plugin)
      })
    const masterContext = (plugin: Plugin) => ({ ...contextOf(plugin), isNeeded: true })
    await call('onLoad', (plugin) => plugin.onLoad?.(masterContext(plugin)))
    await call('init', (plugin) => plugin.init?.(masterContext(plugin)))
    await call('postInit', (plugin) => plugin.postInit?.(masterContext(plugin)))
    await call('postFork', (plugin) => plugin.postFork?.(contextOf(plugin)))
  }

  /** @returns what is to be loaded again: all in a lost interpreter but what has failed, and is in the registry no more */
  async #renew(): Promise<readonly PluginStart[]> {
    const { registry, contextOf } = this.#parts
    const again: PluginStart[] = []
    for (const name of this.#lost.keys()) {
      for (const [plugin, start] of this.#guests) {
        if (start.source.language !== name) continue
        this.#guests.delete(plugin)
        if (!registry.plugins.includes(plugin)) continue
        registry.drop(plugin)
        again.push(start)
      }
      const language = registry.named(name) as Plugin
      await language.postFork?.(contextOf(language))
    }
    this.#lost.clear()
    return again
  }
}
