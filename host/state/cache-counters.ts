// What a cache counts. Each thread counts hits and misses on a cache line of its own; only the sum is ever read.

import { counterLines, headerFloat, headerWord, lineWords } from './cache-layout.ts'
import type { CacheTable } from './cache-table.ts'

/** As uWSGI's stats server names them. */
export interface CacheStatistics {
  readonly name: string
  readonly hash: string
  readonly hashsize: number
  readonly keysize: number
  readonly max_items: number
  readonly blocks: number
  readonly blocksize: number
  readonly items: number
  readonly hits: number
  readonly miss: number
  readonly full: number
  readonly last_modified_at: number
}

const hitsWord = 0
const missWord = 2

export class CacheCounters {
  readonly #table: CacheTable
  readonly #own: number
  readonly #first: number

  constructor(table: CacheTable, thread: number) {
    this.#table = table
    this.#first = table.layout.counters / 4
    this.#own = this.#first + (thread % counterLines) * lineWords
  }

  hit(): void {
    this.#count(this.#own + hitsWord)
  }

  miss(): void {
    this.#count(this.#own + missWord)
  }

  full(): void {
    this.#count(headerWord.full)
  }

  get statistics(): CacheStatistics {
    const { shape, items, floats } = this.#table
    const { name, hash, hashsize, keysize, maxItems, blocks, blocksize } = shape
    let hits = 0
    let miss = 0
    for (let index = 0; index < counterLines; index += 1) {
      hits += this.#value(this.#first + index * lineWords + hitsWord)
      miss += this.#value(this.#first + index * lineWords + missWord)
    }
    const full = this.#value(headerWord.full)
    const last_modified_at = floats[headerFloat.lastModified]!
    return { name, hash, hashsize, keysize, max_items: maxItems, blocks, blocksize, items, hits, miss, full, last_modified_at }
  }

  #count(at: number): void {
    if (Atomics.add(this.#table.words, at, 1) === -1) Atomics.add(this.#table.words, at + 1, 1)
  }

  #value(at: number): number {
    const { words } = this.#table
    return (words[at + 1]! >>> 0) * 2 ** 32 + (words[at]! >>> 0)
  }
}
