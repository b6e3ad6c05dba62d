// A cache as uWSGI's: keys to values, both bytes, shared by all threads, in one block of shared memory.
// Invariant: a reader takes no lock and still sees each item whole, old or new, since it looks again when the version of the
// item's stripe has changed meanwhile; a writer holds the one lock. A thread may end between any two steps of a write:
// readers of the stripe then wait for the lock, and whoever learns of the end calls `threadEnded`, which drops the item that
// was being written and frees the lock. Differs from uWSGI: an expired item is never returned, swept or not; all items can
// be used, not one less; arithmetic on a value that is no number of 64 bits is refused.

import { CacheCounters, type CacheStatistics } from './cache-counters.ts'
import { type CacheHandle, type CacheShape, computeCacheLayout, headerFloat, headerWord } from './cache-layout.ts'
import { CacheReader, needsLock, readTries } from './cache-reader.ts'
import { CacheTable } from './cache-table.ts'
import { type CacheOperator, CacheWriter, numberBytes } from './cache-writer.ts'

export type { CacheStatistics } from './cache-counters.ts'
export type { CacheHandle, CacheShape } from './cache-layout.ts'
export type { CacheOperator } from './cache-writer.ts'

/** What a thread brings along when it opens a cache. */
export interface CacheUser {
  /** Its number: 0 is the master. */
  readonly thread: number
  /** Gets the line that says that the cache is full. */
  readonly log?: ((line: string) => void) | undefined
  /** Milliseconds since 1970. */
  readonly now?: (() => number) | undefined
}

export interface CacheItem {
  readonly key: Uint8Array
  readonly value: Uint8Array
  /** Milliseconds since 1970; 0 never. */
  readonly expiresAtMs: number
}

/** The lock was not to be had in the time that the master can wait: a thread holds it, or died with it a moment ago. */
export class CacheBusyError extends Error {
  override readonly name = 'CacheBusyError'
}

/** The master serves every client: longer than this it waits for nobody. */
const masterLockMs = 50
/** A full cache may refuse thousands of items a second: the log hears of it once in so many milliseconds. */
const fullLogMs = 1000

const allocate = (shape: CacheShape): SharedArrayBuffer => {
  const { byteLength } = computeCacheLayout(shape)
  try {
    return new SharedArrayBuffer(byteLength)
  } catch (cause) {
    const mebibytes = Math.ceil(byteLength / 2 ** 20)
    throw new RangeError(`cache "${shape.name}" needs ${mebibytes} MiB of memory, which are not to be had`, { cause })
  }
}

const takeValue = (table: CacheTable, item: number): Uint8Array<ArrayBuffer> => table.value(item)
const takePresence = (): true => true
const takeNumber = (table: CacheTable, item: number): bigint | undefined =>
  table.valueLength(item) === numberBytes ? table.number(item) : undefined
const takeItem = (table: CacheTable, item: number): CacheItem => ({
  key: table.key(item),
  value: table.value(item),
  expiresAtMs: table.expires(item),
})

export class Cache {
  readonly handle: CacheHandle
  readonly #table: CacheTable
  readonly #counters: CacheCounters
  readonly #writer: CacheWriter
  readonly #reader: CacheReader
  readonly #thread: number
  readonly #log: ((line: string) => void) | undefined
  readonly #now: () => number
  #toldFullAt = Number.NEGATIVE_INFINITY

  private constructor(handle: CacheHandle, user: CacheUser, table: CacheTable) {
    this.handle = handle
    this.#table = table
    this.#thread = user.thread
    this.#log = user.log
    this.#now = user.now ?? Date.now
    this.#counters = new CacheCounters(table, user.thread)
    this.#writer = new CacheWriter(table, this.#counters, this.#now)
    this.#reader = new CacheReader(table, this.#counters, this.#now)
  }

  /** @throws RangeError when there is not so much memory */
  static create(shape: CacheShape, user: CacheUser = { thread: 0 }): Cache {
    const buffer = allocate(shape)
    new Int32Array(buffer).set(crypto.getRandomValues(new Int32Array(2)), headerWord.seed0)
    return Cache.open({ buffer, shape }, user)
  }

  /** @param table for a test that stops it half-way */
  static open(handle: CacheHandle, user: CacheUser, table: CacheTable = new CacheTable(handle)): Cache {
    return new Cache(handle, user, table)
  }

  get name(): string {
    return this.handle.shape.name
  }

  /** Longest value in bytes. */
  get maxValue(): number {
    return this.#table.layout.maxValue
  }

  // ── Reading ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A copy of the value. */
  get(key: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
    return this.#read(key, takeValue, true)
  }

