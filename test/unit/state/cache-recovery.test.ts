// A thread that ends in the middle of a write: at every step, and at any moment.
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { Cache, CacheBusyError, type CacheShape } from '../../../host/state/cache.ts'
import { CacheTable } from '../../../host/state/cache-table.ts'
import { bytes, cacheShape, text } from './fixtures/cache-shape.ts'

class Death extends Error {}

/** Every method of the object dies at the given step, counted from 1 over all of them, and does nothing ever after. */
const mortal = <T extends object>(target: T, life: { steps: number; dead: boolean }): T => {
  const prototype = Object.getPrototypeOf(target) as object
  for (const name of Object.getOwnPropertyNames(prototype)) {
    const method = Object.getOwnPropertyDescriptor(prototype, name)?.value as unknown
    if (typeof method !== 'function' || name === 'constructor') continue
    Object.defineProperty(target, name, {
      value: (...args: unknown[]) => {
        const step = () => {
          if (!life.dead) life.steps -= 1
          if (life.steps === 0) life.dead = true
          if (life.dead) throw new Death()
        }
        step()
        const result: unknown = method.apply(target, args)
        step()
        return result
      },
    })
  }
  return target
}

const mortalTable = (cache: Cache, steps: number): { table: CacheTable; life: { steps: number; dead: boolean } } => {
  const life = { steps, dead: false }
  const table = mortal(new CacheTable(cache.handle), life)
  mortal(table.mutex, life)
  if (table.lru !== undefined) mortal(table.lru, life)
  if (table.blocks !== undefined) mortal(table.blocks, life)
  return { table, life }
}

const clock = { ms: 1_000_000 }
const now = () => clock.ms

/** What is in the cache, and that it is whole: every item found by its key, no place or block lost. */
const contents = (cache: Cache): Record<string, string> => {
  const found: Record<string, string> = {}
  for (const key of cache.keys()) found[text(key)!] = text(cache.get(key))!
  expect(cache.items).toBe(Object.keys(found).length)
  return found
}

const expectAllUsable = (cache: Cache, shape: CacheShape): void => {
  for (const key of cache.keys()) expect(cache.del(key)).toBe(true)
  expect(cache.items).toBe(0)
  for (let index = 0; index < shape.maxItems; index += 1) expect(cache.set(bytes(`fill ${index}`), bytes('v'))).toBe(true)
  expect(cache.keys().length).toBe(shape.maxItems)
  cache.clear()
  expect(cache.set(bytes('whole'), new Uint8Array(cache.maxValue))).toBe(true)
}

const before: Record<string, string> = {
  a: 'value of a',
  b: 'b'.repeat(20),
  ['l'.repeat(80)]: 'long key',
  n: '\x05\0\0\0\0\0\0\0',
}

const fill = (cache: Cache): void => {
  for (const [key, value] of Object.entries(before)) cache.set(bytes(key), Buffer.from(value, 'latin1'), 60)
}

/** A write, and which results its death may leave: a part of the keys gone, or the write done. */
const writes: readonly {
  what: string
  run: (cache: Cache) => unknown
  touched: readonly string[]
  done: Record<string, string>
}[] = [
  { what: 'set', run: (cache) => cache.set(bytes('new'), bytes('value')), touched: ['new'], done: { ...before, new: 'value' } },
  {
    what: 'set with a long key',
    run: (cache) => cache.set(bytes('m'.repeat(99)), bytes('value')),
    touched: ['m'.repeat(99)],
    done: { ...before, ['m'.repeat(99)]: 'value' },
  },
  { what: 'update', run: (cache) => cache.update(bytes('a'), bytes('x')), touched: ['a'], done: { ...before, a: 'x' } },
  {
    what: 'update to another length',
    run: (cache) => cache.update(bytes('b'), bytes('B'.repeat(31))),
    touched: ['b'],
    done: { ...before, b: 'B'.repeat(31) },
  },
  { what: 'del', run: (cache) => cache.del(bytes('a')), touched: ['a'], done: omit('a') },
  { what: 'inc', run: (cache) => cache.inc(bytes('n')), touched: ['n'], done: { ...before, n: '\x06\0\0\0\0\0\0\0' } },
  { what: 'clear', run: (cache) => cache.clear(), touched: Object.keys(before), done: {} },
]

function omit(key: string): Record<string, string> {
  const { [key]: _, ...rest } = before
  return rest
}

const shapes: readonly (readonly [string, CacheShape])[] = [
  ['a plain cache', cacheShape({ hashsize: 2 })],
  ['a cache with purge_lru', cacheShape({ purgeLru: true })],
  ['a cache with bitmap', cacheShape({ bitmap: true, blocksize: 8, blocks: 40 })],
]

describe.each(shapes)('in %s', (_, shape) => {
  it.each(writes.map((write) => [write.what, write] as const))('%s leaves nothing torn, wherever its thread ends', (_, write) => {
    let steps = 0
    for (let wasAlive = false; !wasAlive; ) {
      steps += 1
      const cache = Cache.create(shape, { thread: 1, now })
      fill(cache)
      const { table, life } = mortalTable(cache, steps)
      try {
        write.run(Cache.open(cache.handle, { thread: 2, now }, table))
        wasAlive = !life.dead
      } catch (error) {
        expect(error).toBeInstanceOf(Death)
      }
      cache.threadEnded(2)
      const after = contents(cache)
      for (const [key, value] of Object.entries(after)) expect([before[key], write.done[key]]).toContain(value)
      // What the write had nothing to do with is there in any case.
      for (const key of Object.keys(before)) if (!write.touched.includes(key)) expect(after[key]).toBe(before[key])
      if (wasAlive) expect(after).toEqual(write.done)
      expectAllUsable(cache, shape)
    }
    // The write really was stopped at many places.
    expect(steps).toBeGreaterThan(10)
  })
})

