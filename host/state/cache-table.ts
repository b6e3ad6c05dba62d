// The items of a cache in shared memory, and the structures by which they are found: buckets, free list, LRU heap, blocks.
// Invariants: an item is there when its state word says `valid`, and the structures follow from the valid items: `rebuild`
// makes them anew after a thread died half-way. Whoever changes an item that is or becomes reachable has made the version
// word of its stripe odd, so a reader that saw the same even version before and after has seen no change. Needs the
// cache's lock, except where it says that it does not.

import { CacheBlocks } from './cache-blocks.ts'
import { CopyPool } from './cache-copies.ts'
import { hashKey } from './cache-hash.ts'
import {
  type CacheHandle,
  type CacheLayout,
  type CacheShape,
  computeCacheLayout,
  headerFloat,
  headerWord,
  ItemState,
  inlineKey,
  itemBytes,
  itemFloat,
  itemWord,
  itemWords,
  lineWords,
  stripes,
} from './cache-layout.ts'
import { CacheLru } from './cache-lru.ts'
import { Mutex, mutexWords } from './mutex.ts'

/** So many steps along a chain a reader looks whether the chain is still the one it began with. */
const chainCheck = 63

export class CacheTable {
  readonly shape: CacheShape
  readonly layout: CacheLayout
  readonly words: Int32Array
  readonly floats: Float64Array
  readonly bytes: Uint8Array
  readonly mutex: Mutex
  readonly lru: CacheLru | undefined
  readonly blocks: CacheBlocks | undefined
  readonly #numbers: BigInt64Array
  readonly #copies: CopyPool
  readonly #items: number
  readonly #buckets: number
  readonly #versions: number
  readonly #seed0: number
  readonly #seed1: number

  constructor({ buffer, shape }: CacheHandle) {
    this.shape = shape
    this.layout = computeCacheLayout(shape)
    this.words = new Int32Array(buffer)
    this.floats = new Float64Array(buffer)
    this.bytes = new Uint8Array(buffer)
    this.#numbers = new BigInt64Array(buffer)
    this.#copies = new CopyPool(this.words)
    this.mutex = new Mutex(this.words.subarray(headerWord.mutex, headerWord.mutex + mutexWords))
    this.#items = this.layout.items / 4
    this.#buckets = this.layout.buckets / 4
    this.#versions = this.layout.versions / 4
    this.#seed0 = this.words[headerWord.seed0]!
    this.#seed1 = this.words[headerWord.seed1]!
    if (shape.purgeLru) this.lru = new CacheLru(this.words, this.floats, this.layout)
    if (shape.bitmap) this.blocks = new CacheBlocks(this.words, this.layout, shape.blocks)
  }

  // ── Without the lock ──────────────────────────────────────────────────────────────────────────────────────────────

