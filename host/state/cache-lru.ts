// Which item was used least recently, for `purge_lru`. Readers take no lock, so they cannot move an item in a list; they
// note the clock in the item. A heap of the items, ordered by the last use it knows of, catches up when it is asked.
// Invariant: what the heap knows of an item is never later than the item's true last use; so the top, once it is up to
// date itself, is the oldest of all. Everything here but `touch` needs the cache's lock.

import { type CacheLayout, headerWord, itemBytes, itemFloat, itemWord, itemWords } from './cache-layout.ts'

export class CacheLru {
  readonly #words: Int32Array
  readonly #floats: Float64Array
  readonly #items: number
  readonly #itemFloats: number
  readonly #heap: number

  constructor(words: Int32Array, floats: Float64Array, layout: CacheLayout) {
    this.#words = words
    this.#floats = floats
    this.#items = layout.items / 4
    this.#itemFloats = layout.items / 8
    this.#heap = layout.heap / 4
  }

  /** Notes a use. A thread that meets an item just removed leaves a mark nobody reads. */
  touch(item: number): void {
    const low = Atomics.add(this.#words, headerWord.clock, 1)
    // Who reads the high word between the two steps of a carry makes one item seem older, once in 2^32 uses.
    if (low === -1) Atomics.add(this.#words, headerWord.clock + 1, 1)
    this.#floats[this.#itemFloats + item * (itemBytes / 8) + itemFloat.used] =
      (Atomics.load(this.#words, headerWord.clock + 1) >>> 0) * 2 ** 32 + (low >>> 0)
  }

  push(item: number): void {
    const size = this.#words[headerWord.heapSize]!
    this.#setKey(item, this.#used(item))
    this.#words[headerWord.heapSize] = size + 1
    this.#place(size, item)
    this.#up(size)
  }

  remove(item: number): void {
    const position = this.#words[this.#items + item * itemWords + itemWord.heapPosition]!
    const size = this.#words[headerWord.heapSize]! - 1
    const last = this.#words[this.#heap + size]!
    this.#words[headerWord.heapSize] = size
    if (last === item) return
    this.#place(position, last)
    this.#up(position)
    this.#down(position)
  }

  /** The item used least recently, -1 when there is none. */
  oldest(): number {
    const size = this.#words[headerWord.heapSize]!
    // Other threads go on using items meanwhile: after so many steps the top is old enough.
    for (let step = 0; step < size; step += 1) {
      const top = this.#words[this.#heap]!
      const used = this.#used(top)
      if (used === this.#key(top)) return top
      this.#setKey(top, used)
      this.#down(0)
    }
    return size === 0 ? -1 : this.#words[this.#heap]!
  }

  /** Forgets all items. */
  reset(): void {
    this.#words[headerWord.heapSize] = 0
  }

  #used(item: number): number {
    return this.#floats[this.#itemFloats + item * (itemBytes / 8) + itemFloat.used]!
  }

  #key(item: number): number {
    return this.#floats[this.#itemFloats + item * (itemBytes / 8) + itemFloat.heapKey]!
  }

  #setKey(item: number, key: number): void {
    this.#floats[this.#itemFloats + item * (itemBytes / 8) + itemFloat.heapKey] = key
  }

  #place(position: number, item: number): void {
    this.#words[this.#heap + position] = item
    this.#words[this.#items + item * itemWords + itemWord.heapPosition] = position
  }

  #up(start: number): void {
    let position = start
    const item = this.#words[this.#heap + position]!
    while (position > 0) {
      const parent = (position - 1) >> 1
      const other = this.#words[this.#heap + parent]!
      if (this.#key(other) <= this.#key(item)) break
      this.#place(position, other)
      position = parent
    }
    this.#place(position, item)
  }

  #down(start: number): void {
    let position = start
    const size = this.#words[headerWord.heapSize]!
    const item = this.#words[this.#heap + position]!
    for (;;) {
      let child = 2 * position + 1
      if (child >= size) break
      let other = this.#words[this.#heap + child]!
      if (child + 1 < size) {
        const right = this.#words[this.#heap + child + 1]!
        if (this.#key(right) < this.#key(other)) {
          child += 1
          other = right
        }
      }
      if (this.#key(item) <= this.#key(other)) break
      this.#place(position, other)
      position = child
    }
    this.#place(position, item)
  }
}
