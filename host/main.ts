// The composition root: the only file that names everything. It hands the host the URLs of our own modules, so that no
// other file of the host knows a binding; a binding is a plugin like any other.

import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { loadConfiguration, loadSettings } from './config/index.ts'
import { Instance } from './instance.ts'
import type { Parts } from './instance-parts.ts'
import { ModulePlugins } from './module-plugins.ts'

// The package's own `imports` map is what source and build have in common.
const require = createRequire(import.meta.url)
const url = (specifier: string): string => pathToFileURL(require.resolve(specifier)).href

export const parts: Parts = {
  version: (require('#package.json') as { version: string }).version,
  threadEntry: url('#worker-entry'),
  plugins: ['python', 'lua', 'js', 'rpc', 'cache', 'signal', 'ping', 'echo'].map((name) => url(`#plugin-${name}`)),
}

/** What the command's own work beside serving needs. */
export const tools = {
  /** URL of the module that a thread runs to import what was built. */
  checkPlugin: url('#check-plugin'),
  /** Path of the plugin interface's typings. */
  pluginTypings: require.resolve('#plugin-typings'),
  packageRoot: dirname(require.resolve('#package.json')),
}

/** Loads plugins for one configuration. */
export const createPluginLoader = (cwd: string): ModulePlugins =>
  new ModulePlugins({ builtIn: parts.plugins, cwd, describeEntry: url('#describe-entry'), version: parts.version })

export { Instance, loadConfiguration, loadSettings }
