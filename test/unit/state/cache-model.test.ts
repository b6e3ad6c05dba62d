// A cache beside a plain Map, over any sequence of operations: they must answer alike.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Cache, type CacheOperator, type CacheShape } from '../../../host/state/cache.ts'
import { bytes, cacheShape, text } from './fixtures/cache-shape.ts'

interface Entry {
  value: Uint8Array
  expires: number
}

/** The cache as its documentation says; the order of the Map is the order of last use. */
class Model {
  readonly entries = new Map<string, Entry>()
  readonly shape: CacheShape
  readonly clock: { ms: number }

  constructor(shape: CacheShape, clock: { ms: number }) {
    this.shape = shape
    this.clock = clock
  }

  live(key: string): Entry | undefined {
    const entry = this.entries.get(key)
    return entry !== undefined && (entry.expires === 0 || entry.expires > this.clock.ms) ? entry : undefined
  }

  touch(key: string): void {
    const entry = this.entries.get(key)!
    this.entries.delete(key)
    this.entries.set(key, entry)
  }

  get(key: string): Uint8Array | undefined {
    const entry = this.live(key)
    if (entry !== undefined) this.touch(key)
    else if (this.shape.lazyExpire) this.entries.delete(key)
    return entry?.value
  }

  store(key: string, value: Uint8Array, expires: number, mayReplace: boolean): boolean {
    if (key === '' || value.length === 0 || value.length > this.shape.blocksize) return false
    const entry = this.live(key)
    if (entry !== undefined && !mayReplace) return false
    if (entry === undefined) {
      this.entries.delete(key)
      if (!this.#makeRoom()) return false
    }
    this.entries.set(key, { value, expires: expires === 0 ? 0 : this.clock.ms + expires * 1000 })
    this.touch(key)
    return true
  }

  calculate(operator: CacheOperator, key: string, n: bigint, expires: number): bigint | undefined {
    const entry = this.live(key)
    if (entry !== undefined && entry.value.length !== 8) return undefined
    const before = entry === undefined ? this.shape.mathInitial : Buffer.from(entry.value).readBigInt64LE()
    const results = { inc: before + n, dec: before - n, mul: before * n, div: n === 0n ? 0n : before / n }
    const result = BigInt.asIntN(64, results[operator])
    const value = new Uint8Array(BigInt64Array.of(result).buffer)
    if (entry === undefined) return this.store(key, value, expires, false) ? result : undefined
    entry.value = value
    this.touch(key)
    return result
  }

  sweep(): number {
    const over = [...this.entries.keys()].filter((key) => this.live(key) === undefined)
    for (const key of over) this.entries.delete(key)
    return over.length
  }

  keys(): string[] {
    return [...this.entries.keys()].filter((key) => this.live(key) !== undefined).sort()
  }

  #makeRoom(): boolean {
    if (this.entries.size < this.shape.maxItems) return true
    if (this.shape.sweepOnFull && this.sweep() > 0) return true
    if (this.shape.purgeLru) return this.entries.delete(this.entries.keys().next().value!)
    if (!this.shape.clearOnFull) return false
    this.entries.clear()
    return true
  }
}

const key = fc.constantFrom('', 'a', 'b', 'c', 'd', 'e', 'f', 'x'.repeat(64), 'x'.repeat(65), 'x'.repeat(99))
const value = fc.uint8Array({ minLength: 0, maxLength: 33 })
const number = fc.bigInt({ min: -3n, max: 2n ** 63n - 1n })
const expires = fc.constantFrom(0, 0, 1, 3)

const operation = fc.oneof(
  { weight: 6, arbitrary: fc.record({ name: fc.constantFrom('set', 'update'), key, value, expires }) },
  { weight: 5, arbitrary: fc.record({ name: fc.constantFrom('get', 'exists', 'num', 'del'), key }) },
  { weight: 3, arbitrary: fc.record({ name: fc.constantFrom('inc', 'dec', 'mul', 'div'), key, number, expires }) },
  { weight: 1, arbitrary: fc.record({ name: fc.constantFrom('keys', 'sweep', 'wait', 'clear') }) },
)
type Operation = { name: string; key?: string; value?: Uint8Array; number?: bigint; expires?: number }

const flags = fc.record({
  purgeLru: fc.boolean(),
  sweepOnFull: fc.boolean(),
  clearOnFull: fc.boolean(),
  lazyExpire: fc.boolean(),
  hashsize: fc.constantFrom(1, 3, 64),
  mathInitial: fc.constantFrom(0n, 7n),
  maxItems: fc.constantFrom(1, 4, 8),
})

