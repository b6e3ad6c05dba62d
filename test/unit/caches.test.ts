// From the options of a configuration to caches and what is in them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CacheSettings, fillCaches, planCaches } from '../../host/caches.ts'
import { ConfigError } from '../../host/errors.ts'
import { Cache } from '../../host/state/cache.ts'
import { bytes, text } from './state/fixtures/cache-shape.ts'

const settings = (parts: Partial<CacheSettings> = {}): CacheSettings => ({
  cache2: [],
  cache: undefined,
  cacheBlocksize: undefined,
  cacheStore: undefined,
  cacheStoreSync: undefined,
  cacheNoExpire: false,
  cacheUseLastModified: false,
  ...parts,
})
const plan = (...cache2: string[]) => planCaches(settings({ cache2 }), '/srv')
const defaults = {
  name: 'a',
  maxItems: 10,
  blocksize: 65_536,
  blocks: 10,
  hash: 'djb33x',
  hashsize: 65_536,
  keysize: 2048,
  bitmap: false,
  lastmod: false,
  mathInitial: 0n,
  ignoreFull: false,
  purgeLru: false,
  lazyExpire: false,
  sweepOnFull: false,
  clearOnFull: false,
  noExpire: false,
  store: undefined,
  storeSync: 0,
  storeDelete: false,
}

describe('cache2', () => {
  it('has the defaults of uWSGI', () => {
    expect(plan()).toEqual([])
    expect(plan('name=a,items=10')).toEqual([defaults])
  })

  it('knows every key, under each of its names', () => {
    const all =
      'name=b, max_items=5, blocksize=100, blocks=50, hash=murmur2, hashsize=7, keysize=64, store=kept/b.cache, store_sync=30, ' +
      'store_delete=1, bitmap=on, lastmod=yes, math_initial=-3, ignore_full=true, purge_lru=1, lazy_expire=1, sweep_on_full=5, ' +
      'clear_on_full=1, no_expire=1'
    const shape = {
      name: 'b',
      maxItems: 5,
      blocksize: 100,
      blocks: 50,
      hash: 'murmur2',
      hashsize: 7,
      keysize: 64,
      store: '/srv/kept/b.cache',
      storeSync: 30,
      storeDelete: true,
      bitmap: true,
      lastmod: true,
      mathInitial: -3n,
      ignoreFull: true,
      purgeLru: true,
      lazyExpire: true,
      sweepOnFull: true,
      clearOnFull: true,
      noExpire: true,
    }
    expect(plan(all)).toEqual([shape])
    expect(plan('name=a,maxitems=10,hash_size=3,key_size=4,storesync=5,lru=1,lazy=1')).toEqual([
      { ...defaults, hashsize: 3, keysize: 4, storeSync: 5, purgeLru: true, lazyExpire: true },
    ])
  })

  it('reads the value of a flag, and takes a flag alone as on', () => {
    expect(plan('name=a,items=10,lazy=0,lru=off,bitmap=no,lastmod=false')).toEqual([defaults])
    expect(plan('name=a,items=10,lazy,purge_lru')).toEqual([{ ...defaults, lazyExpire: true, purgeLru: true }])
  })

  const faults: readonly (readonly [string, string])[] = [
    ['items=10', "a cache needs a name: 'name=...'"],
    ['name=a', "a cache needs a size: 'items=...'"],
    ['name=a,itmes=10', "unknown key 'itmes' (did you mean 'items'?)"],
    ['name=a,items=10,color=red', "unknown key 'color'"],
    ['name=a,items=10,udp=127.0.0.1:1', "caches are not copied over the network here, so there is no 'udp'"],
    ['name=a,items=10,nodes=a;b', "caches are not copied over the network here, so there is no 'nodes'"],
    ['name=a,items=0', "'items' must be a whole number from 1 to 67108864, not '0'"],
    ['name=a,items=ten', "'items' must be a whole number from 1 to 67108864, not 'ten'"],
    ['name=a,items=-1', "'items' must be a whole number from 1 to 67108864, not '-1'"],
    ['name=a,items=10,blocksize=0', "'blocksize' must be a whole number from 1 to 2147483647, not '0'"],
    ['name=a,items=10,keysize=65536', "'keysize' must be a whole number from 1 to 65535, not '65536'"],
    ['name=a,items=10,blocks=9', "'blocks' must be at least the number of items, 10"],
    ['name=a,items=10,maxitems=10', "'maxitems' is given twice"],
    ['name=a,items=10,hash=djb3x', "unknown hash 'djb3x' (did you mean 'djb33x'?)"],
    ['name=a,items=10,hash=sha1', "unknown hash 'sha1' (one of djb33x, murmur2, random, rand, rr)"],
    [
      'name=a,items=10,math_initial=9223372036854775808',
      "'math_initial' must be a whole number of 64 bits, not '9223372036854775808'",
    ],
    ['name=a,items=10,lazy=maybe', "'lazy' must be on or off, not 'maybe'"],
    ['name=a,items=10,store=', "'store' needs a value"],
    ['name=a@b,items=10', "the name 'a@b' has an '@', which stands between a name and an address"],
    ['name=a,,items=10', 'there is nothing between two commas'],
    ['name=a,items=10,=5', "'=5' has no key"],
  ]
  it.each(faults)('%s is refused', (text, problem) => {
    expect(() => plan(text)).toThrow(ConfigError)
    expect(() => plan(text)).toThrow(`cache2 = ${text}: ${problem}`)
  })

  it('is refused when two caches share a name or a store', () => {
    expect(() => plan('name=a,items=1', 'name=a,items=2')).toThrow(
      "cache2 = name=a,items=2: there is a cache of the name 'a' already",
    )
    expect(() => plan('name=a,items=1,store=x', 'name=b,items=2,store=/srv/x')).toThrow(
      "cache2 = name=b,items=2,store=/srv/x: the store is that of cache 'a' already",
    )
  })
})

