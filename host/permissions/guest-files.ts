// The files of the machine that the guests of one interpreter may have, and everything they may do with them.
// Invariant: what is opened, changed or told of really lies below a root, judged by the place of the directory it was reached
// in; only regular files are opened; links are followed one by one, and each is judged like any other file.
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  futimesSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  renameSync,
  rmdirSync,
  type Stats,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { ChangedAttributes, GuestFiles, HostFile, OpenMode } from '../api/guest-access.ts'
import { FileError } from '../errors.ts'
import { inDirectory, inDirectoryOf, nearestPlace } from './places.ts'
import { fault, systemFault } from './reasons.ts'
import type { Roots } from './roots.ts'

/** Open at the same time, of one interpreter: descriptors are the whole server's. */
export const mostOpenFiles = 128
/** Bytes that a guest may make a file of. */
export const largestFile = 1024 * 1024 * 1024
/** As Linux has it. */
const mostLinks = 40
const longestPath = 4096
const newFileMode = 0o666

const baseFlags = constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY

/** `see`: that it exists, which is also told of the directories on the way to what may be read. */
type Need = 'see' | 'read' | 'write'

export class HostFiles implements GuestFiles {
  readonly #roots: Roots
  /** Where relative paths begin. */
  readonly #directory: string
  readonly #most: number
  readonly #open = new Set<OpenedFile>()

  /** @param most files that may be open at the same time */
  constructor(roots: Roots, directory: string, most = mostOpenFiles) {
    this.#most = most
    this.#roots = roots
    this.#directory = directory
  }

  show(directory: string): void {
    this.#roots.show(directory)
  }

  isVisible(path: string): boolean {
    return this.#roots.isVisible(path)
  }

  open(path: string, mode: OpenMode, isFollowing = true): HostFile {
    if (this.#open.size >= this.#most) throw fault(path, 'EMFILE', `more than ${this.#most} files are open`)
    return this.#at(path, mode.write ? 'write' : 'read', isFollowing, (at) => {
      const fd = this.#openRegular(path, at, mode)
      const file = new OpenedFile(path, fd, mode.append === true, () => this.#open.delete(file))
      this.#open.add(file)
      return file
    })
  }

  stat(path: string, isFollowing = true): Stats {
    return this.#at(path, 'see', isFollowing, (at) => lstatSync(at))
  }

