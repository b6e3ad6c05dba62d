// The cache of files: what is fresh, what is forgotten, and how much there is at most.
import type { Stats } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type CachedFile, FileCache, largestCached } from '../../../host/static/file-cache.ts'

const statsOf = (more: Partial<Stats> = {}): Stats =>
  ({ dev: 1, ino: 2, size: 3, mtimeMs: 4, ctimeMs: 5, isFile: () => true, ...more }) as Stats
const fileOf = (size = 3, stats = statsOf()): CachedFile => ({
  path: '/real',
  stats,
  bytes: Buffer.alloc(size),
  contentType: undefined,
  isLocal: true,
})

/** Contents, both paths and a kilobyte. */
const cost = (size: number, path = '/a'): number => size + 2 * (path.length + '/real'.length) + 1024

describe('the cache', () => {
  it.each<[string, Partial<Stats>]>([
    ['device', { dev: 9 }],
    ['inode', { ino: 9 }],
    ['size', { size: 9 }],
    ['time of change', { mtimeMs: 9 }],
    ['time of any change', { ctimeMs: 9 }],
    ['kind', { isFile: () => false }],
  ])('forgets a file of another %s', (_, change) => {
    const cache = new FileCache()
    const file = fileOf()
    cache.add('/a', file)
    expect(cache.isFresh('/a', file, statsOf())).toBe(true)
    expect(cache.isFresh('/a', file, statsOf(change))).toBe(false)
    expect([cache.get('/a'), cache.bytes]).toEqual([undefined, 0])
  })

  it('does not take one for fresh that was replaced here meanwhile', () => {
    const cache = new FileCache()
    const old = fileOf()
    cache.add('/a', old)
    const now = fileOf()
    cache.add('/a', now)
    expect([cache.isFresh('/a', old, statsOf()), cache.get('/a'), cache.bytes]).toEqual([false, now, cost(3)])
  })

  it('holds no more than its limit, and what was used last', () => {
    const cache = new FileCache(2 * cost(4) + 2)
    const [a, b, c] = [fileOf(4), fileOf(4), fileOf(4)]
    cache.add('/a', a)
    cache.add('/b', b)
    expect(cache.isFresh('/a', a, statsOf())).toBe(true)
    cache.add('/c', c)
    expect([cache.get('/a'), cache.get('/b'), cache.get('/c'), cache.bytes]).toEqual([a, undefined, c, 2 * cost(4)])
    cache.add('/d', fileOf(2 * cost(4)))
    expect(cache.bytes).toBe(0)
  })

  it('is bounded by its entries too: an empty file has any number of paths', () => {
    const cache = new FileCache(100_000)
    for (let count = 1; count <= 1000; count += 1) cache.add(`/a${'/'.repeat(count)}b`, fileOf(0))
    const kept = Array.from({ length: 1000 }, (_, index) => cache.get(`/a${'/'.repeat(index + 1)}b`)).filter(Boolean)
    expect(kept.length).toBeLessThan(100)
    expect(kept.length).toBeGreaterThan(10)
    expect(cache.bytes).toBeLessThanOrEqual(100_000)
  })

  it('keeps neither what is large nor what has just been changed', () => {
    const cache = new FileCache()
    cache.add('/large', fileOf(largestCached + 1))
    cache.add('/new', fileOf(3, statsOf({ ctimeMs: 1000 })), 1050)
    cache.add('/future', fileOf(3, statsOf({ ctimeMs: 2000 })), 1050)
    expect(cache.bytes).toBe(0)
    cache.add('/old', fileOf(3, statsOf({ ctimeMs: 1000 })), 1200)
    expect(cache.bytes).toBe(cost(3, '/old'))
  })
})
