// What a cache keeps and what it refuses, one thread at a time.
import { totalmem } from 'node:os'
import { describe, expect, it } from 'vitest'
import { Cache, type CacheShape } from '../../../host/state/cache.ts'
import { bytes, cacheShape, text } from './fixtures/cache-shape.ts'

const newCache = (parts: Partial<CacheShape> = {}, clock = { ms: 1_000_000_000_000 }) => {
  const lines: string[] = []
  const cache = Cache.create(cacheShape(parts), { thread: 1, log: (line) => lines.push(line), now: () => clock.ms })
  const get = (key: string) => text(cache.get(bytes(key)))
  const set = (key: string, value: string, expires?: number) => cache.set(bytes(key), bytes(value), expires)
  const update = (key: string, value: string, expires?: number) => cache.update(bytes(key), bytes(value), expires)
  const keys = () => cache.keys().map(text).sort()
  return { cache, clock, lines, get, set, update, keys }
}

describe('a cache', () => {
  it('keeps what was set, refuses to set it again, and updates it', () => {
    const { cache, get, set, update } = newCache()
    expect(get('a')).toBe(undefined)
    expect(set('a', 'one')).toBe(true)
    expect(set('a', 'two')).toBe(false)
    expect(get('a')).toBe('one')
    expect(update('a', 'three')).toBe(true)
    expect(update('b', 'new')).toBe(true)
    expect([get('a'), get('b'), cache.items]).toEqual(['three', 'new', 2])
  })

  it('keeps every byte of keys and values', () => {
    const { cache } = newCache({ blocksize: 256 })
    const all = Uint8Array.from({ length: 256 }, (_, index) => index)
    const key = all.slice(0, 100)
    expect(cache.set(key, all)).toBe(true)
    expect(cache.get(key)).toEqual(all)
    expect(cache.keys()).toEqual([key])
    expect(cache.exists(all.slice(1, 100))).toBe(false)
  })

  it('tells keys apart that differ in the last byte, short and long', () => {
    const { get, set } = newCache({ hashsize: 1, maxItems: 10 })
    const stems = [1, 63, 64, 65, 100].map((length) => 'k'.repeat(length - 1))
    for (const stem of stems)
      expect([set(`${stem}1`, `${stem.length} 1`), set(`${stem}2`, `${stem.length} 2`)]).toEqual([true, true])
    for (const stem of stems) expect([get(`${stem}1`), get(`${stem}2`)]).toEqual([`${stem.length} 1`, `${stem.length} 2`])
  })

  it('refuses empty and too long keys and values, and changes nothing', () => {
    const { cache, get, set, update } = newCache()
    const longest = 'v'.repeat(32)
    expect(set('', 'v')).toBe(false)
    expect(set('k', '')).toBe(false)
    expect(set('k'.repeat(101), 'v')).toBe(false)
    expect(set('k', `${longest}v`)).toBe(false)
    expect(cache.items).toBe(0)
    expect(set('k'.repeat(100), longest)).toBe(true)
    expect(update('k'.repeat(100), `${longest}v`)).toBe(false)
    expect(update('k'.repeat(100), '')).toBe(false)
    expect(get('k'.repeat(100))).toBe(longest)
    expect(cache.inc(bytes(''))).toBe(undefined)
    expect([cache.del(bytes('')), get(''), cache.exists(bytes('k'.repeat(101)))]).toEqual([false, undefined, false])
  })

  it('gives out copies', () => {
    const { cache, get, set } = newCache()
    set('a', 'value')
    cache.get(bytes('a'))?.fill(0)
    cache.keys()[0]?.fill(0)
    expect(get('a')).toBe('value')
    const first = cache.get(bytes('a'))
    cache.update(bytes('a'), bytes('other'))
    expect(text(first)).toBe('value')
  })

  it('deletes, and tells whether there was something', () => {
    const { cache, keys, set } = newCache()
    set('a', '1')
    set('b', '2')
    expect([cache.del(bytes('a')), cache.del(bytes('a'))]).toEqual([true, false])
    expect(keys()).toEqual(['b'])
    cache.clear()
    expect([keys(), cache.items]).toEqual([[], 0])
    expect(set('b', 'again')).toBe(true)
  })

  it('lets all of its items be used', () => {
    const { lines, cache, set, get } = newCache()
    for (let index = 0; index < 8; index += 1) expect(set(`k${index}`, 'v')).toBe(true)
    expect(set('one more', 'v')).toBe(false)
    expect(cache.update(bytes('one more'), bytes('v'))).toBe(false)
    expect(cache.update(bytes('k3'), bytes('changed'))).toBe(true)
    expect(lines).toEqual(['*** DANGER cache "test" is FULL !!! ***'])
    expect(cache.statistics.full).toBe(2)
    expect([get('k3'), get('k7')]).toEqual(['changed', 'v'])
    cache.del(bytes('k0'))
    expect(set('one more', 'v')).toBe(true)
  })

  it('says nothing of being full with ignore_full', () => {
    const { lines, set } = newCache({ maxItems: 1, ignoreFull: true })
    expect([set('a', '1'), set('b', '2')]).toEqual([true, false])
    expect(lines).toEqual([])
  })

  it('counts as the stats server of uWSGI names it', () => {
    const { cache, get, set } = newCache({ lastmod: true, maxItems: 2 })
    set('a', '1')
    get('a')
    get('a')
    get('nothing')
    cache.exists(bytes('nothing'))
    set('b', '1')
    set('c', '1')
    expect(cache.statistics).toEqual({
      name: 'test',
      hash: 'djb33x',
      hashsize: 64,
      keysize: 100,
      max_items: 2,
      blocks: 2,
      blocksize: 32,
      items: 2,
      hits: 2,
      miss: 1,
      full: 1,
      last_modified_at: 1_000_000_000,
    })
  })

  it('keeps the time of the last change only with lastmod', () => {
    const { cache, set } = newCache()
    set('a', '1')
    expect(cache.statistics.last_modified_at).toBe(0)
  })
})