describe('the older option cache', () => {
  it('makes the cache default, before all others', () => {
    const shapes = planCaches(settings({ cache: 10, cache2: ['name=b,items=1'] }), '/srv')
    expect(shapes.map(({ name }) => name)).toEqual(['default', 'b'])
    expect(shapes[0]).toEqual({ ...defaults, name: 'default' })
  })

  it('takes what goes with it', () => {
    const parts = {
      cache: 4,
      cacheBlocksize: 128,
      cacheStore: 'c',
      cacheStoreSync: 9,
      cacheNoExpire: true,
      cacheUseLastModified: true,
    }
    expect(planCaches(settings(parts), '/srv')).toEqual([
      {
        ...defaults,
        name: 'default',
        maxItems: 4,
        blocks: 4,
        blocksize: 128,
        store: '/srv/c',
        storeSync: 9,
        noExpire: true,
        lastmod: true,
      },
    ])
  })
})

describe('items from the configuration', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'polywsgi-caches-'))
    writeFileSync(join(folder, 'page.html'), Uint8Array.of(60, 0, 255))
    writeFileSync(join(folder, 'two words.txt'), 'words')
    writeFileSync(join(folder, 'large.bin'), new Uint8Array(101))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const create = () =>
    new Map(plan('name=a,items=3,blocksize=100', 'name=b,items=3').map((shape) => [shape.name, Cache.create(shape)] as const))
  const fill = async (items: readonly string[], files: readonly string[] = [], caches = create()) => {
    await fillCaches(caches, { addCacheItem: items, loadFileInCache: files }, folder)
    return caches
  }
  const get = (caches: ReadonlyMap<string, Cache>, name: string, key: string) => text(caches.get(name)?.get(bytes(key)))

  it('go into the cache that is named, or the first one', async () => {
    const caches = await fill(['k=a value = with signs', 'b other=1'], ['page.html', 'two words.txt', 'b page.html'])
    expect(get(caches, 'a', 'k')).toBe('a value = with signs')
    expect(get(caches, 'b', 'other')).toBe('1')
    expect(get(caches, 'a', 'page.html')).toBe('<\0\xff')
    expect(get(caches, 'a', 'two words.txt')).toBe('words')
    expect(caches.get('b')?.keys().map(text).sort()).toEqual(['other', 'page.html'])
  })

  it('leave alone what a store has kept', async () => {
    const caches = create()
    caches.get('a')?.set(bytes('k'), bytes('kept'))
    await fill(['k=configured'], [], caches)
    expect(get(caches, 'a', 'k')).toBe('kept')
  })

  it('are refused when they cannot be what was meant', async () => {
    await expect(fill(['novalue'])).rejects.toThrow('add-cache-item = novalue: it is not [CACHE ]KEY=VALUE')
    await expect(fill(['k='])).rejects.toThrow('add-cache-item = k=: it is not [CACHE ]KEY=VALUE')
    await expect(fill(['c k=v'])).rejects.toThrow("add-cache-item = c k=v: there is no cache 'c'")
    await expect(fill(['k=v'], [], new Map())).rejects.toThrow('add-cache-item = k=v: there is no cache')
    await expect(fill([], ['missing.html'])).rejects.toThrow('load-file-in-cache = missing.html: the file cannot be read: ENOENT')
    await expect(fill([], ['large.bin'])).rejects.toThrow(
      "load-file-in-cache = large.bin: the item does not fit into cache 'a' (keys of 2048 bytes, values of 1 to 100 bytes, 3 items)",
    )
  })
})
