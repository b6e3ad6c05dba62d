// For tests of plugins written as a guest's file: both languages with one way to write, load and ask such a file, so that one
// test holds both to the same.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLuaPlugin } from '../../bindings/lua/index.ts'
import python from '../../bindings/python/index.ts'
import type { Plugin, WorkerContext } from '../../host/plugin/plugin.ts'
import type { PluginOptionValue } from '../../host/plugin/plugin-option.ts'
import { type HarnessOptions, type HarnessRequest, type HarnessResponse, PluginHarness } from './plugin-harness.ts'

export type GuestLanguage = 'lua' | 'python'
export const guestLanguages: readonly GuestLanguage[] = ['lua', 'python']

export class GuestPlugins implements Disposable {
  readonly language: GuestLanguage
  readonly harness: PluginHarness
  readonly #directory = mkdtempSync(join(tmpdir(), 'guest-plugin-'))
  #written = 0

  private constructor(language: GuestLanguage, harness: PluginHarness) {
    this.language = language
    this.harness = harness
  }

  static async boot(language: GuestLanguage, options?: HarnessOptions): Promise<GuestPlugins> {
    const plugin = language === 'lua' ? createLuaPlugin() : python
    return new GuestPlugins(language, await PluginHarness.boot(plugin, options))
  }

  /** A file of its own, removed in the end; its path. */
  write(sources: Readonly<Record<GuestLanguage, string>>): string {
    this.#written += 1
    const file = join(this.#directory, `p${this.#written}.${this.language === 'lua' ? 'lua' : 'py'}`)
    writeFileSync(file, sources[this.language])
    return file
  }

  /** Loads a file as a thread does, up to its `post_fork`. */
  async load(file: string, options: Readonly<Record<string, PluginOptionValue>> = {}): Promise<Plugin> {
    const plugin = (await this.harness.plugin.loadPlugin?.(file, this.harness.context)) as Plugin
    const context = this.contextWith(options)
    plugin.onLoad?.({ ...context, isNeeded: true })
    await plugin.init?.({ ...context, isNeeded: true })
    await plugin.postInit?.({ ...context, isNeeded: true })
    await plugin.postFork?.(context)
    return plugin
  }

  contextWith(options: Readonly<Record<string, PluginOptionValue>>): WorkerContext {
    return { ...this.harness.context, options: new Map(Object.entries(options)) }
  }

  /** A request that the plugin serves, in an app of its own if one is named. Throws what its hook throws. */
  async ask(plugin: Plugin, request: HarnessRequest = {}, source?: string): Promise<HarnessResponse> {
    const served = new PluginHarness(plugin, this.harness.context, this.harness.logLines)
    if (source !== undefined) await served.mount(source)
    return await served.request(request)
  }

  [Symbol.dispose](): void {
    this.harness.close()
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
