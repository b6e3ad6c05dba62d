// The one block of shared memory of a cache: what lies where. Every region starts on a cache line. Memory nobody wrote to
// costs nothing, so sizes are what was configured, not what is used.
//
//   header | counters | versions | buckets | items | LRU heap | block bitmap | long keys | blocks
//
// An item is one record of 128 bytes; keys of up to 64 bytes lie in it, longer ones in the region of long keys.

/** A cache as configured: uWSGI's keys of `--cache2`, camelCase. */
export interface CacheShape {
  readonly name: string
  readonly maxItems: number
  /** Bytes. */
  readonly blocksize: number
  readonly blocks: number
  /** The name as configured; all names stand for the same function (see `cache-hash.ts`). */
  readonly hash: string
  /** Buckets. */
  readonly hashsize: number
  /** Longest key in bytes. */
  readonly keysize: number
  /** A value may take several blocks that lie side by side. */
  readonly bitmap: boolean
  /** Keep `last_modified_at`. */
  readonly lastmod: boolean
  readonly mathInitial: bigint
  readonly ignoreFull: boolean
  readonly purgeLru: boolean
  readonly lazyExpire: boolean
  readonly sweepOnFull: boolean
  readonly clearOnFull: boolean
  readonly noExpire: boolean
  /** Path of the file that keeps the items over a restart. */
  readonly store: string | undefined
  /** Save every so many master cycles (seconds); 0: only at the end. */
  readonly storeSync: number
  readonly storeDelete: boolean
}

export interface CacheHandle {
  readonly buffer: SharedArrayBuffer
  readonly shape: CacheShape
}

/** Offsets in bytes. */
export interface CacheLayout {
  readonly counters: number
  readonly versions: number
  readonly buckets: number
  readonly items: number
  readonly heap: number
  readonly bitmap: number
  readonly longKeys: number
  readonly longKeyStride: number
  readonly blocks: number
  readonly blockStride: number
  /** Longest value in bytes. */
  readonly maxValue: number
  readonly byteLength: number
}

const line = 64
/** Threads count hits and misses each on a cache line of their own. */
export const counterLines = 64
/** Buckets share version words: a reader is disturbed by one write in so many. A power of two. */
export const stripes = 256
/** Words of one cache line. */
export const lineWords = line / 4

/** Words of the header. Those that readers of an LRU cache write stay away from those that writers need. */
export const headerWord = {
  /** Two words: see `mutex.ts`. */
  mutex: 0,
  items: 16,
  /** Items below it have been used; those from it on never were. */
  highWater: 17,
  /** Item + 1 of the first one of the free list. */
  free: 18,
  /** Odd while items are added or removed. */
  structure: 19,
  /** +1 for every change. */
  changes: 20,
  /** Two words. */
  full: 22,
  /** Where the search for free blocks begins. */
  blockCursor: 24,
  heapSize: 25,
  seed0: 26,
  seed1: 27,
  /** Two words: +1 for every use of an item, with `purge_lru`. */
  clock: 48,
} as const
const headerBytes = 64 * 4

/** Float64 words of the header, in the third cache line. */
export const headerFloat = {
  /** Seconds. */
  lastModified: 16,
  /** No item expires before it, in milliseconds; 0: no item expires at all. */
  earliest: 17,
} as const

export const itemBytes = 128
export const itemWords = itemBytes / 4
export const itemWord = {
  state: 0,
  hash: 1,
  keyLength: 2,
  valueLength: 3,
  firstBlock: 4,
  /** Item + 1 of the next one in the same bucket. */
  next: 5,
  /** Item + 1 of the next free one. A word of its own: who still stands on a removed item is not led astray by it. */
  nextFree: 6,
  heapPosition: 7,
  key: 16,
} as const
/** Float64 words of an item. */
export const itemFloat = {
  /** Milliseconds; 0 never. */
  expires: 4,
  /** The clock at its last use. */
  used: 5,
  /** The clock at its last use that the heap knows of. */
  heapKey: 6,
} as const

/** Longest key that lies in the item. */
export const inlineKey = itemBytes - itemWord.key * 4

/** `valid` is written last and taken back first: nothing else decides whether an item is there. */
export const ItemState = { free: 0, valid: 1, written: 2 } as const

const aligned = (bytes: number, unit: number): number => Math.ceil(bytes / unit) * unit
/** Lengths and block numbers are words. */
const largest = 2 ** 31 - 1

export const computeCacheLayout = (shape: CacheShape): CacheLayout => {
  let end = 0
  const take = (bytes: number): number => {
    const start = end
    end = aligned(end + bytes, line)
    return start
  }
  take(headerBytes)
  const counters = take(counterLines * line)
  const versions = take(stripes * line)
  const buckets = take(shape.hashsize * 4)
  const items = take(shape.maxItems * itemBytes)
  const heap = take(shape.purgeLru ? shape.maxItems * 4 : 0)
  const bitmap = take(shape.bitmap ? Math.ceil(shape.blocks / 32) * 4 : 0)
  // Keys and blocks begin at multiples of 8, so that a number in a block is one aligned word of 64 bits.
  const longKeyStride = shape.keysize > inlineKey ? aligned(shape.keysize, 8) : 0
  const longKeys = take(shape.maxItems * longKeyStride)
  const blockStride = aligned(shape.blocksize, 8)
  // Without the bitmap an item has the block of its own number: blocks beyond the items could never be used.
  const blocks = take((shape.bitmap ? shape.blocks : shape.maxItems) * blockStride)
  const maxValue = Math.min(largest, shape.bitmap ? shape.blocksize * shape.blocks : shape.blocksize)
  return {
    counters,
    versions,
    buckets,
    items,
    heap,
    bitmap,
    longKeys,
    longKeyStride,
    blocks,
    blockStride,
    maxValue,
    byteLength: end,
  }
}
