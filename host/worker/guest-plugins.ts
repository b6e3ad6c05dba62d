// The plugins of a thread that are written in a guest's language: loaded when their languages are up, and taken from there
// to where the others are. What the master does for those, each thread does for these.
import { fileURLToPath } from 'node:url'
import { AppLoadError, PolywsgiError } from '../errors.ts'
import type { Plugin, WorkerContext } from '../plugin/plugin.ts'
import type { PluginHooks } from '../plugin/plugin-hooks.ts'
import type { PluginSource } from '../plugin/plugin-source.ts'
import type { PluginRegistry } from '../plugin/registry.ts'

export interface GuestPluginsParts {
  readonly registry: PluginRegistry
  readonly hooks: PluginHooks
  readonly contextOf: (plugin: Plugin) => WorkerContext
}

/** @throws PolywsgiError PLUGIN_LOAD with the reason, and the guest's traceback */
export const loadGuestPlugin = async (source: PluginSource, parts: GuestPluginsParts): Promise<Plugin> => {
  const language = parts.registry.named(source.language ?? '')
  if (language?.loadPlugin === undefined)
    throw new PolywsgiError('PLUGIN_LOAD', `there is no plugin ${source.language} to load it`)
  try {
    return await language.loadPlugin(fileURLToPath(source.url), parts.contextOf(language))
  } catch (error) {
    if (!(error instanceof AppLoadError)) throw error
    const details = error.details === '' ? '' : `\n${error.details}`
    throw new PolywsgiError('PLUGIN_LOAD', `${error.message}${details}`, { cause: error })
  }
}

/**
 * Their hooks up to `postFork`, which has been called of all others.
 * @throws PolywsgiError PLUGIN_HOOK of one that the server cannot be without
 */
export const startGuestPlugins = async (guests: ReadonlySet<Plugin>, { hooks, contextOf }: GuestPluginsParts): Promise<void> => {
  const ofGuest = (call: (plugin: Plugin) => unknown) => (plugin: Plugin) => (guests.has(plugin) ? call(plugin) : undefined)
  const masterContext = (plugin: Plugin) => ({ ...contextOf(plugin), isNeeded: true })
  await hooks.start(
    'onLoad',
    ofGuest((plugin) => plugin.onLoad?.(masterContext(plugin))),
  )
  await hooks.start(
    'init',
    ofGuest((plugin) => plugin.init?.(masterContext(plugin))),
  )
  await hooks.start(
    'postInit',
    ofGuest((plugin) => plugin.postInit?.(masterContext(plugin))),
  )
  await hooks.start(
    'postFork',
    ofGuest((plugin) => plugin.postFork?.(contextOf(plugin))),
  )
}
