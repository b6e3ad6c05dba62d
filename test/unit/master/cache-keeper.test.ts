// What becomes of caches over time: swept, stored, and filled again.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConfigError } from '../../../host/errors.ts'
import { CacheKeeper } from '../../../host/master/cache-keeper.ts'
import type { Clock } from '../../../host/master/clock.ts'
import { Cache, type CacheShape } from '../../../host/state/cache.ts'
import { CacheTable } from '../../../host/state/cache-table.ts'
import { bytes, cacheShape, text } from '../state/fixtures/cache-shape.ts'

/** Time passes when the test says so. */
class TestClock implements Clock {
  ms = 1_000_000_000
  readonly timers: { at: number; callback: () => void }[] = []
  now = () => this.ms
  elapsed = () => this.ms
  after = (milliseconds: number, callback: () => void) => {
    const timer = { at: this.ms + milliseconds, callback }
    this.timers.push(timer)
    return () => void this.timers.splice(this.timers.indexOf(timer), 1)
  }

  pass(milliseconds: number): void {
    this.ms += milliseconds
    for (const timer of this.timers.filter(({ at }) => at <= this.ms)) {
      this.timers.splice(this.timers.indexOf(timer), 1)
      timer.callback()
    }
  }
}

let folder: string
let clock: TestClock
let lines: string[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'polywsgi-cache-'))
  clock = new TestClock()
  lines = []
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const storePath = () => join(folder, 'cache.store')
const create = (parts: Partial<CacheShape> = {}) => Cache.create(cacheShape(parts), { thread: 0, now: clock.now })
const stored = (parts: Partial<CacheShape> = {}) => create({ store: storePath(), ...parts })
const keep = (...caches: Cache[]) =>
  new CacheKeeper({ caches, log: (line) => lines.push(line), sweepSeconds: 3, reportFreed: true, clock })
const contents = (cache: Cache) =>
  Object.fromEntries(cache.keys().map((key) => [text(key), [text(cache.get(key)), cache.getItem(key)?.expiresAtMs]]))
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

describe('the sweeper', () => {
  it('removes what has expired, every cache-expire-freq seconds', async () => {
    const cache = create()
    const keeper = keep(cache)
    await keeper.start()
    cache.set(bytes('a'), bytes('1'), 2)
    cache.set(bytes('b'), bytes('1'), 4)
    clock.pass(2999)
    expect(cache.items).toBe(2)
    clock.pass(1)
    await until(() => cache.items === 1 && clock.timers.length === 1)
    clock.pass(3000)
    await until(() => cache.items === 0)
    expect(lines).toEqual(['freed 1 items for cache "test"', 'freed 1 items for cache "test"'])
    await keeper.stop()
    expect(clock.timers).toEqual([])
  })

  it('leaves caches with no_expire and lazy_expire alone', async () => {
    const caches = [create({ noExpire: true }), create({ lazyExpire: true })]
    const keeper = keep(...caches)
    await keeper.start()
    for (const cache of caches) cache.set(bytes('a'), bytes('1'), 1)
    clock.pass(10_000)
    expect(await keeper.sweep()).toBe(0)
    expect(caches.map(({ items }) => items)).toEqual([1, 1])
  })

  it('skips a cache that is locked, and comes again', async () => {
    const cache = create()
    const keeper = keep(cache)
    cache.set(bytes('a'), bytes('1'), 1)
    clock.pass(1000)
    const { mutex } = new CacheTable(cache.handle)
    mutex.lock(5)
    expect(await keeper.sweep()).toBe(0)
    mutex.unlock()
    expect(await keeper.sweep()).toBe(1)
  })

  it('sweeps large caches in pieces, between which the event loop turns', async () => {
    const cache = create({ maxItems: 20_000, hashsize: 20_000 })
    for (let index = 0; index < 20_000; index += 1) cache.set(bytes(`k${index}`), bytes('1'), 1)
    clock.pass(1000)
    const seen: number[] = []
    const watch = () => {
      seen.push(cache.items)
      if (cache.items > 0) setImmediate(watch)
    }
    watch()
    expect(await keep(cache).sweep()).toBe(20_000)
    expect(new Set(seen).size).toBeGreaterThanOrEqual(5)
  })
})

