// Reading a cache without its lock: the version of the item's stripe is read before and after, and whatever was read between
// two different versions counts for nothing.
// Invariant: what is answered was true at one moment, and each use is counted once.

import type { CacheCounters } from './cache-counters.ts'
import type { CacheTable } from './cache-table.ts'

/** A reader looks so often before it leaves the answer to who has the lock. Most changes take less than a microsecond. */
export const readTries = 200
/** The same for a reader that has a slower way left. */
const directTries = 8

/** Who could tell only under the lock. */
export const needsLock: unique symbol = Symbol('cache needs its lock')

export class CacheReader {
  readonly #table: CacheTable
  readonly #counters: CacheCounters
  readonly #now: () => number
  // An atomic operation on it is a fence: what was read before is really read before the version is looked at again.
  readonly #fence = new Int32Array(1)
  /** The item that was met by the last read and had expired, else -1. */
  expired = -1

  constructor(table: CacheTable, counters: CacheCounters, now: () => number) {
    this.#table = table
    this.#counters = counters
    this.#now = now
  }

  /**
   * @param take makes the answer of an item; it may see an item that is being changed, and is then called again
   * @param isUse counts as a hit or a miss, and as a use of the item
   */
  read<T>(
    key: Uint8Array,
    hash: number,
    take: (table: CacheTable, item: number) => T,
    isUse: boolean,
  ): T | undefined | typeof needsLock {
    const table = this.#table
    const versionAt = table.versionAt(hash)
    for (let tries = 0; tries < readTries; tries += 1) {
      const version = Atomics.load(table.words, versionAt)
      if ((version & 1) === 1) continue
      const item = table.find(hash, key)
      const isExpired = item >= 0 && this.isExpired(item)
      const isThere = item >= 0 && !isExpired
      const result = isThere ? take(table, item) : undefined
      if (!this.isStill(versionAt, version)) continue
      this.expired = isExpired ? item : -1
      if (isUse) this.used(isThere ? item : -1)
      return result
    }
    return needsLock
  }

  /** See `Cache.getInto`. */
  readInto(source: Uint8Array, start: number, length: number, target: Uint32Array, to: number, room: number): number {
    const table = this.#table
    if (length === 0 || length > table.shape.keysize) return -2
    const hash = table.hash(source, start, length)
    const versionAt = table.versionAt(hash)
    for (let tries = 0; tries < directTries; tries += 1) {
      const version = Atomics.load(table.words, versionAt)
      if ((version & 1) === 1) continue
      const item = table.find(hash, source, start, length)
      // Read from under a writer's hands it may be anything: only what fits is copied, and the version tells the rest.
      const found = item < 0 ? -1 : table.valueLength(item)
      if (found > room || (item >= 0 && this.isExpired(item))) return -2
      if (item >= 0) table.copyValue(item, found, target, to)
      if (!this.isStill(versionAt, version)) continue
      this.used(item)
      return found
    }
    return -2
  }

  /** @param item -1: there was none */
  used(item: number): void {
    if (item < 0) this.#counters.miss()
    else {
      this.#counters.hit()
      this.#table.lru?.touch(item)
    }
  }

  isExpired(item: number): boolean {
    const expires = this.#table.expires(item)
    return expires !== 0 && expires <= this.#now()
  }

  isStill(versionAt: number, version: number): boolean {
    Atomics.add(this.#fence, 0, 0)
    return Atomics.load(this.#table.words, versionAt) === version
  }
}
