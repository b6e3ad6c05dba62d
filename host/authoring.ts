// What the command does for those who write plugins, instead of serving: begin one, build one, say what it is built for.
// Every function resolves to what to print on standard output, without the final line break.

import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { buildPlugin, describeBuild } from './build/index.ts'
import { parts, tools } from './main.ts'
import { importPlugin } from './plugin/import-plugin.ts'
import type { Plugin } from './plugin/plugin.ts'
import { initPlugin } from './scaffold/index.ts'

/** `polywsgi init ARGS`. */
export const init = async (args: readonly string[]): Promise<string> => {
  const plugins = await builtInPlugins()
  const taken = plugins.flatMap(({ name, alias = name }) => [name, alias])
  return initPlugin(args, process.cwd(), { version: parts.version, packageRoot: tools.packageRoot, taken })
}

/** `--build-plugin SOURCE`. Warnings go to standard error. */
export const build = async (source: string): Promise<string> => {
  const cwd = process.cwd()
  const { name, file, warnings } = await buildPlugin(source, cwd, { version: parts.version, checkEntry: tools.checkPlugin })
  for (const warning of warnings) process.stderr.write(`polywsgi: ${warning}\n`)
  return `*** ${name} plugin built and available in ${relative(cwd, file)} ***`
}

/** `--build-config`. */
export const buildConfig = async (pluginDirs: readonly string[]): Promise<string> => {
  const plugins = await builtInPlugins()
  return await describeBuild({ version: parts.version, pluginDirs, builtInPlugins: plugins.map(({ name }) => name) })
}

/** `--dot-h`. */
export const typings = (): string => readFileSync(tools.pluginTypings, 'utf8').trimEnd()

const builtInPlugins = async (): Promise<readonly Plugin[]> => await Promise.all(parts.plugins.map((url) => importPlugin(url)))
