// `--build-config`: what a build depends on, as JSON for scripts that build plugins in another way.

import { pluginApiVersion } from '../plugin/api-version.ts'
import { hostModules } from '../plugin/host-modules.ts'
import { buildTarget } from './bundle.ts'
import { sourceExtensions } from './manifest.ts'
import { builtFileName } from './plugin-name.ts'

export interface HostFacts {
  readonly version: string
  /** Where plugins are looked for by name. */
  readonly pluginDirs: readonly string[]
  readonly builtInPlugins: readonly string[]
}

/** Without a line break at the end. */
export const describeBuild = async ({ version, pluginDirs, builtInPlugins }: HostFacts): Promise<string> => {
  const { version: esbuild } = await import('esbuild')
  return JSON.stringify(
    {
      version,
      apiVersion: pluginApiVersion,
      node: process.versions.node,
      esbuild,
      target: buildTarget,
      format: 'esm',
      external: hostModules,
      sources: sourceExtensions,
      output: builtFileName('NAME'),
      pluginDirs,
      builtInPlugins,
    },
    undefined,
    2,
  )
}