describe('the store of a cache', () => {
  it('brings its items back, with their expiry, without those that expired', async () => {
    const cache = stored()
    const keeper = keep(cache)
    await keeper.start()
    cache.set(bytes('a'), Uint8Array.of(0, 255, 10, 0))
    cache.set(bytes('k'.repeat(100)), bytes('long key'), 100)
    cache.set(bytes('short'), bytes('1'), 5)
    cache.inc(bytes('n'), 5n)
    const before = contents(cache)
    await keeper.stop()
    expect(readdirSync(folder)).toEqual(['cache.store'])
    expect(statSync(storePath()).mode & 0o777).toBe(0o600)
    clock.ms += 5000
    const again = stored({ maxItems: 20, blocks: 50, blocksize: 16, bitmap: true })
    await keep(again).start()
    const { short: _, ...rest } = before
    expect(contents(again)).toEqual(rest)
    expect(again.num(bytes('n'))).toBe(5n)
    expect(lines).toEqual([`cache "test": 3 items recovered from ${storePath()}`])
  })

  it('is written every store_sync seconds, when there is something new', async () => {
    const cache = stored({ storeSync: 2 })
    const keeper = keep(cache)
    await keeper.start()
    cache.set(bytes('a'), bytes('1'))
    clock.pass(2000)
    await until(() => existsSync(storePath()) && clock.timers.length === 2)
    const first = readFileSync(storePath())
    rmSync(storePath())
    clock.pass(2000)
    await until(() => clock.timers.length === 2)
    expect(existsSync(storePath())).toBe(false)
    cache.update(bytes('a'), bytes('2'))
    clock.pass(2000)
    await until(() => existsSync(storePath()) && clock.timers.length === 2)
    expect(readFileSync(storePath())).not.toEqual(first)
    await keeper.stop()
  })

  it('holds many items and large ones', async () => {
    const shape = { maxItems: 5000, hashsize: 5000, bitmap: true, blocks: 400_000, blocksize: 32 }
    const cache = stored(shape)
    for (let index = 0; index < 4000; index += 1) cache.set(bytes(`key ${index}`), bytes(`value ${index}`))
    const large = new Uint8Array(3_000_000).map((_, index) => index * 7)
    cache.set(bytes('large'), large)
    const keeper = keep(cache)
    await keeper.start()
    await keeper.stop()
    const again = stored(shape)
    await keep(again).start()
    expect(again.items).toBe(4001)
    expect(Buffer.from(again.get(bytes('large'))!).equals(large)).toBe(true)
    expect(text(again.get(bytes('key 3999')))).toBe('value 3999')
  })

  const written = async (): Promise<Buffer> => {
    const cache = stored()
    cache.set(bytes('a'), bytes('1'.repeat(20)))
    cache.set(bytes('b'), bytes('2'))
    cache.set(bytes('c'), bytes('3'))
    const keeper = keep(cache)
    await keeper.start()
    await keeper.stop()
    return readFileSync(storePath())
  }
  const faults: readonly (readonly [string, (file: Buffer) => Buffer, Partial<CacheShape>, string])[] = [
    ['is another file', () => Buffer.from('#!/bin/sh\necho a\n'), {}, 'it is not a cache store of polywsgi'],
    ['is empty', () => Buffer.alloc(0), {}, 'it is not a cache store of polywsgi'],
    ['has another version', (file) => changed(file, 15, 2), {}, 'it has version 2, not 1'],
    ['has a changed value', (file) => changed(file, 40, 0x39), {}, 'its checksum is wrong'],
    ['has an impossible length', (file) => changed(file, 22, 0xff), {}, 'it ends in the middle of an item'],
    ['is cut', (file) => file.subarray(0, 60), {}, 'it ends in the middle of an item'],
    ['goes on', (file) => Buffer.concat([file, file.subarray(0, 5)]), {}, 'there are 5 bytes behind its end'],
    ['holds too long values', (file) => file, { blocksize: 8 }, 'it holds a value of 20 bytes, the cache takes 8'],
    ['holds too many items', (file) => file, { maxItems: 2 }, "it holds more items than the cache's 2"],
    ['holds too many items to purge', (file) => file, { maxItems: 2, purgeLru: true }, "it holds more items than the cache's 2"],
    [
      'holds too much',
      (file) => file,
      { bitmap: true, blocks: 3, maxItems: 3, blocksize: 10 },
      'it holds more than fits into the blocks of the cache',
    ],
  ]
  it.each(faults)('that %s is refused, or removed with store_delete', async (_, change, shape, message) => {
    const file = change(await written())
    writeFileSync(storePath(), file)
    const cache = stored(shape)
    const refusal = keep(cache).start()
    await expect(refusal).rejects.toBeInstanceOf(ConfigError)
    await expect(refusal).rejects.toThrow(
      `cache2 test: the store ${storePath()} cannot be used: ${message}; remove it, or set store_delete to have it removed`,
    )
    expect(cache.items).toBe(0)
    expect(readFileSync(storePath())).toEqual(file)
    const other = stored({ ...shape, storeDelete: true })
    await keep(other).start()
    expect([other.items, existsSync(storePath())]).toEqual([0, false])
    expect(lines).toContain(`cache "test": the store ${storePath()} cannot be used: ${message}; it is removed`)
  })

  it('that cannot be read is refused', async () => {
    const cache = create({ store: folder })
    await expect(keep(cache).start()).rejects.toThrow(`cache2 test: the store ${folder} cannot be read: EISDIR`)
  })

  it('whose directory is not there is refused before items are lost for it', async () => {
    const store = join(folder, 'missing', 'cache.store')
    await expect(keep(create({ store })).start()).rejects.toThrow(`cache2 test: the store ${store} cannot be written: ENOENT`)
  })

  it('that cannot be written is told, and leaves nothing behind', async () => {
    const cache = create({ store: join(folder, 'missing', 'cache.store') })
    const keeper = keep(cache)
    mkdirSync(join(folder, 'missing'))
    await keeper.start()
    rmdirSync(join(folder, 'missing'))
    cache.set(bytes('a'), bytes('1'))
    await keeper.stop()
    expect(lines).toEqual([
      expect.stringContaining(`cache "test": the store ${folder}/missing/cache.store cannot be written: ENOENT`),
    ])
  })
})

const changed = (file: Buffer, offset: number, byte: number): Buffer => {
  const copy = Buffer.from(file)
  copy[offset] = byte
  return copy
}
