// From what an operator writes after --build-plugin to what is built from where to where.

import { readFileSync, type Stats, statSync } from 'node:fs'
import { basename, dirname, extname, join, relative, resolve } from 'node:path'
import { BuildError } from './build-error.ts'
import { type BuildFlags, faultOfSourceFile, manifestFile, noFlags, parseManifest } from './manifest.ts'
import { builtFileName, faultOfPluginName } from './plugin-name.ts'
import { satisfies } from './version-range.ts'

export interface BuildSource {
  readonly name: string
  /** The operator gave the name: whatever the plugin calls itself, it gets this one. */
  readonly isRenamed: boolean
  /** Absolute path of the module with the plugin. */
  readonly entry: string
  /** Absolute path; messages name files from here. */
  readonly folder: string
  readonly flags: BuildFlags
  readonly requires: readonly string[]
  /** Absolute path of the file to write. */
  readonly target: string
}

const longestManifest = 1024 * 1024

/**
 * A file is built beside itself, a folder into `cwd`. Differs from uWSGI: it builds files into the working directory too, and
 * fetches http and git URLs.
 * @param text `foobar.ts`, `folder`, or either with a space and another name after it
 * @throws BuildError
 */
export const locateSource = (text: string, cwd: string): BuildSource => {
  if (/^(?:https?|git):\/\//.test(text)) {
    throw new BuildError(`--build-plugin builds what lies on the disk, it does not fetch ${text}`)
  }
  const { path, stats, newName } = splitName(text, cwd)
  if (newName !== undefined) {
    const why = faultOfPluginName(newName)
    if (why !== undefined) throw new BuildError(`unable to build ${path}: the name '${newName}' ${why}`)
  }
  return stats.isDirectory() ? folderSource(path, newName, cwd) : fileSource(path, stats, newName, cwd)
}

/** A path may hold spaces: only where there is no such file is the last word a name. */
const splitName = (text: string, cwd: string): { path: string; stats: Stats; newName: string | undefined } => {
  const whole = statsOf(resolve(cwd, text))
  if (whole !== undefined) return { path: resolve(cwd, text), stats: whole, newName: undefined }
  const [, path = text, newName] = /^(.*\S)\s+(\S+)$/s.exec(text.trim()) ?? []
  const absolute = resolve(cwd, path)
  const stats = statsOf(absolute)
  if (stats === undefined) throw new BuildError(`unable to build '${text}': there is no file or folder ${absolute}`)
  return { path: absolute, stats, newName }
}

const statsOf = (path: string): Stats | undefined => {
  if (path.includes('\0')) return undefined
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    // A part of the path that is a file is as good as nothing; what may not be looked at is told.
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined
    throw new BuildError(`unable to build ${path}: ${(error as Error).message}`, { cause: error })
  }
}

const fileSource = (path: string, stats: Stats, newName: string | undefined, cwd: string): BuildSource => {
  const shown = relative(cwd, path)
  const why = faultOfSourceFile(shown)
  if (why !== undefined) throw new BuildError(`unable to build ${shown}: it ${why}`)
  if (!stats.isFile()) throw new BuildError(`unable to build ${shown}: it is neither a file nor a folder`)
  const folder = dirname(path)
  const name = newName ?? basename(path, extname(path))
  const nameFault = faultOfPluginName(name)
  if (nameFault !== undefined) {
    throw new BuildError(
      `unable to build ${shown}: its name '${name}' ${nameFault}; give another: --build-plugin '${shown} NAME'`,
    )
  }
  const target = join(folder, builtFileName(name))
  return { name, isRenamed: newName !== undefined, entry: path, folder, flags: noFlags, requires: [], target }
}

const folderSource = (folder: string, newName: string | undefined, cwd: string): BuildSource => {
  const manifestPath = join(folder, manifestFile)
  const stats = statsOf(manifestPath)
  if (stats === undefined) {
    const ofUwsgi = statsOf(join(folder, 'uwsgiplugin.py')) !== undefined ? ', only the uwsgiplugin.py of a plugin for uWSGI' : ''
    throw new BuildError(`unable to build ${folder}: there is no ${manifestFile} in it${ofUwsgi}`)
  }
  if (!stats.isFile() || stats.size > longestManifest) {
    throw new BuildError(`unable to build ${folder}: ${manifestFile} is not a file of at most ${longestManifest} bytes`)
  }
  const manifest = parseManifest(readFileSync(manifestPath, 'utf8'), relative(cwd, manifestPath))
  const entry = resolve(folder, manifest.entry)
  if (statsOf(entry)?.isFile() !== true) {
    throw new BuildError(
      `${relative(cwd, manifestPath)}: 'entry' is ${JSON.stringify(manifest.entry)}, and there is no such file`,
    )
  }
  checkDependencies(manifest.dependencies, folder, relative(cwd, manifestPath))
  const name = newName ?? manifest.name
  const { flags, requires } = manifest
  return { name, isRenamed: newName !== undefined, entry, folder, flags, requires, target: join(cwd, builtFileName(name)) }
}

/** All that are missing in one message: one `npm install` then gets them. */
const checkDependencies = (dependencies: Readonly<Record<string, string>>, folder: string, place: string): void => {
  const missing: string[] = []
  for (const [name, range] of Object.entries(dependencies)) {
    const installed = installedVersion(name, folder)
    if (installed === undefined) missing.push(`${name}@${range} is not installed`)
    else if (!satisfies(installed, range)) missing.push(`${name} is installed as ${installed}, and ${range} is asked for`)
  }
  if (missing.length === 0) return
  const install = Object.entries(dependencies).map(([name, range]) => `'${name}@${range}'`)
  throw new BuildError(`${place}: ${missing.join('; ')}. In ${folder}: npm install ${install.join(' ')}`)
}

/** Looks where Node looks: in node_modules here and above. */
const installedVersion = (name: string, folder: string): string | undefined => {
  for (let place = folder; ; place = dirname(place)) {
    const path = join(place, 'node_modules', name, 'package.json')
    if (statsOf(path) !== undefined) {
      try {
        return String((JSON.parse(readFileSync(path, 'utf8')) as { version?: unknown }).version)
      } catch (error) {
        throw new BuildError(`${path}: ${(error as Error).message}`, { cause: error })
      }
    }
    if (place === dirname(place)) return undefined
  }
}
