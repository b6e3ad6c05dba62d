// Loads the apps of a worker, in the order they were configured. An app that fails leaves its place taken: requests for
// it are answered 500 and named in the log, instead of wandering to another app.

import { AppLoadError } from '../errors.ts'
import type { App } from '../plugin/app.ts'
import type { Plugin, WorkerContext } from '../plugin/plugin.ts'
import type { PluginRegistry } from '../plugin/registry.ts'
import { isThrown, thrownMessage, thrownText } from '../plugin/thrown.ts'
import type { WorkerMessage } from './messages.ts'
import type { MountPlan } from './mount-plan.ts'

/** The handle of an app that could not be loaded. */
export const failedApp: unique symbol = Symbol('failed app')

/** Stands for the plugin of an app that no plugin loads. */
const noPlugin: Plugin = { name: 'none' }

export const loadApps = async (
  plans: readonly MountPlan[],
  registry: PluginRegistry,
  contextOf: (plugin: Plugin) => WorkerContext,
  report: (message: WorkerMessage) => void,
): Promise<App[]> => {
  const apps: App[] = []
  for (const plan of plans) {
    const started = performance.now()
    const { mountpoint, source } = plan
    const id = apps.length
    const candidates = registry.loadersOf(plan)
    let app: App | undefined
    try {
      for (const plugin of candidates) {
        const handle = await plugin.mountApp?.({ mountpoint, source, callable: plan.callable }, contextOf(plugin))
        if (handle === undefined) continue
        const startupMs = performance.now() - started
        app = { id, mountpoint, source, modifier1: plugin.modifier1 ?? 0, plugin, handle, startupMs, requests: 0, exceptions: 0 }
        report({ kind: 'app', id, mountpoint, source, language: plugin.name, milliseconds: startupMs })
        break
      }
      if (app === undefined) throw new AppLoadError(`no plugin loads ${source}: ${registry.describeExtensions()}`)
    } catch (error) {
      const details = isThrown(error, AppLoadError) ? error.details : thrownText(error)
      report({ kind: 'app-failed', failure: { mountpoint, source, message: thrownMessage(error), details } })
      const plugin = candidates[0] ?? noPlugin
      const startupMs = performance.now() - started
      const modifier1 = plugin.modifier1 ?? 0
      app = { id, mountpoint, source, modifier1, plugin, handle: failedApp, startupMs, requests: 0, exceptions: 0 }
    }
    apps.push(app)
  }
  return apps
}