const apply = (cache: Cache, model: Model, operation: Operation): void => {
  const { name, key = '', value = new Uint8Array(0), number = 0n, expires = 0 } = operation
  const guestKey = bytes(key)
  if (name === 'set' || name === 'update') {
    expect(cache[name](guestKey, value, expires)).toBe(model.store(key, value, expires, name === 'update'))
  } else if (name === 'get') {
    expect(cache.get(guestKey)).toEqual(model.get(key))
  } else if (name === 'exists') {
    expect(cache.exists(guestKey)).toBe(model.live(key) !== undefined)
    if (model.shape.lazyExpire && model.live(key) === undefined) model.entries.delete(key)
  } else if (name === 'num') {
    const entry = model.live(key)
    expect(cache.num(guestKey)).toBe(entry?.value.length === 8 ? Buffer.from(entry.value).readBigInt64LE() : 0n)
    if (model.shape.lazyExpire && entry === undefined) model.entries.delete(key)
  } else if (name === 'del') {
    const wasThere = model.live(key) !== undefined
    model.entries.delete(key)
    expect(cache.del(guestKey)).toBe(wasThere)
  } else if (name === 'keys') {
    expect(cache.keys().map(text).sort()).toEqual(model.keys())
  } else if (name === 'sweep') {
    expect(cache.sweep(0, 1000).removed).toBe(model.sweep())
  } else if (name === 'wait') {
    model.clock.ms += 1500
  } else if (name === 'clear') {
    cache.clear()
    model.entries.clear()
  } else {
    const operator = name as CacheOperator
    expect(cache.calculate(operator, guestKey, number, expires)).toBe(
      key === '' ? undefined : model.calculate(operator, key, number, expires),
    )
  }
  expect(cache.items).toBe(model.entries.size)
}

describe('a cache', () => {
  it('answers as a Map does, whatever its flags', () => {
    fc.assert(
      fc.property(flags, fc.array(operation, { maxLength: 120, size: 'max' }), (flags, operations) => {
        const shape = cacheShape(flags)
        const clock = { ms: 1_000_000 }
        const model = new Model(shape, clock)
        const cache = Cache.create(shape, { thread: 1, now: () => clock.ms })
        for (const operation of operations) apply(cache, model, operation)
        expect(cache.keys().map(text).sort()).toEqual(model.keys())
        for (const key of model.keys()) expect(cache.get(bytes(key))).toEqual(model.entries.get(key)?.value)
      }),
      { numRuns: 400 },
    )
  })

  it('with bitmap keeps values of any length whole, and uses every block again', () => {
    const wideOperation = fc.record({
      name: fc.constantFrom('set', 'update', 'update', 'del'),
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      fill: fc.nat(255),
      length: fc.integer({ min: 1, max: 90 }),
    })
    fc.assert(
      fc.property(fc.boolean(), fc.array(wideOperation, { maxLength: 150, size: 'max' }), (purgeLru, operations) => {
        const cache = Cache.create(cacheShape({ bitmap: true, maxItems: 5, blocks: 41, blocksize: 8, purgeLru }), { thread: 1 })
        const kept = new Map<string, Uint8Array>()
        const blocks = (value: Uint8Array) => Math.ceil(value.length / 8)
        const check = () => {
          const keys = cache.keys().map((key) => text(key)!)
          if (purgeLru) for (const key of kept.keys()) if (!keys.includes(key)) kept.delete(key)
          expect(keys.sort()).toEqual([...kept.keys()].sort())
          for (const [key, value] of kept) expect(cache.get(bytes(key))).toEqual(value)
        }
        for (const { name, key, fill, length } of operations) {
          if (name === 'del') expect(cache.del(bytes(key))).toBe(kept.delete(key))
          else {
            const value = new Uint8Array(length).fill(fill)
            const exists = kept.has(key)
            const isStored = cache[name as 'set' | 'update'](bytes(key), value)
            if (isStored) kept.set(key, value)
            if (name === 'set' && exists) expect(isStored).toBe(false)
            else if (purgeLru) expect(isStored).toBe(true)
            else {
              const used = [...kept].reduce((sum, [other, value]) => (other === key ? sum : sum + blocks(value)), 0)
              if (used + blocks(value) > 41) expect(isStored).toBe(false)
              if (exists && blocks(kept.get(key)!) === blocks(value)) expect(isStored).toBe(true)
            }
          }
          check()
        }
        for (const key of kept.keys()) cache.del(bytes(key))
        // Nothing was lost on the way: all blocks in one piece.
        expect(cache.set(bytes('all'), new Uint8Array(41 * 8))).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
})