describe('arithmetic', () => {
  it('begins a missing item as math_initial', () => {
    const { cache } = newCache({ mathInitial: 12n })
    expect([cache.inc(bytes('i')), cache.dec(bytes('d'), 2n), cache.mul(bytes('m')), cache.div(bytes('v'))]).toEqual([
      13n,
      10n,
      24n,
      6n,
    ])
    expect(cache.num(bytes('m'))).toBe(24n)
  })

  it('stores 8 bytes in the order of the machine', () => {
    const { cache } = newCache()
    cache.inc(bytes('n'), -2n)
    expect(cache.get(bytes('n'))).toEqual(new Uint8Array(BigInt64Array.of(-2n).buffer))
    cache.update(bytes('n'), new Uint8Array(BigInt64Array.of(5n).buffer))
    expect(cache.mul(bytes('n'), 3n)).toBe(15n)
  })

  it('wraps at 64 bits, divides towards zero, and by zero to 0', () => {
    const { cache } = newCache()
    const key = bytes('n')
    expect(cache.inc(key, 2n ** 63n - 1n)).toBe(2n ** 63n - 1n)
    expect(cache.inc(key)).toBe(-(2n ** 63n))
    expect(cache.div(key, -1n)).toBe(-(2n ** 63n))
    expect(cache.div(key, 0n)).toBe(0n)
    expect(cache.dec(key, 7n)).toBe(-7n)
    expect(cache.div(key, 2n)).toBe(-3n)
  })

  it('refuses a value that is no number, and leaves it alone', () => {
    const { cache, get, set } = newCache()
    set('a', 'seven b')
    expect([cache.inc(bytes('a')), cache.num(bytes('a')), get('a')]).toEqual([undefined, 0n, 'seven b'])
    set('b', 'nine byte')
    expect([cache.div(bytes('b')), cache.num(bytes('b')), get('b')]).toEqual([undefined, 0n, 'nine byte'])
    expect(cache.num(bytes('missing'))).toBe(0n)
  })

  it('works with blocks of any size', () => {
    const { cache } = newCache({ blocksize: 13, maxItems: 5 })
    for (const key of ['a', 'b', 'c', 'd', 'e']) cache.inc(bytes(key), BigInt(key.charCodeAt(0)))
    expect(['a', 'b', 'c', 'd', 'e'].map((key) => cache.num(bytes(key)))).toEqual([97n, 98n, 99n, 100n, 101n])
  })
})

