// Which files may be sent: regular ones that really lie below a directory that is meant to be seen, links followed to their
// end.
// Invariant: what is handed out was looked at through its descriptor, or is named with device and inode of what was looked at;
// a file that is put in its place in between is another one. Only regular files are ever opened.
import { accessSync, constants, lstatSync, realpathSync, type Stats } from 'node:fs'
import { type FileHandle, lstat, open, readlink, realpath } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/** There is none, or it may not be read. */
export interface AbsentFile {
  readonly kind: 'absent'
}

/** `special`: a device, a pipe, a socket. `outside`: not below a root. */
export interface RefusedFile {
  readonly kind: 'directory' | 'special' | 'outside'
  /** Where it really lies. */
  readonly path: string
}

export type Refusal = AbsentFile | RefusedFile

export interface OpenFile {
  readonly kind: 'open'
  readonly handle: FileHandle
  /** Without links. */
  readonly path: string
  readonly stats: Stats
}

/** A file that was found good, by what tells it from one that takes its place. */
export interface KnownFile {
  readonly kind: 'known'
  /** Without links. */
  readonly path: string
  readonly dev: number
  readonly ino: number
  readonly size: number
  readonly modifiedMs: number
}

/** Is the path the root itself, or below it? Both without links. */
export const isWithin = (root: string, path: string): boolean =>
  path === root || path.startsWith(root.endsWith('/') ? root : `${root}/`)

// A link put at the end of the path meanwhile is not followed, and a pipe put there is not waited for.
const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY

/** Errors that mean no more than that there is no such file for us. */
const absences: ReadonlySet<string | undefined> = new Set([
  'ENOENT',
  'ENOTDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'EACCES',
  'EPERM',
  'ENXIO',
  'EINVAL',
])

const absentOr = (error: unknown): Refusal => {
  if (absences.has((error as NodeJS.ErrnoException).code)) return { kind: 'absent' }
  throw error
}

/**
 * Opens a file below one of the roots. The caller closes it.
 * @param roots existing or not; links in them are followed
 * @throws the system's errors of a system in need: too many open files, a broken disk
 */
export const openWithin = async (path: string, roots: readonly string[]): Promise<OpenFile | Refusal> => {
  let handle: FileHandle | undefined
  try {
    const real = await realpath(path)
    const realRoots = await realPaths(roots)
    const isAllowed = (place: string): boolean => realRoots.some((root) => isWithin(root, place))
    if (!isAllowed(real)) return { kind: 'outside', path: real }
    const found = await lstat(real)
    if (!found.isFile()) return { kind: found.isDirectory() ? 'directory' : 'special', path: real }
    handle = await open(real, flags)
    const stats = await handle.stat()
    const place = await placeOf(handle, real, stats)
    if (stats.isFile() && place !== undefined && isAllowed(place)) {
      const opened: OpenFile = { kind: 'open', handle, path: real, stats }
      handle = undefined
      return opened
    }
    return place === undefined ? { kind: 'absent' } : { kind: 'outside', path: place }
  } catch (error) {
    return absentOr(error)
  } finally {
    await handle?.close()
  }
}

const realPaths = async (roots: readonly string[]): Promise<string[]> => {
  const real: string[] = []
  for (const root of roots) {
    try {
      real.push(await realpath(root))
    } catch (error) {
      absentOr(error)
    }
  }
  return real
}

/** Where an open file lies: a directory on the way may have become a link after the path was looked at. */
const placeOf = async (handle: FileHandle, path: string, stats: Stats): Promise<string | undefined> => {
  try {
    return await readlink(`/proc/self/fd/${handle.fd}`)
  } catch {
    // No /proc: the path still has to lead to the same file, without a link.
    const now = await lstat(path)
    return (await realpath(path)) === path && now.dev === stats.dev && now.ino === stats.ino ? path : undefined
  }
}

/** Opens what `checkFile` found. @returns absent when it is another file by now */
export const openKnown = async (known: Pick<KnownFile, 'path' | 'dev' | 'ino'>): Promise<OpenFile | Refusal> => {
  let handle: FileHandle | undefined
  try {
    const found = await lstat(known.path)
    if (!found.isFile()) return { kind: 'absent' }
    handle = await open(known.path, flags)
    const stats = await handle.stat()
    if (!stats.isFile() || stats.dev !== known.dev || stats.ino !== known.ino) return { kind: 'absent' }
    const opened: OpenFile = { kind: 'open', handle, path: known.path, stats }
    handle = undefined
    return opened
  } catch (error) {
    return absentOr(error)
  } finally {
    await handle?.close()
  }
}

/**
 * Looks at a file without opening it, for a thread that may wait for the disk. Outside of the roots nothing is told of what is
 * there and what is not.
 * @param roots undefined: it may lie anywhere
 */
export const checkFile = (path: string, roots: readonly string[] | undefined): KnownFile | Refusal => {
  const isAllowed = (real: string): boolean => roots === undefined || roots.some((root) => isWithinReal(root, real))
  try {
    const real = realpathSync.native(path)
    if (!isAllowed(real)) return { kind: 'outside', path: real }
    const stats = lstatSync(real)
    if (!stats.isFile()) return { kind: stats.isDirectory() ? 'directory' : 'special', path: real }
    accessSync(real, constants.R_OK)
    return { kind: 'known', path: real, dev: stats.dev, ino: stats.ino, size: stats.size, modifiedMs: stats.mtimeMs }
  } catch (error) {
    const refusal = absentOr(error)
    const nearest = nearestReal(path)
    return isAllowed(nearest) ? refusal : { kind: 'outside', path: nearest }
  }
}

/** Where the path leads as far as it does. */
const nearestReal = (path: string): string => {
  let at = resolve(path)
  for (;;) {
    const above = dirname(at)
    try {
      return realpathSync.native(at)
    } catch {
      if (above === at) return at
      at = above
    }
  }
}

const isWithinReal = (root: string, path: string): boolean => {
  try {
    return isWithin(realpathSync.native(root), path)
  } catch {
    return false
  }
}