  list(path: string): string[] {
    return this.#at(path, 'see', true, (at, place) => {
      const names = inDirectory(at, (through) => readdirSync(through))
      return this.#roots.isReadable(place) ? names : names.filter((name) => this.#roots.isVisible(join(place, name)))
    })
  }

  readLink(path: string): string {
    return this.#at(path, 'read', false, (at) => readlinkSync(at))
  }

  remove(path: string): void {
    this.#at(path, 'write', false, (at, place) => {
      if (!lstatSync(at).isDirectory()) return unlinkSync(at)
      if (this.#roots.isRoot(place)) throw fault(path, 'EBUSY', 'it is a directory of allow-write itself')
      rmdirSync(at)
    })
  }

  rename(from: string, to: string): void {
    this.#at(from, 'write', false, (at, place) => {
      if (this.#roots.isRoot(place) && lstatSync(at).isDirectory()) {
        throw fault(from, 'EBUSY', 'it is a directory of allow-write itself')
      }
      this.#at(to, 'write', false, (target) => renameSync(at, target))
    })
  }

  makeDirectory(path: string): void {
    this.#at(path, 'write', false, (at) => mkdirSync(at))
  }

  change(path: string, { mode, accessedMs, modifiedMs }: ChangedAttributes): void {
    this.#at(path, 'write', false, (at) => {
      const found = lstatSync(at)
      if (!found.isDirectory()) assertRegular(path, found)
      const fd = openSync(at, baseFlags)
      try {
        // No set-user-id bits: they would give the server's rights to others.
        if (mode !== undefined) fchmodSync(fd, mode & 0o777)
        if (accessedMs !== undefined || modifiedMs !== undefined) {
          futimesSync(fd, (accessedMs ?? found.atimeMs) / 1000, (modifiedMs ?? found.mtimeMs) / 1000)
        }
      } finally {
        closeSync(fd)
      }
    })
  }

  #openRegular(path: string, at: string, mode: OpenMode): number {
    const { read, write, create = false, exclusive = false, truncate = false, append = false } = mode
    // What is no regular file is not even opened: that alone may have an effect.
    const found = lstatSync(at, { throwIfNoEntry: false })
    if (found !== undefined) assertRegular(path, found)
    let flags = baseFlags | (write ? (read ? constants.O_RDWR : constants.O_WRONLY) : constants.O_RDONLY)
    if (create) flags |= constants.O_CREAT
    if (exclusive) flags |= constants.O_EXCL
    if (append) flags |= constants.O_APPEND
    const fd = openSync(at, flags, newFileMode)
    try {
      assertRegular(path, fstatSync(fd))
      if (truncate) ftruncateSync(fd, 0)
      return fd
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }

  /** Calls `use` with a path that leads to nothing but the file that was judged. */
  #at<T>(given: string, need: Need, isFollowing: boolean, use: (at: string, place: string) => T): T {
    if (given === '' || given.length > longestPath || given.includes('\0'))
      throw fault(given, 'ENOENT', 'it is no path of a file')
    const path = resolve(this.#directory, given)
    try {
      return this.#follow(given, path, need, isFollowing ? mostLinks : 0, isFollowing, use)
    } catch (error) {
      if (error instanceof FileError) throw error
      // Of what lies elsewhere nothing is told, not even that it is missing.
      if (!this.#isAllowed(need, nearestPlace(path))) throw this.#refusal(given, need)
      throw systemFault(given, error)
    }
  }

  #follow<T>(
    given: string,
    path: string,
    need: Need,
    links: number,
    isFollowing: boolean,
    use: (at: string, place: string) => T,
  ): T {
    return inDirectoryOf(path, (at, place) => {
      if (isFollowing && this.#roots.isVisible(place)) {
        const target = linkTarget(at)
        if (target !== undefined) {
          if (links === 0) throw fault(given, 'ELOOP', 'too many symbolic links')
          return this.#follow(given, resolve(dirname(place), target), need, links - 1, true, use)
        }
      }
      if (!this.#isAllowed(need, place)) throw this.#refusal(given, need)
      return use(at, place)
    })
  }

  #isAllowed(need: Need, place: string): boolean {
    if (need === 'see') return this.#roots.isVisible(place)
    return need === 'read' ? this.#roots.isReadable(place) : this.#roots.isWritable(place)
  }

  #refusal(path: string, need: Need): FileError {
    const verb = need === 'write' ? 'write' : 'read'
    return new FileError(path, 'EACCES', `it is not among the files that guests may ${verb} (allow-${verb})`, true)
  }
}

const linkTarget = (at: string): string | undefined =>
  lstatSync(at, { throwIfNoEntry: false })?.isSymbolicLink() === true ? readlinkSync(at) : undefined

const assertRegular = (path: string, stats: Stats): void => {
  if (stats.isFile()) return
  if (stats.isDirectory()) throw fault(path, 'EISDIR', 'it is a directory')
  if (stats.isSymbolicLink()) throw fault(path, 'ELOOP', 'it is a symbolic link')
  throw fault(path, 'EINVAL', 'it is no regular file')
}

class OpenedFile implements HostFile {
  readonly #path: string
  readonly #isAppending: boolean
  readonly #onClose: () => void
  #fd: number

  constructor(path: string, fd: number, isAppending: boolean, onClose: () => void) {
    this.#path = path
    this.#fd = fd
    this.#isAppending = isAppending
    this.#onClose = onClose
  }

  read(into: Uint8Array, position: number): number {
    return this.#attempt((fd) => (into.length === 0 ? 0 : readSync(fd, into, 0, into.length, position)))
  }

  write(bytes: Uint8Array, position: number): void {
    this.#attempt((fd) => {
      const start = this.#isAppending ? fstatSync(fd).size : position
      this.#assertSize(start + bytes.length)
      let done = 0
      while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done, this.#isAppending ? null : start + done)
    })
  }

  stat(): Stats {
    return this.#attempt((fd) => fstatSync(fd))
  }

  truncate(size: number): void {
    this.#assertSize(size)
    this.#attempt((fd) => ftruncateSync(fd, size))
  }

  close(): void {
    if (this.#fd < 0) return
    const fd = this.#fd
    this.#fd = -1
    this.#onClose()
    closeSync(fd)
  }

  #assertSize(size: number): void {
    if (size > largestFile) throw fault(this.#path, 'EFBIG', `guests make no file larger than ${largestFile} bytes`)
  }

  #attempt<T>(operation: (fd: number) => T): T {
    // The number may be another file's by now.
    if (this.#fd < 0) throw fault(this.#path, 'EBADF', 'the file is closed')
    try {
      return operation(this.#fd)
    } catch (error) {
      throw systemFault(this.#path, error)
    }
  }
}
