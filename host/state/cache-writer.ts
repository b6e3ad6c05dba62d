// What writing to a cache means: when a key may be set, how room is made in a full cache, how numbers are computed.
// Invariant: a write that fails leaves every item as it was, but for those that making room was allowed to remove.
// Everything here needs the cache's lock.

import type { CacheCounters } from './cache-counters.ts'
import { headerFloat } from './cache-layout.ts'
import type { CacheTable } from './cache-table.ts'

export type CacheOperator = 'inc' | 'dec' | 'mul' | 'div'

/** A number is a value of 8 bytes: 64 bits with a sign, in the machine's own order as in uWSGI. */
export const numberBytes = 8

export class CacheWriter {
  /** A write since `tookFull` met a full cache. */
  #metFull = false
  readonly #table: CacheTable
  readonly #counters: CacheCounters
  readonly #now: () => number

  constructor(table: CacheTable, counters: CacheCounters, now: () => number) {
    this.#table = table
    this.#counters = counters
    this.#now = now
  }

  /** The item of a key, -1 when there is none; one that has expired is removed. */
  find(hash: number, key: Uint8Array): number {
    const item = this.#table.find(hash, key)
    if (item < 0) return -1
    const expires = this.#table.expires(item)
    if (expires === 0 || expires > this.#now()) return item
    this.#table.remove(item)
    return -1
  }

  store(hash: number, key: Uint8Array, value: Uint8Array, expires: number, mayReplace: boolean): boolean {
    const item = this.find(hash, key)
    if (item >= 0 && !mayReplace) return false
    const isStored = this.#tryStore(item, hash, key, value, expires) || this.#storeInFull(item, hash, key, value, expires)
    if (isStored) this.noteModified()
    return isStored
  }

  /** As an update that makes no room. */
  restore(hash: number, key: Uint8Array, value: Uint8Array, expires: number): boolean {
    return this.#tryStore(this.find(hash, key), hash, key, value, expires)
  }

  remove(hash: number, key: Uint8Array): boolean {
    const item = this.find(hash, key)
    if (item < 0) return false
    this.#table.remove(item)
    this.noteModified()
    return true
  }

  clear(): void {
    this.#table.clear()
    this.noteModified()
  }

  /** @returns the new number; undefined when the value is none, or there is no room for a new one */
  calculate(operator: CacheOperator, hash: number, key: Uint8Array, operand: bigint, expires: number): bigint | undefined {
    const table = this.#table
    const item = this.find(hash, key)
    if (item < 0) {
      const first = computed(operator, table.shape.mathInitial, operand)
      const value = new Uint8Array(BigInt64Array.of(first).buffer)
      return this.store(hash, key, value, expires, false) ? first : undefined
    }
    if (table.valueLength(item) !== numberBytes) return undefined
    const result = computed(operator, table.number(item), operand)
    // One store of 64 bits: a thread that ends here leaves the old number or the new one.
    table.beginChange(hash)
    table.writeNumber(item, result)
    table.endChange(hash)
    table.lru?.touch(item)
    this.noteModified()
    return result
  }

  /** Removes what has expired. @returns how many items that were */
  sweep(): number {
    const { floats, highWater } = this.#table
    const now = this.#now()
    const known = floats[headerFloat.earliest]!
    if (known === 0 || known > now) return 0
    let removed = 0
    let earliest = 0
    for (let item = 0; item < highWater; item += 1) {
      if (!this.#table.isValid(item)) continue
      const expires = this.#table.expires(item)
      if (expires === 0) continue
      if (expires <= now) {
        this.#table.remove(item)
        removed += 1
      } else if (earliest === 0 || expires < earliest) earliest = expires
    }
    floats[headerFloat.earliest] = earliest
    return removed
  }

  noteModified(): void {
    const { shape, floats } = this.#table
    if (shape.lastmod) floats[headerFloat.lastModified] = Math.floor(this.#now() / 1000)
  }

  /** Whether a write met a full cache since the last question. */
  tookFull(): boolean {
    const met = this.#metFull
    this.#metFull = false
    return met
  }

  #tryStore(item: number, hash: number, key: Uint8Array, value: Uint8Array, expires: number): boolean {
    const table = this.#table
    if (item >= 0) {
      table.lru?.touch(item)
      return table.overwrite(item, hash, value, expires)
    }
    const taken = table.take(value.length)
    if (taken < 0) return false
    table.lru?.touch(taken)
    table.insert(taken, hash, key, value, expires)
    return true
  }

  /**
   * Makes room as the cache's flags allow. Differs from uWSGI: what has expired goes before anything else, and where a
   * value needs several blocks as many items are purged as it takes, not one.
   */
  #storeInFull(item: number, hash: number, key: Uint8Array, value: Uint8Array, expires: number): boolean {
    const { shape, lru } = this.#table
    this.#metFull = true
    this.#counters.full()
    if (shape.sweepOnFull && this.sweep() > 0 && this.#tryStore(item, hash, key, value, expires)) return true
    if (lru !== undefined) {
      for (let victim = lru.oldest(); victim >= 0 && victim !== item; victim = lru.oldest()) {
        this.#table.remove(victim)
        if (this.#tryStore(item, hash, key, value, expires)) return true
      }
    }
    if (!shape.clearOnFull) return false
    this.#table.clear()
    return this.#tryStore(-1, hash, key, value, expires)
  }
}

/** Wraps at 64 bits; divides towards zero, by zero to 0. */
const computed = (operator: CacheOperator, value: bigint, operand: bigint): bigint => {
  switch (operator) {
    case 'inc':
      return BigInt.asIntN(64, value + operand)
    case 'dec':
      return BigInt.asIntN(64, value - operand)
    case 'mul':
      return BigInt.asIntN(64, value * operand)
    case 'div':
      return operand === 0n ? 0n : BigInt.asIntN(64, value / operand)
  }
}