  /**
   * As `get`, with nothing made: the key is read where it lies, the value is written where it is wanted.
   * @param source holds the key at `start`, `length` bytes long
   * @param target gets the value at byte `to`, a multiple of 4, where it has `room` bytes, a multiple of 4
   * @returns bytes of the value; -1: there is none; -2: it has more than `room`, or only `get` could tell
   */
  getInto(source: Uint8Array, start: number, length: number, target: Uint32Array, to: number, room: number): number {
    return this.#reader.readInto(source, start, length, target, to, room)
  }

  /** As `get`, with the time when the item expires. */
  getItem(key: Uint8Array): CacheItem | undefined {
    return this.#read(key, takeItem, true)
  }

  exists(key: Uint8Array): boolean {
    return this.#read(key, takePresence, false) === true
  }

  /** The number that a value of 8 bytes is; 0 for a missing item and for any other value. */
  num(key: Uint8Array): bigint {
    return this.#read(key, takeNumber, false) ?? 0n
  }

  /** The keys of all items that have not expired, as they were at one moment. */
  keys(): Uint8Array<ArrayBuffer>[] {
    const { words } = this.#table
    for (let tries = 0; tries < 3; tries += 1) {
      const structure = Atomics.load(words, headerWord.structure)
      if ((structure & 1) === 1) continue
      const keys = this.#listKeys()
      if (this.#reader.isStill(headerWord.structure, structure)) return keys
    }
    return this.#exclusively(() => this.#listKeys())
  }

  /** How many items there are; those that have expired count until they are swept. */
  get items(): number {
    return this.#table.items
  }

  /** Another number after every change. */
  get changes(): number {
    return Atomics.load(this.#table.words, headerWord.changes)
  }

  get statistics(): CacheStatistics {
    return this.#counters.statistics
  }

  // ── Writing ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Adds an item. False, and nothing changed: the key exists, the cache is full, or key or value is empty or too long.
   * @param expires seconds from now, not negative; 0 never
   */
  set(key: Uint8Array, value: Uint8Array, expires = 0): boolean {
    return this.#store(key, value, this.#deadline(expires), false)
  }

  /** As `set`; an item that exists gets the new value and the new expiry. */
  update(key: Uint8Array, value: Uint8Array, expires = 0): boolean {
    return this.#store(key, value, this.#deadline(expires), true)
  }

  /** As `update`, with the time when the item expires, and no other item goes to make room. */
  restore({ key, value, expiresAtMs }: CacheItem): boolean {
    if (!this.#fits(key, value)) return false
    const hash = this.#table.hash(key)
    return this.#exclusively(() => this.#writer.restore(hash, key, value, expiresAtMs))
  }

  /** @returns false when there was no such item */
  del(key: Uint8Array): boolean {
    if (!this.#isKey(key)) return false
    const hash = this.#table.hash(key)
    return this.#exclusively(() => this.#writer.remove(hash, key))
  }

  clear(): void {
    this.#exclusively(() => this.#writer.clear())
  }

  /** `value + n`, as all of these: a missing item begins as `math_initial`, one that exists keeps its expiry. */
  inc(key: Uint8Array, n = 1n, expires = 0): bigint | undefined {
    return this.calculate('inc', key, n, expires)
  }

  dec(key: Uint8Array, n = 1n, expires = 0): bigint | undefined {
    return this.calculate('dec', key, n, expires)
  }

  mul(key: Uint8Array, n = 2n, expires = 0): bigint | undefined {
    return this.calculate('mul', key, n, expires)
  }

  /** Towards zero; by zero gives 0. */
  div(key: Uint8Array, n = 2n, expires = 0): bigint | undefined {
    return this.calculate('div', key, n, expires)
  }

  /** @returns the new number; undefined, and nothing changed, for a value not of 8 bytes, a full cache, a bad key */
  calculate(operator: CacheOperator, key: Uint8Array, operand: bigint, expires = 0): bigint | undefined {
    if (!this.#isKey(key)) return undefined
    const hash = this.#table.hash(key)
    const deadline = this.#deadline(expires)
    return this.#exclusively(() => this.#writer.calculate(operator, hash, key, operand, deadline))
  }

  // ── For the master ────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Removes what has expired among `count` items from place `from` on; nothing while another thread has the lock.
   * @returns how many were removed, and where to go on: 0 after the last place
   */
  sweep(from: number, count: number): { removed: number; next: number } {
    const table = this.#table
    const earliest = table.floats[headerFloat.earliest]!
    if (earliest === 0 || earliest > this.#now()) return { removed: 0, next: 0 }
    const end = Math.min(from + count, table.highWater)
    const next = end < table.highWater ? end : 0
    const isOver = (item: number): boolean => table.isValid(item) && this.#reader.isExpired(item)
    const expired: number[] = []
    for (let item = from; item < end; item += 1) if (isOver(item)) expired.push(item)
    if (expired.length === 0 || !table.mutex.tryLock(this.#thread)) return { removed: 0, next }
    // Without the lock an item may have been removed, or become another one, since it was seen.
    const removed = expired.filter((item) => isOver(item))
    for (const item of removed) table.remove(item)
    table.mutex.unlock()
    return { removed: removed.length, next }
  }

  /** Places from here on never held an item. */
  get highWater(): number {
    return this.#table.highWater
  }

  /** The item at a place: undefined when there is none or it has expired, `busy` while it is being changed. */
  itemAt(place: number): CacheItem | undefined | 'busy' {
    const table = this.#table
    for (let tries = 0; tries < readTries; tries += 1) {
      const versionAt = table.versionAt(table.hashOf(place))
      const version = Atomics.load(table.words, versionAt)
      if ((version & 1) === 1) continue
      const found = table.isValid(place) && !this.#reader.isExpired(place) ? takeItem(table, place) : undefined
      // A place whose item is now in another stripe is guarded by another version than the one that was read.
      if (table.versionAt(table.hashOf(place)) === versionAt && this.#reader.isStill(versionAt, version)) return found
    }
    return 'busy'
  }

  /** A thread has ended: what it left half-done is mended, and the lock it held is free. @returns whether it held it */
  threadEnded(thread: number): boolean {
    const { mutex } = this.#table
    if (mutex.isHeldBy(thread)) {
      this.#table.rebuild()
      mutex.unlock()
      return true
    }
    // It may have been the waiter that the last holder woke: another one is woken in its place.
    if (mutex.tryLock(this.#thread)) mutex.unlock()
    return false
  }

  // ── Inside ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @param isUse counts as a hit or a miss, and as a use of the item */
  #read<T>(key: Uint8Array, take: (table: CacheTable, item: number) => T, isUse: boolean): T | undefined {
    const reader = this.#reader
    if (!this.#isKey(key)) {
      if (isUse) reader.used(-1)
      return undefined
    }
    const hash = this.#table.hash(key)
    const answer = reader.read(key, hash, take, isUse)
    if (answer !== needsLock) {
      if (reader.expired >= 0) this.#passExpired(hash, key)
      return answer
    }
    return this.#exclusively(() => {
      const item = this.#writer.find(hash, key)
      if (isUse) reader.used(item)
      return item < 0 ? undefined : take(this.#table, item)
    })
  }

  /** A cache with `lazy_expire` is swept by its readers, in passing, when nobody is in their way. */
  #passExpired(hash: number, key: Uint8Array): void {
    const { mutex } = this.#table
    if (!this.handle.shape.lazyExpire || !mutex.tryLock(this.#thread)) return
    this.#writer.find(hash, key)
    mutex.unlock()
  }

  #store(key: Uint8Array, value: Uint8Array, deadline: number, mayReplace: boolean): boolean {
    if (!this.#fits(key, value)) return false
    const hash = this.#table.hash(key)
    return this.#exclusively(() => this.#writer.store(hash, key, value, deadline, mayReplace))
  }

  /** @throws CacheBusyError in the master */
  #exclusively<T>(work: () => T): T {
    const { mutex } = this.#table
    if (!mutex.lock(this.#thread, this.#thread === 0 ? masterLockMs : Number.POSITIVE_INFINITY)) {
      throw new CacheBusyError(`cache "${this.name}" is locked by another thread`)
    }
    let result: T
    try {
      result = work()
    } catch (error) {
      // As after the end of a thread: whatever was half-done, the next one must find a whole cache.
      this.#table.rebuild()
      mutex.unlock()
      throw error
    }
    const isFull = this.#writer.tookFull()
    mutex.unlock()
    if (isFull) this.#tellFull()
    return result
  }

  /** Says that the cache is full. Differs from uWSGI: at most once a second and thread, not for every item. */
  #tellFull(): void {
    const { ignoreFull, purgeLru } = this.handle.shape
    const now = performance.now()
    if (ignoreFull || now - this.#toldFullAt < fullLogMs) return
    this.#toldFullAt = now
    this.#log?.(
      purgeLru ? `LRU item will be purged from cache "${this.name}"` : `*** DANGER cache "${this.name}" is FULL !!! ***`,
    )
  }

  #listKeys(): Uint8Array<ArrayBuffer>[] {
    const table = this.#table
    const keys: Uint8Array<ArrayBuffer>[] = []
    for (let item = 0; item < table.highWater; item += 1) {
      if (table.isValid(item) && !this.#reader.isExpired(item)) keys.push(table.key(item))
    }
    return keys
  }

  #isKey(key: Uint8Array): boolean {
    return key.length > 0 && key.length <= this.handle.shape.keysize
  }

  #fits(key: Uint8Array, value: Uint8Array): boolean {
    return this.#isKey(key) && value.length > 0 && value.length <= this.maxValue
  }

  #deadline(expires: number): number {
    return expires === 0 ? 0 : this.#now() + expires * 1000
  }
}