describe('the death of a thread', () => {
  const dieWithLock = (cache: Cache): void => {
    // Dies in the middle of writing the value.
    const table = new CacheTable(cache.handle)
    table.writeValue = () => {
      table.mutex.unlock = () => {}
      table.rebuild = () => {}
      throw new Death()
    }
    expect(() => Cache.open(cache.handle, { thread: 2, now }, table).update(bytes('a'), bytes('half'))).toThrow(Death)
  }

  it('makes the master wait no longer than it may, and nobody who reads other keys', () => {
    // By each cache's own secret two keys may share what tells readers of a change: here they are not to.
    let cache: Cache
    let table: CacheTable
    do {
      cache = Cache.create(cacheShape(), { thread: 0, now })
      table = new CacheTable(cache.handle)
    } while (table.versionAt(table.hash(bytes('a'))) === table.versionAt(table.hash(bytes('b'))))
    fill(cache)
    dieWithLock(cache)
    expect(text(cache.get(bytes('b')))).toBe(before['b'])
    expect(() => cache.get(bytes('a'))).toThrow(CacheBusyError)
    expect(() => cache.set(bytes('c'), bytes('1'))).toThrow('cache "test" is locked by another thread')
    expect(cache.sweep(0, 100)).toEqual({ removed: 0, next: 0 })
    expect(cache.threadEnded(1)).toBe(false)
    expect(cache.threadEnded(2)).toBe(true)
    expect(cache.get(bytes('a'))).toBe(undefined)
    expect(cache.set(bytes('a'), bytes('again'))).toBe(true)
  })

  it('is passed over by a thread that waits for the lock, once the master has mended the cache', async () => {
    const cache = Cache.create(cacheShape(), { thread: 0, now })
    fill(cache)
    dieWithLock(cache)
    const { worker, answer } = inThread(cache, "cache.get(Buffer.from('a')) ?? 'nothing'")
    await untilWaiting(cache)
    cache.threadEnded(2)
    expect(await answer).toBe('nothing')
    await worker.terminate()
  })

  it('that was to get the lock next makes way for another one that waits', async () => {
    const cache = Cache.create(cacheShape(), { thread: 0, now })
    const { mutex } = new CacheTable(cache.handle)
    mutex.lock(4)
    const { worker, answer } = inThread(cache, "cache.set(Buffer.from('a'), Buffer.from('1'))")
    await untilWaiting(cache)
    // The lock is given back, and the thread that was told of it is gone.
    Atomics.store(mutexWords(cache), 0, 0)
    expect(cache.threadEnded(5)).toBe(false)
    expect(await answer).toBe(true)
    await worker.terminate()
  })

  it('at any moment of real writes leaves every value whole', async () => {
    const shape = cacheShape({ maxItems: 50, blocks: 300, blocksize: 16, bitmap: true, purgeLru: true, hashsize: 8 })
    const cache = Cache.create(shape, { thread: 0 })
    let heldTheLock = 0
    // On a busy machine the message of the writer comes when it rests: as many rounds as it takes to catch it at work.
    for (let round = 0; round < 8 || (heldTheLock === 0 && round < 200); round += 1) {
      const writer = new Worker(new URL('./fixtures/cache-writer.ts', import.meta.url), {
        workerData: { handle: cache.handle, thread: 2, seed: round },
      })
      await new Promise((resolve, reject) => writer.on('message', resolve).on('error', reject))
      await writer.terminate()
      if (cache.threadEnded(2)) heldTheLock += 1
      for (const key of cache.keys()) {
        const value = cache.get(key)!
        // Each value is one byte over and over, the key's own.
        expect(value.every((byte) => byte === key[0])).toBe(true)
      }
    }
    expect(heldTheLock).toBeGreaterThan(0)
    expectAllUsable(cache, shape)
  })
})

/** The holder, and how many wait: a thread counts itself before it sleeps. */
const mutexWords = (cache: Cache): Int32Array => new Int32Array(cache.handle.buffer, 0, 2)

const untilWaiting = async (cache: Cache): Promise<void> => {
  while (Atomics.load(mutexWords(cache), 1) === 0) await new Promise((resolve) => setImmediate(resolve))
}

/** Evaluates an expression of `cache` in a thread of its own. */
const inThread = (cache: Cache, expression: string): { worker: Worker; answer: Promise<unknown> } => {
  const url = new URL('../../../host/state/cache.ts', import.meta.url).href
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads')
     import(workerData.url).then(({ Cache }) => {
       const cache = Cache.open(workerData.handle, { thread: 3 })
       parentPort.postMessage(${expression})
     })`,
    { eval: true, workerData: { url, handle: cache.handle } },
  )
  return { worker, answer: new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject)) }
}
