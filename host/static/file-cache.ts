// The contents of files that were sent lately. A file is looked at (not opened) for each request: when device, inode, size and
// both times are what they were, its contents are too.
// Invariant: all entries together take no more than the bound, empty files under thousands of spellings of their path too; what a path leads to is taken from here only while it is the
// very file that was found to lie where it may.
import type { Stats } from 'node:fs'

export interface CachedFile {
  /** Without links. */
  readonly path: string
  readonly stats: Stats
  /** Never changed once it is here: it is on its way to clients. */
  readonly bytes: Buffer
  readonly contentType: string | undefined
  /** A look at it needs no waiting. */
  readonly isLocal: boolean
}

/** All entries together, in bytes. */
export const mostCached = 32 * 1024 * 1024
/** A larger file is read from the disk each time. */
export const largestCached = 512 * 1024
/** What an entry takes beside its contents, its paths and strings: the looks at the file, its place in the map. */
const entryCost = 1024
/** A change so soon after another one could leave the same times, by the clock that file systems use. */
const clockTickMs = 100

export class FileCache {
  readonly #limit: number
  /** The one used last is the last one. */
  readonly #files = new Map<string, CachedFile>()
  #bytes = 0

  constructor(limit = mostCached) {
    this.#limit = limit
  }

  get bytes(): number {
    return this.#bytes
  }

  get(path: string): CachedFile | undefined {
    return this.#files.get(path)
  }

  /** @param stats of the path as it is now @returns whether it is still the file that is here; else it is forgotten */
  isFresh(path: string, file: CachedFile, stats: Stats): boolean {
    if (this.#files.get(path) !== file) return false
    const isSame = stats.isFile() && areSame(stats, file.stats)
    this.#files.delete(path)
    // Put back at the end: what is not used goes first.
    if (isSame) this.#files.set(path, file)
    else this.#bytes -= costOf(path, file)
    return isSame
  }

  forget(path: string): void {
    const file = this.#files.get(path)
    if (file === undefined) return
    this.#files.delete(path)
    this.#bytes -= costOf(path, file)
  }

  /** @param path as it was asked for, links and all */
  add(path: string, file: CachedFile, nowMs = Date.now()): void {
    this.forget(path)
    if (file.bytes.length > largestCached || nowMs - file.stats.ctimeMs < clockTickMs) return
    this.#files.set(path, file)
    this.#bytes += costOf(path, file)
    for (const oldest of this.#files.keys()) {
      if (this.#bytes <= this.#limit) return
      this.forget(oldest)
    }
  }
}

const costOf = (path: string, file: CachedFile): number => file.bytes.length + 2 * (path.length + file.path.length) + entryCost

export const areSame = (one: Stats, other: Stats): boolean =>
  one.ino === other.ino &&
  one.dev === other.dev &&
  one.size === other.size &&
  one.mtimeMs === other.mtimeMs &&
  one.ctimeMs === other.ctimeMs
