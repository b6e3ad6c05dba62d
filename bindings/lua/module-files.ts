// The files that `require` may read: Lua sources below an app's own directory or a package root, and nothing else.
// Invariant: what is read has its real path there, so that neither `..` nor a symbolic link leads out; and nothing is asked
// of the file system about a path that is elsewhere, so that a guest cannot even learn what exists.
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, resolve, sep } from 'node:path'
import { decoded } from './errors.ts'

const byteOrderMark = [0xef, 0xbb, 0xbf] as const

/** Lua source as `luaL_loadfile` sees it: without a byte order mark, a first line `#!...` emptied (line numbers stay). */
export const sourceOf = (file: Uint8Array): Uint8Array => {
  const text = byteOrderMark.every((byte, index) => file[index] === byte) ? file.subarray(byteOrderMark.length) : file
  if (text[0] !== 0x23) return text
  const endOfLine = text.indexOf(0x0a)
  return endOfLine === -1 ? new Uint8Array(0) : text.subarray(endOfLine)
}

export class ModuleFiles {
  readonly #directory: string
  readonly #directories: readonly string[]
  readonly #realDirectories: readonly string[]
  /** The app's first `package.path`. */
  readonly path: string

  /** @param packageRoots directories that are searched after the app's own; one that does not exist is left out */
  constructor(appFile: string, packageRoots: readonly string[]) {
    this.#directory = dirname(resolve(appFile))
    const directories = [this.#directory, ...packageRoots.map((root) => resolve(root))]
    // The app's own directory is `.`, which also holds when its name contains what is special in a package.path.
    const templates = ['.', ...directories.slice(1)].map((directory) => `${directory}/?.lua;${directory}/?/init.lua`)
    this.path = templates.join(';')
    this.#directories = directories
    this.#realDirectories = [...directories, dirname(realOrSame(appFile))].map(realOrSame)
  }

  /**
   * The first half of `package.searchpath`: is this file there, and may it be read?
   * @param candidate a path with Lua's `?` already filled in, as Latin-1 text of the guest's bytes; relative to the app
   */
  find(candidate: string): { file: string } | { reason: string } {
    const file = resolve(this.#directory, decoded(candidate))
    const refusal = { reason: `file '${file}' is not a Lua file in the app's directories` }
    if (!file.endsWith('.lua') || !isBelow(this.#directories, file)) return refusal
    const real = file.includes('\0') ? undefined : realFile(file)
    if (real === undefined) return { reason: `no file '${file}'` }
    return real.endsWith('.lua') && isBelow(this.#realDirectories, real) ? { file } : refusal
  }

  /** The source of a file that `find` named. Looks again: the guest may have made the name up. */
  read(file: string): { source: Uint8Array } | { reason: string } {
    const found = this.find(file)
    if ('reason' in found) return found
    try {
      return { source: sourceOf(readFileSync(realpathSync(found.file))) }
    } catch (error) {
      return { reason: `cannot read '${found.file}': ${(error as Error).message}` }
    }
  }
}

const isBelow = (directories: readonly string[], path: string): boolean =>
  directories.some((directory) => path.startsWith(directory.endsWith(sep) ? directory : directory + sep))

const realOrSame = (path: string): string => {
  try {
    return realpathSync(path)
  } catch {
    return resolve(path)
  }
}

const realFile = (path: string): string | undefined => {
  try {
    const real = realpathSync(path)
    return statSync(real).isFile() ? real : undefined
  } catch {
    return undefined
  }
}