  hash(key: Uint8Array, start = 0, length = key.length): number {
    return hashKey(key, start, length, this.#seed0, this.#seed1)
  }

  /** Index of the version word that guards the bucket of a hash. */
  versionAt(hash: number): number {
    return this.#versions + (this.#bucket(hash) & (stripes - 1)) * lineWords
  }

  /** The item of a key, -1 when there is none. Without the lock the answer counts only if the version stays the same. */
  find(hash: number, key: Uint8Array, start = 0, length = key.length): number {
    const words = this.words
    const versionAt = this.versionAt(hash)
    const version = Atomics.load(words, versionAt)
    const { maxItems } = this.shape
    let link = words[this.#buckets + this.#bucket(hash)]!
    for (let step = 1; link > 0 && link <= maxItems; step += 1) {
      const at = this.#items + (link - 1) * itemWords
      if (
        words[at + itemWord.hash] === hash &&
        words[at + itemWord.keyLength] === length &&
        this.#hasKey(link - 1, key, start, length)
      ) {
        return link - 1
      }
      link = words[at + itemWord.next]!
      // An item may be taken from under the reader's feet and lead on to another chain, in the worst case for ever.
      if ((step & chainCheck) === 0 && Atomics.load(words, versionAt) !== version) return -1
    }
    return -1
  }

  isValid(item: number): boolean {
    return Atomics.load(this.words, this.#at(item)) === ItemState.valid
  }

  hashOf(item: number): number {
    return this.words[this.#at(item) + itemWord.hash]!
  }

  /** Milliseconds; 0 never. */
  expires(item: number): number {
    return this.floats[(this.#at(item) >>> 1) + itemFloat.expires]!
  }

  /** A copy. */
  key(item: number): Uint8Array<ArrayBuffer> {
    const length = this.words[this.#at(item) + itemWord.keyLength]!
    return this.#copies.copy(this.#keyOffset(item, length), length)
  }

  /** Copies the value to byte `to` of `target`, a multiple of 4; up to three bytes behind it are written too. */
  copyValue(item: number, length: number, target: Uint32Array, to: number): void {
    const { words } = this
    const from = this.#valueOffset(item) >>> 2
    const first = to >>> 2
    const count = (length + 3) >>> 2
    for (let word = 0; word < count; word += 1) target[first + word] = words[from + word]!
  }

  /** A copy. */
  value(item: number): Uint8Array<ArrayBuffer> {
    return this.#copies.copy(this.#valueOffset(item), this.valueLength(item))
  }

  valueLength(item: number): number {
    return this.words[this.#at(item) + itemWord.valueLength]!
  }

  /** The value of 8 bytes as a number. */
  number(item: number): bigint {
    return this.#numbers[this.#valueOffset(item) / 8]!
  }

  get items(): number {
    return Atomics.load(this.words, headerWord.items)
  }

  /** Items from here on were never used. */
  get highWater(): number {
    return Atomics.load(this.words, headerWord.highWater)
  }

  // ── Changes ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Readers of the bucket of this hash wait from here to `endChange`. */
  beginChange(hash: number): void {
    // An addition and not a store: no later write may be seen before it.
    Atomics.add(this.words, this.versionAt(hash), 1)
  }

  endChange(hash: number): void {
    Atomics.add(this.words, this.versionAt(hash), 1)
    this.words[headerWord.changes]! += 1
  }

  /** Blocks that a value takes. */
  blocksFor(length: number): number {
    return Math.ceil(length / this.shape.blocksize)
  }

  /**
   * A free item with room for a value of `length` bytes; it is not reachable before `insert`.
   * @returns -1 when there is no free item, or no room in one piece
   */
  take(length: number): number {
    const words = this.words
    const free = words[headerWord.free]!
    const highWater = words[headerWord.highWater]!
    if (free === 0 && highWater === this.shape.maxItems) return -1
    const block = this.blocks?.take(this.blocksFor(length))
    if (block === -1) return -1
    const item = free === 0 ? highWater : free - 1
    if (free === 0) words[headerWord.highWater] = highWater + 1
    else words[headerWord.free] = words[this.#at(item) + itemWord.nextFree]!
    words[this.#at(item) + itemWord.firstBlock] = block ?? item
    return item
  }

  /** Fills an item that was taken, and makes it reachable. */
  insert(item: number, hash: number, key: Uint8Array, value: Uint8Array, expires: number): void {
    const words = this.words
    const at = this.#at(item)
    Atomics.add(words, headerWord.structure, 1)
    this.beginChange(hash)
    words[at + itemWord.hash] = hash
    words[at + itemWord.keyLength] = key.length
    this.bytes.set(key, this.#keyOffset(item, key.length))
    this.writeValue(item, value)
    this.setExpires(item, expires)
    this.#link(item, hash)
    this.setState(item, ItemState.valid)
    Atomics.store(words, headerWord.items, words[headerWord.items]! + 1)
    this.endChange(hash)
    Atomics.add(words, headerWord.structure, 1)
  }

  setState(item: number, state: number): void {
    Atomics.store(this.words, this.#at(item) + itemWord.state, state)
  }

  writeValue(item: number, value: Uint8Array): void {
    this.words[this.#at(item) + itemWord.valueLength] = value.length
    this.bytes.set(value, this.#valueOffset(item))
  }

  writeNumber(item: number, value: bigint): void {
    this.#numbers[this.#valueOffset(item) / 8] = value
  }

  setExpires(item: number, expires: number): void {
    this.floats[(this.#at(item) >>> 1) + itemFloat.expires] = expires
    if (expires === 0) return
    const earliest = this.floats[headerFloat.earliest]!
    if (earliest === 0 || expires < earliest) this.floats[headerFloat.earliest] = expires
  }

  /** Gives an item another value. @returns false, and nothing changed, when there is no room for it in one piece */
  overwrite(item: number, hash: number, value: Uint8Array, expires: number): boolean {
    this.beginChange(hash)
    this.setState(item, ItemState.written)
    const hasRoom = this.#resize(item, value.length)
    if (hasRoom) {
      this.writeValue(item, value)
      this.setExpires(item, expires)
    }
    this.setState(item, ItemState.valid)
    this.endChange(hash)
    return hasRoom
  }

  remove(item: number): void {
    const words = this.words
    const at = this.#at(item)
    const hash = words[at + itemWord.hash]!
    Atomics.add(words, headerWord.structure, 1)
    this.beginChange(hash)
    this.setState(item, ItemState.free)
    this.#unlink(item, hash)
    this.lru?.remove(item)
    this.blocks?.release(words[at + itemWord.firstBlock]!, this.blocksFor(words[at + itemWord.valueLength]!))
    words[at + itemWord.nextFree] = words[headerWord.free]!
    words[headerWord.free] = item + 1
    Atomics.store(words, headerWord.items, words[headerWord.items]! - 1)
    this.endChange(hash)
    Atomics.add(words, headerWord.structure, 1)
  }

  clear(): void {
    this.#holdReaders()
    for (let item = 0; item < this.highWater; item += 1) this.setState(item, ItemState.free)
    Atomics.store(this.words, headerWord.highWater, 0)
    this.rebuild()
  }

  /** Makes every structure anew from the valid items; what was being written is dropped. */
  rebuild(): void {
    const { words } = this
    this.#holdReaders()
    words.fill(0, this.#buckets, this.#buckets + this.shape.hashsize)
    this.blocks?.reset()
    this.lru?.reset()
    this.floats[headerFloat.earliest] = 0
    words[headerWord.free] = 0
    let items = 0
    for (let item = this.highWater - 1; item >= 0; item -= 1) {
      const at = this.#at(item)
      if (words[at + itemWord.state] === ItemState.valid) {
        this.#link(item, words[at + itemWord.hash]!)
        this.blocks?.mark(words[at + itemWord.firstBlock]!, this.blocksFor(words[at + itemWord.valueLength]!))
        this.setExpires(item, this.expires(item))
        items += 1
      } else {
        this.setState(item, ItemState.free)
        words[at + itemWord.nextFree] = words[headerWord.free]!
        words[headerWord.free] = item + 1
      }
    }
    Atomics.store(words, headerWord.items, items)
    words[headerWord.changes]! += 1
    for (let stripe = 0; stripe < stripes; stripe += 1) Atomics.add(words, this.#versions + stripe * lineWords, 1)
    Atomics.add(words, headerWord.structure, 1)
  }

  /** Makes every version odd that is not. */
  #holdReaders(): void {
    const { words } = this
    if ((words[headerWord.structure]! & 1) === 0) Atomics.add(words, headerWord.structure, 1)
    for (let stripe = 0; stripe < stripes; stripe += 1) {
      const at = this.#versions + stripe * lineWords
      if ((words[at]! & 1) === 0) Atomics.add(words, at, 1)
    }
  }

  /** Gives an item blocks for another length instead of those it has; on failure it keeps them. */
  #resize(item: number, length: number): boolean {
    const { blocks, words } = this
    const at = this.#at(item)
    const has = this.blocksFor(words[at + itemWord.valueLength]!)
    const needs = this.blocksFor(length)
    if (blocks === undefined || needs === has) return true
    const first = words[at + itemWord.firstBlock]!
    blocks.release(first, has)
    const taken = blocks.take(needs)
    if (taken < 0) blocks.mark(first, has)
    else words[at + itemWord.firstBlock] = taken
    return taken >= 0
  }

  #at(item: number): number {
    return this.#items + item * itemWords
  }

  #bucket(hash: number): number {
    return (hash >>> 0) % this.shape.hashsize
  }

  #link(item: number, hash: number): void {
    const head = this.#buckets + this.#bucket(hash)
    this.words[this.#at(item) + itemWord.next] = this.words[head]!
    this.words[head] = item + 1
    this.lru?.push(item)
  }

  #unlink(item: number, hash: number): void {
    let at = this.#buckets + this.#bucket(hash)
    while (this.words[at] !== item + 1) at = this.#at(this.words[at]! - 1) + itemWord.next
    this.words[at] = this.words[this.#at(item) + itemWord.next]!
  }

  #keyOffset(item: number, length: number): number {
    return length <= inlineKey
      ? this.layout.items + item * itemBytes + itemWord.key * 4
      : this.layout.longKeys + item * this.layout.longKeyStride
  }

  #valueOffset(item: number): number {
    return this.layout.blocks + this.words[this.#at(item) + itemWord.firstBlock]! * this.layout.blockStride
  }

  #hasKey(item: number, key: Uint8Array, start: number, length: number): boolean {
    const { bytes } = this
    const offset = this.#keyOffset(item, length)
    for (let index = 0; index < length; index += 1) if (bytes[offset + index] !== key[start + index]) return false
    return true
  }
}
