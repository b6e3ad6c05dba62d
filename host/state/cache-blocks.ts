// Which blocks of a cache with `bitmap` are taken: one bit each. A value takes blocks that lie side by side, so that it is
// one piece of memory. Needs the cache's lock.
// Invariant: a bit is set when a valid item has the block; after a thread has died the bits are written anew from the items.

import { type CacheLayout, headerWord } from './cache-layout.ts'

export class CacheBlocks {
  readonly #words: Int32Array
  readonly #bits: Int32Array
  readonly #count: number

  constructor(words: Int32Array, layout: CacheLayout, count: number) {
    this.#words = words
    this.#bits = new Int32Array(words.buffer, layout.bitmap, Math.ceil(count / 32))
    this.#count = count
  }

  /** Takes `wanted` free blocks side by side. @returns the first one, -1 when there are not so many in one place */
  take(wanted: number): number {
    // The search goes on where the last one ended: in a cache that fills up the beginning is taken.
    const cursor = this.#words[headerWord.blockCursor]!
    let first = this.#search(cursor, this.#count, wanted)
    // A run may begin before the cursor and end behind it.
    if (first < 0 && cursor > 0) first = this.#search(0, Math.min(this.#count, cursor + wanted - 1), wanted)
    if (first < 0) return -1
    this.mark(first, wanted)
    const after = first + wanted
    this.#words[headerWord.blockCursor] = after < this.#count ? after : 0
    return first
  }

  mark(first: number, count: number): void {
    for (let block = first; block < first + count; block += 1) this.#bits[block >>> 5]! |= 1 << (block & 31)
  }

  release(first: number, count: number): void {
    for (let block = first; block < first + count; block += 1) this.#bits[block >>> 5]! &= ~(1 << (block & 31))
  }

  reset(): void {
    this.#bits.fill(0)
    this.#words[headerWord.blockCursor] = 0
  }

  #search(from: number, end: number, wanted: number): number {
    let run = 0
    let block = from
    while (block < end) {
      const bits = this.#bits[block >>> 5]!
      if (bits === -1) {
        run = 0
        block = (block | 31) + 1
      } else if ((bits & (1 << (block & 31))) !== 0) {
        run = 0
        block += 1
      } else {
        run += 1
        block += 1
        if (run === wanted) return block - wanted
      }
    }
    return -1
  }
}
