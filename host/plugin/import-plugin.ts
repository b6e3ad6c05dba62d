// From a module to a plugin: its default export, or, of a module that only exports functions by name, a general plugin that
// holds them. A module is imported once per thread, so the same plugin comes each time.
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { PolywsgiError } from '../errors.ts'
import { pluginApiVersion } from './api-version.ts'
import { boundedCall, boundedSync, OverrunError } from './bounded-call.ts'
import { checkPlugin } from './check-plugin.ts'
import { installHostModules } from './host-modules.ts'
import type { Plugin, PluginFunction } from './plugin.ts'
import { isThrown, thrownMessage } from './thrown.ts'

type Module = Readonly<Record<string, unknown>>
type Functions = Readonly<Record<string, PluginFunction>>

/** The plugins that were made here, by their modules. */
const made = new WeakMap<Module, Plugin>()
const exported = new WeakMap<Plugin, Functions>()
const requirements = new WeakMap<Plugin, readonly string[]>()

/** The functions that `call:` finds in a plugin: those that its module exports by name, and its `functions`, which come first. */
export const functionsOf = (plugin: Plugin): Functions => ({ ...exported.get(plugin), ...plugin.functions })

/** The plugins that a built one must not be without (`requires` of its uwsgiplugin.json), as `--plugin` names them. */
export const requirementsOf = (plugin: Plugin): readonly string[] => requirements.get(plugin) ?? []

/**
 * @param limitMs how long the module may run, and may await something at its top level; undefined for as long as it likes.
 *   One that loops after it has awaited is not ended
 * @throws PolywsgiError PLUGIN_LOAD; the message is the reason and does not name the plugin
 */
export const importPlugin = async (url: string, limitMs?: number): Promise<Plugin> => {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new PolywsgiError('PLUGIN_LOAD', reason, { cause })
  }
  installHostModules()
  let module: Module
  try {
    const load = (): Promise<Module> => import(/* @vite-ignore */ url)
    if (limitMs !== undefined) boundedSync(() => evaluate(url), limitMs)
    module = await (limitMs === undefined ? load() : boundedCall(load, limitMs))
  } catch (error) {
    return refuse(importFault(error), error)
  }
  const mismatch = versionFault(module['polywsgiPlugin'])
  if (mismatch !== undefined) return refuse(mismatch)
  const functions = Object.fromEntries(
    Object.entries(module).filter(([name, value]) => name !== 'default' && typeof value === 'function'),
  ) as Functions
  if (!('default' in module)) {
    if (Object.keys(functions).length === 0) return refuse('it has no default export, and exports no functions by name')
    const plugin = made.get(module) ?? { name: nameOf(url), functions }
    made.set(module, plugin)
    requirements.set(plugin, requiresOf(module['polywsgiPlugin']))
    return plugin
  }
  let fault: string | undefined
  try {
    fault = checkPlugin(module['default'])
  } catch (error) {
    fault = `a member of it cannot be read: ${thrownMessage(error)}`
  }
  if (fault !== undefined) return refuse(fault)
  const plugin = module['default'] as Plugin
  exported.set(plugin, functions)
  requirements.set(plugin, requiresOf(module['polywsgiPlugin']))
  return plugin
}

const require = createRequire(import.meta.url)

/**
 * Runs a module and what it imports while this is called: what loops in it can be ended. Its `import` later finds it done. A module
 * that awaits at its top level cannot be run so, and is not begun.
 */
const evaluate = (url: string): void => {
  try {
    require(fileURLToPath(url))
  } catch (error) {
    const code = isThrown(error, Error) ? (error as NodeJS.ErrnoException).code : undefined
    // Node takes a module that was ended in the middle for one that is still running.
    if (code === 'ERR_REQUIRE_CYCLE_MODULE') throw new OverrunError('was ended before it had run to its end')
    if (code !== 'ERR_REQUIRE_ASYNC_MODULE') throw error
  }
}

/** `foobar` of `/srv/foobar_plugin.mjs`; of a package, its name. */
const nameOf = (url: string): string => {
  const path = decodeURIComponent(new URL(url).pathname)
  const inPackage = /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//s.exec(path)?.[1]
  return inPackage ?? path.replace(/^.*\//s, '').replace(/(?:_plugin)?\.[^.]*$/, '')
}

const importFault = (error: unknown): string => {
  if (isThrown(error, OverrunError)) return `its module ${error.message}`
  if (isThrown(error, Error)) return `${error.name}: ${thrownMessage(error)}`.replace(/\s+/g, ' ')
  return `its module threw ${thrownMessage(error)}`
}

const requiresOf = (stamp: unknown): readonly string[] => {
  const { requires } = (stamp ?? {}) as { readonly requires?: unknown }
  return Array.isArray(requires) ? requires.filter((name) => typeof name === 'string') : []
}

/** What a built plugin says of itself; one that is not built says nothing, and is taken as it is. */
const versionFault = (stamp: unknown): string | undefined => {
  if (stamp === undefined) return undefined
  const { apiVersion, builtFor } = (stamp ?? {}) as { readonly apiVersion?: unknown; readonly builtFor?: unknown }
  if (typeof apiVersion !== 'number') return 'its export polywsgiPlugin does not tell an apiVersion'
  if (apiVersion === pluginApiVersion) return undefined
  const by = typeof builtFor === 'string' ? ` (polywsgi ${builtFor})` : ''
  return `it was built for version ${apiVersion} of the plugin interface${by}, and this is version ${pluginApiVersion}: build it again`
}
