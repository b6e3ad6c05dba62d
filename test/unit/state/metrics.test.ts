// Metrics: values as real uWSGI gives them, who may change which, and sums that come out right between threads.
import { afterEach, describe, expect, it } from 'vitest'
import { builtInMetrics, mostCoreMetrics } from '../../../host/state/built-in-metrics.ts'
import { type MetricDefinition, Metrics } from '../../../host/state/metrics.ts'
import { StructureThread } from './structure-thread.ts'

const own = (name: string, initial = 0n, oid = ''): MetricDefinition => ({
  name,
  oid,
  type: 'counter',
  initial,
  writer: 'guests',
})
const custom: MetricDefinition[] = [
  own('mine'),
  own('begun', 40n, '1.2.3.4'),
  { name: 'also', oid: '', type: 'alias', initial: 0n, writer: 'nobody', alias: 'mine' },
]
const create = (): Metrics => Metrics.create({ enabled: true, workers: 2, cores: 2, custom })

const threads: StructureThread[] = []
afterEach(async () => {
  await Promise.all(threads.splice(0).map((started) => started.end()))
})

describe('metrics', () => {
  it('begin with their initial value and are found by name and by OID', () => {
    const metrics = create()
    expect([metrics.get('mine'), metrics.get('begun'), metrics.get('1.2.3.4'), metrics.get('nope')]).toEqual([0n, 40n, 40n, 0n])
    expect(metrics.set('1.2.3.4', 7n)).toBe(true)
    expect(metrics.get('begun')).toBe(7n)
  })

  // What real uWSGI 2.0.21 gives for the same calls, one after another.
  it('calculate as in uWSGI', () => {
    const metrics = create()
    const step = (isDone: boolean): readonly [boolean, bigint] => [isDone, metrics.get('mine')]
    expect(step(metrics.set('mine', 17n))).toEqual([true, 17n])
    expect(step(metrics.add('mine', 1n))).toEqual([true, 18n])
    expect(step(metrics.add('mine', 3n))).toEqual([true, 21n])
    expect(step(metrics.add('mine', -1n))).toEqual([true, 20n])
    expect(step(metrics.multiply('mine', 3n))).toEqual([true, 60n])
    expect(step(metrics.divide('mine', 0n))).toEqual([false, 60n])
    expect(step(metrics.divide('mine', 7n))).toEqual([true, 8n])
    expect(step(metrics.set('mine', -7n))).toEqual([true, -7n])
    expect(step(metrics.divide('mine', 2n))).toEqual([true, -3n])
    expect(step(metrics.setMax('mine', -9n))).toEqual([true, -3n])
    expect(step(metrics.setMax('mine', 9n))).toEqual([true, 9n])
    expect(step(metrics.setMin('mine', 19n))).toEqual([true, 9n])
    expect(step(metrics.setMin('mine', -9n))).toEqual([true, -9n])
  })

  it('go round at the ends of 64 bits', () => {
    const metrics = create()
    const most = 2n ** 63n - 1n
    metrics.set('mine', most)
    metrics.add('mine', 1n)
    expect(metrics.get('mine')).toBe(-most - 1n)
    metrics.divide('mine', -1n)
    expect(metrics.get('mine')).toBe(-most - 1n)
    metrics.multiply('mine', 3n)
    expect(metrics.get('mine')).toBe(-most - 1n)
    metrics.add('mine', -(-most - 1n))
    expect(metrics.get('mine')).toBe(0n)
  })

  it.each(['nope', 'core.total_tx', 'worker.1.requests', 'also', 'rss_size', '3.1.1'])(
    'cannot be changed by guests: %s',
    (name) => {
      const metrics = create()
      metrics.set('mine', 5n)
      const before = metrics.readings()
      expect(metrics.set(name, 1n)).toBe(false)
      expect(metrics.add(name, 1n)).toBe(false)
      expect(metrics.multiply(name, 2n)).toBe(false)
      expect(metrics.divide(name, 2n)).toBe(false)
      expect(metrics.setMax(name, 2n)).toBe(false)
      expect(metrics.setMin(name, -2n)).toBe(false)
      expect(metrics.readings()).toEqual(before)
    },
  )

  it('show under an alias what another has', () => {
    const metrics = create()
    metrics.set('mine', 5n)
    metrics.publish('core.total_rss', 4096n)
    expect([metrics.get('also'), metrics.get('rss_size')]).toEqual([5n, 4096n])
  })

  it('are those of uWSGI, with names and OIDs of their own', () => {
    const { definitions } = create()
    const names = definitions.map(({ name }) => name)
    for (const name of ['core.busy_workers', 'worker.0.requests', 'worker.2.running_time', 'worker.2.core.1.exceptions'])
      expect(names).toContain(name)
    expect(names).not.toContain('worker.3.requests')
    expect(new Set(names).size).toBe(names.length)
    const oids = definitions.map(({ oid }) => oid).filter((oid) => oid !== '')
    expect(new Set(oids).size).toBe(oids.length)
  })

  it('leave single cores out when there are too many, or when told to', () => {
    const coreNames = (workers: number, cores: number) =>
      builtInMetrics(workers, cores).filter(({ name }) => name.includes('.core.')).length
    expect(coreNames(2, 3)).toBe(18)
    expect(coreNames(2, 0)).toBe(0)
    expect(coreNames(1, mostCoreMetrics)).toBe(3 * mostCoreMetrics)
    expect(coreNames(1, mostCoreMetrics + 1)).toBe(0)
  })

  it('count what the cores of a worker do', () => {
    const metrics = create()
    const counters = metrics.coreCounters(2)!
    counters.countRequest(0)
    counters.countRequest(1)
    counters.countRequest(1)
    counters.countOffloaded(1)
    counters.countException(1)
    counters.countException(1)
    counters.countException(1)
    const read = (worker: number, core: number) =>
      ['requests', 'offloaded_requests', 'exceptions'].map((what) => metrics.get(`worker.${worker}.core.${core}.${what}`))
    expect([read(1, 0), read(1, 1), read(2, 0), read(2, 1)]).toEqual([
      [0n, 0n, 0n],
      [0n, 0n, 0n],
      [1n, 0n, 0n],
      [2n, 1n, 3n],
    ])
    expect(metrics.coreCounters(3)).toBeUndefined()
    expect(Metrics.create({ enabled: true, workers: 1, cores: 0, custom }).coreCounters(1)).toBeUndefined()
  })

  it('are none at all when they are off', () => {
    const metrics = Metrics.create({ enabled: false, workers: 2, cores: 2, custom: [] })
    expect([metrics.get('core.idle_workers'), metrics.set('core.idle_workers', 1n), metrics.readings()]).toEqual([0n, false, []])
    metrics.publish('core.idle_workers', 3n)
    expect(metrics.get('core.idle_workers')).toBe(0n)
  })

  it('are the same in every thread, and lose no increment', async () => {
    const metrics = create()
    const times = 5000
    const counting = [1, 2].map(() => {
      const started = new StructureThread('Metrics', metrics)
      threads.push(started)
      return started
    })
    await Promise.all(counting.map((started) => started.call('add', ['mine', 3n], times)))
    expect(metrics.get('mine')).toBe(BigInt(6 * times))
    // What is worked out from the old value is tried again when another was faster.
    metrics.set('mine', 1n)
    await Promise.all(counting.map((started) => started.call('multiply', ['mine', -1n], times + 1)))
    expect(metrics.get('mine')).toBe(1n)
    expect(await counting[0]!.call('get', ['begun'])).toEqual([40n])
  })
})