describe('expiry', () => {
  it('hides an item from the moment it is over, swept or not', () => {
    const { cache, clock, get, keys, set } = newCache()
    set('a', '1', 10)
    clock.ms += 9999
    expect([get('a'), cache.exists(bytes('a')), keys()]).toEqual(['1', true, ['a']])
    clock.ms += 1
    expect([get('a'), cache.exists(bytes('a')), keys(), cache.del(bytes('a'))]).toEqual([undefined, false, [], false])
  })

  it('lets a key be set again after its item is over', () => {
    const { clock, get, set } = newCache({ maxItems: 1 })
    set('a', 'old', 1)
    clock.ms += 1000
    expect([set('a', 'new'), get('a')]).toEqual([true, 'new'])
  })

  it('is replaced by update and kept by arithmetic', () => {
    const { cache, clock, set, update } = newCache()
    set('a', '1', 10)
    update('a', '2')
    cache.inc(bytes('n'), 1n, 10)
    cache.inc(bytes('n'), 1n, 100)
    clock.ms += 10_000
    expect([cache.exists(bytes('a')), cache.num(bytes('n'))]).toEqual([true, 0n])
    expect(cache.inc(bytes('n'))).toBe(1n)
  })

  it('tells the time with the item', () => {
    const { cache, clock, set } = newCache()
    set('a', '1', 10)
    set('b', '2')
    expect(cache.getItem(bytes('a'))).toEqual({ key: bytes('a'), value: bytes('1'), expiresAtMs: clock.ms + 10_000 })
    expect(cache.getItem(bytes('b'))?.expiresAtMs).toBe(0)
  })

  it('frees items when they are swept, piece by piece', () => {
    const { cache, clock, keys, set } = newCache()
    for (let index = 0; index < 8; index += 1) set(`k${index}`, 'v', index < 6 ? 5 : 0)
    expect(cache.sweep(0, 4)).toEqual({ removed: 0, next: 0 })
    clock.ms += 5000
    expect(cache.items).toBe(8)
    expect(cache.sweep(0, 4)).toEqual({ removed: 4, next: 4 })
    expect(cache.sweep(4, 4)).toEqual({ removed: 2, next: 0 })
    expect([cache.items, keys()]).toEqual([2, ['k6', 'k7']])
  })

  it('is noticed by the reader with lazy_expire', () => {
    const { cache, clock, get, set } = newCache({ lazyExpire: true })
    set('a', '1', 1)
    clock.ms += 1000
    expect([cache.items, get('a'), cache.items]).toEqual([1, undefined, 0])
  })
})

describe('a full cache', () => {
  it('is swept with sweep_on_full', () => {
    const { clock, keys, set } = newCache({ maxItems: 3, sweepOnFull: true })
    set('a', '1', 5)
    set('b', '1', 50)
    set('c', '1')
    expect(set('d', '1')).toBe(false)
    clock.ms += 5000
    expect([set('d', '1'), keys()]).toEqual([true, ['b', 'c', 'd']])
    expect(set('e', '1')).toBe(false)
    clock.ms += 45_000
    expect([set('e', '1'), keys()]).toEqual([true, ['c', 'd', 'e']])
  })

  it('is emptied with clear_on_full', () => {
    const { keys, set } = newCache({ maxItems: 2, clearOnFull: true })
    set('a', '1')
    set('b', '1')
    expect([set('c', '1'), keys()]).toEqual([true, ['c']])
  })

  it('loses what was used least recently with purge_lru', () => {
    const { cache, get, keys, lines, set, update } = newCache({ maxItems: 3, purgeLru: true })
    set('a', '1')
    set('b', '1')
    set('c', '1')
    get('a')
    expect([set('d', '1'), keys()]).toEqual([true, ['a', 'c', 'd']])
    update('c', '2')
    expect([set('e', '1'), keys()]).toEqual([true, ['c', 'd', 'e']])
    // A look whether it exists is no use.
    cache.exists(bytes('d'))
    expect([set('f', '1'), keys()]).toEqual([true, ['c', 'e', 'f']])
    expect(lines).toEqual(['LRU item will be purged from cache "test"'])
  })

  it('honours expiry with purge_lru', () => {
    const { clock, get, set } = newCache({ purgeLru: true })
    set('a', '1', 1)
    clock.ms += 1000
    expect(get('a')).toBe(undefined)
  })
})

