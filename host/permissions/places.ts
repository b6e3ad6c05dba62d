// Where a path really leads. What is then done is done in the directory that was looked at, through its descriptor, as with
// openat(): a directory on the way that has become a link meanwhile changes nothing.
// Invariant: the last name of a path is never followed here when it is a link.
import { closeSync, constants, existsSync, openSync, readlinkSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

const directoryFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NONBLOCK

// Other systems than Linux have no name for a descriptor's file: there a directory is known by its path alone.
const hasDescriptorPaths = existsSync('/proc/self/fd')

/** An open directory. */
interface OpenDirectory {
  /** Without links. */
  readonly place: string
  /** A path that leads through the descriptor. */
  readonly through: string
  close(): void
}

const openDirectory = (path: string, extraFlags = 0): OpenDirectory => {
  const fd = openSync(path, directoryFlags | extraFlags)
  const close = (): void => closeSync(fd)
  try {
    if (!hasDescriptorPaths) {
      const place = realpathSync.native(path)
      return { place, through: place, close }
    }
    const through = `/proc/self/fd/${fd}`
    return { place: readlinkSync(through), through, close }
  } catch (error) {
    close()
    throw error
  }
}

/**
 * Opens the directory that a path lies in, and calls `use` with a path by which its last name is reached in that directory, and
 * with its real place.
 * @throws the system's error when there is no such directory
 */
export const inDirectoryOf = <T>(path: string, use: (at: string, place: string) => T): T => {
  const directory = openDirectory(dirname(path))
  try {
    const name = basename(path)
    return use(join(directory.through, name), join(directory.place, name))
  } finally {
    directory.close()
  }
}

/** Opens a directory by a path that `inDirectoryOf` gave: no link is followed. */
export const inDirectory = <T>(at: string, use: (through: string) => T): T => {
  const directory = openDirectory(at, constants.O_NOFOLLOW)
  try {
    return use(directory.through)
  } finally {
    directory.close()
  }
}

/** Where a path leads as far as it does, and its missing rest behind that. */
export const nearestPlace = (path: string): string => {
  let at = resolve(path)
  const missing: string[] = []
  for (;;) {
    try {
      return join(realpathSync.native(at), ...missing)
    } catch {
      const above = dirname(at)
      if (above === at) return at
      missing.unshift(basename(at))
      at = above
    }
  }
}
