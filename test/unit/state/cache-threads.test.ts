// Four threads in one cache at once.
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { Cache, type CacheShape } from '../../../host/state/cache.ts'
import { cacheShape } from './fixtures/cache-shape.ts'
import { counterKey, counters, type StressReport, type StressStart } from './fixtures/cache-stress.ts'

const operations = 100_000

const stress = async (shape: CacheShape): Promise<{ cache: Cache; reports: StressReport[] }> => {
  const cache = Cache.create(shape)
  const reports = [1, 2, 3, 4].map((thread) => {
    const start: StressStart = { handle: cache.handle, thread, operations }
    const worker = new Worker(new URL('./fixtures/cache-stress.ts', import.meta.url), { workerData: start })
    return new Promise<StressReport>((resolve, reject) => worker.on('message', resolve).on('error', reject))
  })
  return { cache, reports: await Promise.all(reports) }
}

describe('a cache that four threads use', () => {
  it('counts every increment and shows no value half-written', async () => {
    const { cache, reports } = await stress(cacheShape({ maxItems: 80, blocks: 400, blocksize: 64, bitmap: true, hashsize: 16 }))
    for (let index = 0; index < counters; index += 1) {
      expect(cache.num(counterKey(index))).toBe(BigInt(reports.reduce((sum, { counted }) => sum + counted[index]!, 0)))
    }
    expect(reports.map(({ torn }) => torn)).toEqual([0, 0, 0, 0])
    const read = reports.reduce((sum, report) => sum + report.read, 0)
    expect(read).toBeGreaterThan(operations)
    expect(cache.statistics.hits).toBe(read)
  })

  it('shows no value half-written while it purges, and keeps its size', async () => {
    const { cache, reports } = await stress(cacheShape({ maxItems: 24, blocksize: 640, purgeLru: true, hashsize: 5 }))
    expect(reports.map(({ torn }) => torn)).toEqual([0, 0, 0, 0])
    expect(reports.every(({ read }) => read > 0)).toBe(true)
    expect(cache.keys().length).toBe(cache.items)
    expect(cache.items).toBeLessThanOrEqual(24)
    expect(cache.items).toBeGreaterThan(12)
  })
})
