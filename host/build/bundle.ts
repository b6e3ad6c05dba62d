// The text of a built plugin: its source and all that it imports as one ES module, by esbuild. Types are stripped and not
// checked. The result depends on the sources alone: two builds of one source are the same bytes.

import { relative } from 'node:path'
import type { BuildOptions, Plugin as EsbuildPlugin, Loader, Message, Metafile, OutputFile } from 'esbuild'
import { pluginApiVersion } from '../plugin/api-version.ts'
import { hostModules } from '../plugin/host-modules.ts'
import { BuildError } from './build-error.ts'
import type { BuildSource } from './source.ts'

export const buildTarget = 'node26'

export interface Bundle {
  readonly text: string
  /** The same with its source map: what is thrown while it is tried names files and lines of the source. */
  readonly textWithMap: string
  /** What the author should know, a line each. */
  readonly warnings: readonly string[]
}

/** @throws BuildError with a line for everything that is wrong: `foobar.ts:3:7: Could not resolve "ghost"` */
export const bundlePlugin = async (source: BuildSource, hostVersion: string): Promise<Bundle> => {
  // The builder is used by few of those who start a server.
  const esbuild = await import('esbuild')
  const { flags } = source
  const options = {
    absWorkingDir: source.folder,
    bundle: true,
    write: false,
    metafile: true,
    logLevel: 'silent',
    format: 'esm',
    platform: 'node',
    target: buildTarget,
    charset: 'utf8',
    legalComments: 'inline',
    minify: flags.minify,
    // An error is told by its class's name.
    keepNames: flags.minify,
    sourcemap: 'external',
    sourcesContent: flags.sourcemap,
    external: [...flags.external],
    define: Object.fromEntries(Object.entries(flags.define).map(([name, value]) => [name, JSON.stringify(value)])),
    loader: flags.loader as Record<string, Loader>,
    plugins: [hostModulesStayOut],
    outfile: source.target,
  } as const satisfies BuildOptions
  try {
    // What the source exports, and whether it holds CommonJS, is known once it has been bundled.
    const { metafile } = await esbuild.build({ ...options, entryPoints: [source.entry] })
    const { outputFiles, warnings } = await esbuild.build({
      ...options,
      stdin: { contents: wrapper(source, hostVersion, exportsOf(metafile)), resolveDir: source.folder, sourcefile: 'polywsgi' },
      banner: holdsCommonJs(metafile) ? { js: commonJsScope } : {},
    })
    const [map, code] = outputFiles as [OutputFile, OutputFile]
    const textWithMap = `${code.text}//# sourceMappingURL=data:application/json;base64,${Buffer.from(map.contents).toString('base64')}\n`
    return { text: flags.sourcemap ? textWithMap : code.text, textWithMap, warnings: warnings.map(describe) }
  } catch (error) {
    const { errors } = error as { errors?: readonly Message[] }
    if (errors === undefined) {
      // No fault of the source's: esbuild's program for this machine is missing (`npm install --omit=optional`), or cannot run.
      throw new BuildError(`unable to build: esbuild does not work here: ${(error as Error).message}`, { cause: error })
    }
    const lines = errors.map(describe)
    throw new BuildError(lines.length === 1 ? `unable to build: ${lines[0]}` : ['unable to build:', ...lines].join('\n'))
  }
}

/** What CommonJS packages find around them, and an ES module lacks. */
const commonJsScope = `import { createRequire as createRequireOfPlugin } from 'node:module'
const require = createRequireOfPlugin(import.meta.url)
const { filename: __filename, dirname: __dirname } = import.meta`

const holdsCommonJs = ({ inputs }: Metafile): boolean => Object.values(inputs).some(({ format }) => format === 'cjs')

const exportsOf = ({ outputs }: Metafile): readonly string[] =>
  Object.values(outputs).find(({ entryPoint }) => entryPoint !== undefined)?.exports ?? []

/** The module that the file is: the source's exports, and what the host looks at before anything of the plugin runs. */
const wrapper = (source: BuildSource, hostVersion: string, exports: readonly string[]): string => {
  const from = JSON.stringify(`./${relative(source.folder, source.entry)}`)
  const about = { apiVersion: pluginApiVersion, builtFor: hostVersion, name: source.name, requires: source.requires }
  const lines = [`export const polywsgiPlugin = ${JSON.stringify(about)}`, `export * from ${from}`]
  if (exports.includes('default')) {
    lines.push(`import plugin from ${from}`)
    if (source.isRenamed) lines.push(`plugin.name = ${JSON.stringify(source.name)}`)
    lines.push('export default plugin')
  }
  return lines.join('\n')
}

/** The host has these modules, and a plugin with a copy of them would throw errors that the host does not know. */
const hostModulesStayOut: EsbuildPlugin = {
  name: 'host-modules',
  setup(build) {
    build.onResolve({ filter: /^polywsgi(?:$|\/)/ }, ({ path, kind }) => {
      if (kind === 'entry-point') return undefined
      if (hostModules.some((specifier) => specifier === path)) return { path, external: true }
      return { errors: [{ text: `A plugin imports ${hostModules.join(' or ')}, and not "${path}", which is the host itself` }] }
    })
  },
}

const describe = ({ text, location, notes }: Message): string => {
  const place = location === null ? '' : `${location.file}:${location.line}:${location.column + 1}: `
  const hints = notes.filter((note) => note.location === null).map((note) => ` (${note.text})`)
  return `${place}${text}${hints.join('')}`
}
