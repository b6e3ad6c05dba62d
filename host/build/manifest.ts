// uwsgiplugin.json: what uWSGI's uwsgiplugin.py is to a plugin's folder. Invariant: a manifest that was read is whole and well
// formed; what it lacks has its default, and a field nobody knows is refused, since it is a slip of the pen.

import { isAbsolute, normalize, sep } from 'node:path'
import { BuildError } from './build-error.ts'
import { isRecord, shownValue } from './json-value.ts'
import { faultOfPluginName } from './plugin-name.ts'
import { faultOfVersionRange } from './version-range.ts'

/** How files of an extension become modules, by esbuild's names. */
const loaders = ['text', 'binary', 'json', 'base64', 'dataurl', 'js', 'ts'] as const
export type LoaderName = (typeof loaders)[number]

/** What uWSGI's CFLAGS, LDFLAGS and BINARY_LIST are for. */
export interface BuildFlags {
  /** Names in the source that stand for a value. */
  readonly define: Readonly<Record<string, string | number | boolean | null>>
  readonly minify: boolean
  /** The source map goes into the file itself. */
  readonly sourcemap: boolean
  /** Modules that are not put into the file but imported when it is loaded, from where it lies. */
  readonly external: readonly string[]
  /** File name extension, with its dot, to what a file of it is imported as: `{ ".html": "text" }`. */
  readonly loader: Readonly<Record<string, LoaderName>>
}

export interface Manifest {
  readonly name: string
  /** The module with the plugin, from the manifest's folder. */
  readonly entry: string
  /** npm packages that the plugin is made of, name to version. They are put into the file. */
  readonly dependencies: Readonly<Record<string, string>>
  readonly flags: BuildFlags
  /** The plugins that are loaded before it, as `--plugin` names them; without one of them it is refused. */
  readonly requires: readonly string[]
}

export const noFlags: BuildFlags = { define: {}, minify: false, sourcemap: false, external: [], loader: {} }
/** What a plugin may be written in to be built. */
export const sourceExtensions = ['.ts', '.mts', '.js', '.mjs'] as const
export const manifestFile = 'uwsgiplugin.json'

type Fields = Readonly<Record<string, unknown>>

/**
 * @param text the file's content
 * @param place the file's path, for messages
 * @throws BuildError naming the field
 */
export const parseManifest = (text: string, place: string): Manifest => {
  const refuse = (field: string, why: string): never => {
    throw new BuildError(`${place}: ${field} ${why}`)
  }
  const checkKnown = (fields: Fields, known: readonly string[], prefix: string): void => {
    for (const name of Object.keys(fields)) {
      if (!known.includes(name)) refuse(`'${prefix}${name}'`, `is not a field (they are: ${known.join(', ')})`)
    }
  }
  const texts = (field: string, value: unknown, fault: (item: string) => string | undefined): readonly string[] => {
    if (value === undefined) return []
    if (!Array.isArray(value)) return refuse(`'${field}'`, `must be a list of texts, not ${shownValue(value)}`)
    for (const item of value) {
      if (typeof item !== 'string') return refuse(`'${field}'`, `must be a list of texts, but ${shownValue(item)} is in it`)
      const why = fault(item)
      if (why !== undefined) return refuse(`'${field}'`, `holds ${shownValue(item)}, which ${why}`)
    }
    return value
  }
  const record = (field: string, value: unknown): Fields => {
    if (value === undefined) return {}
    return isRecord(value) ? value : refuse(`'${field}'`, `must be an object, not ${shownValue(value)}`)
  }
  const flag = (field: string, value: unknown): boolean => {
    if (value === undefined || typeof value === 'boolean') return value ?? false
    return refuse(`'${field}'`, `must be true or false, not ${shownValue(value)}`)
  }

  const fields = parseJson(text, place)
  checkKnown(fields, ['name', 'entry', 'dependencies', 'flags', 'requires'], '')
  const { name, entry } = fields
  if (typeof name !== 'string') return refuse(`'name'`, `must be a text, not ${shownValue(name)}`)
  const nameFault = faultOfPluginName(name)
  if (nameFault !== undefined) refuse(`'name'`, `is ${shownValue(name)}, which ${nameFault}`)
  if (typeof entry !== 'string' || entry === '') return refuse(`'entry'`, `must be a file's path, not ${shownValue(entry)}`)
  const entryFault = faultOfEntry(entry)
  if (entryFault !== undefined) refuse(`'entry'`, `is ${shownValue(entry)}, which ${entryFault}`)

  const dependencies = record('dependencies', fields['dependencies'])
  for (const [packageName, version] of Object.entries(dependencies)) {
    const field = `'dependencies.${packageName}'`
    if (!packageForm.test(packageName)) refuse(field, 'is not the name of an npm package')
    if (typeof version !== 'string') return refuse(field, `must be a version, not ${shownValue(version)}`)
    const why = faultOfVersionRange(version)
    if (why !== undefined) refuse(field, `is ${shownValue(version)}, which ${why}`)
  }

  const flags = record('flags', fields['flags'])
  checkKnown(flags, Object.keys(noFlags), 'flags.')
  const define = record('flags.define', flags['define'])
  for (const [defined, value] of Object.entries(define)) {
    const field = `'flags.define.${defined}'`
    if (!identifierForm.test(defined)) refuse(field, 'is not a name that can stand in a program')
    if (typeof value === 'object' && value !== null) refuse(field, `must be a text, a number, true, false or null`)
  }
  const loader = record('flags.loader', flags['loader'])
  for (const [extension, kind] of Object.entries(loader)) {
    if (!/^\.[\w.-]+$/.test(extension)) refuse(`'flags.loader.${extension}'`, 'is not a file name extension with its dot')
    if (!loaders.some((known) => known === kind)) {
      refuse(`'flags.loader.${extension}'`, `must be one of ${loaders.join(', ')}, not ${shownValue(kind)}`)
    }
  }

  return {
    name,
    entry,
    dependencies: dependencies as Manifest['dependencies'],
    flags: {
      define: define as BuildFlags['define'],
      minify: flag('flags.minify', flags['minify']),
      sourcemap: flag('flags.sourcemap', flags['sourcemap']),
      external: texts('flags.external', flags['external'], (item) => (item === '' ? 'is empty' : undefined)),
      loader: loader as BuildFlags['loader'],
    },
    requires: texts('requires', fields['requires'], faultOfPluginName),
  }
}

const packageForm = /^(?:@[a-z0-9~_-][a-z0-9._~-]*\/)?[a-z0-9~_-][a-z0-9._~-]*$/i
const identifierForm = /^[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*$/

const parseJson = (text: string, place: string): Fields => {
  let value: unknown
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    throw new BuildError(`${place}: not JSON: ${(error as Error).message}`, { cause: error })
  }
  if (!isRecord(value)) throw new BuildError(`${place}: must be an object, not ${shownValue(value)}`)
  return value
}

const faultOfEntry = (entry: string): string | undefined => {
  if (entry.includes('\0')) return 'holds a NUL'
  const path = normalize(entry)
  if (isAbsolute(path) || path === '..' || path.startsWith(`..${sep}`)) return 'is not in the folder'
  return faultOfSourceFile(entry)
}

/** Why a file cannot be a plugin's source, to be put after its name; undefined when it may be. */
export const faultOfSourceFile = (file: string): string | undefined => {
  if (/\.(?:lua|py)$/.test(file)) return `is loaded as it is, with nothing to build: --plugin ${file}`
  if (!sourceExtensions.some((extension) => file.endsWith(extension))) {
    return `is not a source that can be built (${sourceExtensions.join(' ')})`
  }
  return undefined
}
