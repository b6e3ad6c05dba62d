// The thread in which a plugin that was just built is imported for the first time: whatever its module does when it is
// imported, the builder goes on and can end it.

import { setSourceMapsSupport } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import { checkPlugin } from '../plugin/check-plugin.ts'
import { installHostModules } from '../plugin/host-modules.ts'
import type { Plugin } from '../plugin/plugin.ts'

export interface CheckOrder {
  readonly url: string
  readonly name: string
}

export interface CheckReport {
  /** Why the module is not a plugin of that name; undefined when it is. */
  readonly fault: string | undefined
  /** The name is all that is wrong with it. */
  readonly isMisnamed?: boolean
}

/** All that the loader asks of one plugin, and its name. */
const examine = (module: Readonly<Record<string, unknown>>, name: string): CheckReport => {
  if (!('default' in module)) {
    const functions = Object.values(module).filter((value) => typeof value === 'function')
    return { fault: functions.length > 0 ? undefined : 'it exports neither a plugin as its default nor a function by name' }
  }
  const fault = checkPlugin(module['default'])
  if (fault !== undefined) return { fault }
  const plugin = module['default'] as Plugin
  if (plugin.name === name) return { fault: undefined }
  return { fault: `the plugin that it exports is named '${plugin.name}', not '${name}'`, isMisnamed: true }
}

/** What was thrown, with the plugin's own frames: the file and line of its source. */
const thrown = (error: unknown): string => {
  if (!(error instanceof Error) || error.stack === undefined) return String(error)
  const isForeignFrame = (line: string): boolean => /^\s+at .*(?:node:|check-plugin)/.test(line)
  return error.stack
    .split('\n')
    .filter((line) => !isForeignFrame(line))
    .join('\n')
}

const { url, name } = workerData as CheckOrder
installHostModules()
setSourceMapsSupport(true)
let report: CheckReport
try {
  report = examine(await import(url), name)
} catch (error) {
  report = { fault: `it throws when it is imported: ${thrown(error)}` }
}
parentPort?.postMessage(report)