describe('a cache with bitmap', () => {
  const wide = { bitmap: true, maxItems: 4, blocks: 8, blocksize: 10 }

  it('keeps values of several blocks, up to all of them', () => {
    const { cache, get, set } = newCache(wide)
    expect(cache.maxValue).toBe(80)
    const value = 'abcdefghij'.repeat(8)
    expect([set('a', value), get('a') === value]).toEqual([true, true])
    expect(set('b', '1')).toBe(false)
    expect(set('c', `${value}k`)).toBe(false)
    cache.del(bytes('a'))
    expect(set('b', '1')).toBe(true)
  })

  it('finds no room for a value that no free piece is long enough for, and keeps the old one', () => {
    const { cache, get, set, update } = newCache(wide)
    for (const key of ['a', 'b', 'c', 'd']) expect(set(key, key.repeat(20))).toBe(true)
    cache.del(bytes('a'))
    cache.del(bytes('c'))
    expect(set('e', 'e'.repeat(40))).toBe(false)
    expect(update('b', 'B'.repeat(61))).toBe(false)
    expect(get('b')).toBe('b'.repeat(20))
    // With its own blocks and those beside it, it can grow.
    expect([update('b', 'B'.repeat(60)), get('b')]).toEqual([true, 'B'.repeat(60)])
    expect([update('b', 'x'), set('e', 'e'.repeat(40)), get('d')]).toEqual([true, true, 'd'.repeat(20)])
  })

  it('purges as many items as a value needs, never the one that is updated', () => {
    const { keys, set, update, get } = newCache({ ...wide, purgeLru: true })
    for (const key of ['a', 'b', 'c', 'd']) set(key, key.repeat(20))
    get('a')
    expect([set('e', 'e'.repeat(60)), keys()]).toEqual([true, ['a', 'e']])
    expect([update('a', 'A'.repeat(80)), keys(), get('a')]).toEqual([true, ['a'], 'A'.repeat(80)])
  })

  it('is emptied by an update that finds no room with clear_on_full', () => {
    const { keys, set, update, get } = newCache({ ...wide, clearOnFull: true })
    for (const key of ['a', 'b']) set(key, key.repeat(40))
    expect([update('a', 'A'.repeat(50)), keys(), get('a')]).toEqual([true, ['a'], 'A'.repeat(50)])
  })
})

describe('the memory of a cache', () => {
  it('is refused when there is not so much', () => {
    expect(() => Cache.create(cacheShape({ maxItems: 2 ** 26, blocksize: 2 ** 30 }))).toThrow(RangeError)
  })

  // A machine with less may refuse so much address space.
  it.skipIf(totalmem() < 8 * 2 ** 30)('holds values beyond 4 GiB', () => {
    // Only what is touched is really taken from the machine.
    const { get, set, cache } = newCache({ maxItems: 5, blocks: 5, blocksize: 2 ** 30 })
    for (const key of ['a', 'b', 'c', 'd', 'e']) expect(set(key, `value ${key}`)).toBe(true)
    expect(['a', 'e'].map(get)).toEqual(['value a', 'value e'])
    expect([cache.update(bytes('e'), new Uint8Array(8)), cache.inc(bytes('e'), 5n), cache.num(bytes('e'))]).toEqual([
      true,
      5n,
      5n,
    ])
  })
})
