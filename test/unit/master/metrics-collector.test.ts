// The collector: from the scoreboard to metrics, and from metrics to those that are worked out from them.
import { describe, expect, it } from 'vitest'
import { MetricsCollector } from '../../../host/master/metrics-collector.ts'
import { planMetrics } from '../../../host/metrics.ts'
import { Metrics } from '../../../host/state/metrics.ts'
import { StateMap } from '../../../host/state/state-map.ts'
import { WorkerState } from '../../../host/state/worker-slots.ts'
import { load } from '../config/world.ts'

const start = (...args: string[]) => {
  const { settings } = load(['--workers', '3', ...args])
  const metrics = Metrics.create(planMetrics(settings).metrics)
  const state = StateMap.create({ workers: 3, requestSlots: 4, requestAreaSize: 64, responseRingSize: 4096 })
  return { metrics, state, collector: new MetricsCollector({ state, metrics, signals: { routed: 4, unrouted: 2 }, workers: 3 }) }
}

describe('the metrics collector', () => {
  it('copies the scoreboard, worker by worker and in sum', () => {
    const { metrics, state, collector } = start('--enable-metrics')
    const { workers } = state
    workers.countRequest(1)
    workers.requestEnded(1, 600, 100)
    workers.spawned(2, 1)
    workers.countRequest(2)
    workers.requestEnded(2, 1800, 50)
    workers.countRespawn(2)
    workers.countFailedRequest(3)
    for (const id of [1, 2]) workers.setState(id, WorkerState.ready)
    state.seats.setRunning(2, 1)
    workers.countOverload()
    collector.collect()
    const read = (...names: string[]) => names.map((name) => Number(metrics.get(name)))
    const of = (id: number) =>
      read(
        ...['requests', 'delta_requests', 'failed_requests', 'respawns', 'total_tx', 'running_time'].map(
          (what) => `worker.${id}.${what}`,
        ),
      )
    expect([of(1), of(2), of(3), of(0)]).toEqual([
      [1, 1, 0, 0, 100, 600],
      [1, 1, 0, 1, 50, 1800],
      [0, 0, 1, 0, 0, 0],
      [2, 2, 1, 1, 150, 2400],
    ])
    expect(read('worker.1.avg_response_time', 'worker.2.avg_response_time', 'core.avg_response_time')).toEqual([300, 900, 400])
    expect(read('core.busy_workers', 'core.idle_workers', 'core.total_tx', 'core.total_running_time')).toEqual([1, 1, 150, 2400])
    expect(read('core.routed_signals', 'core.unrouted_signals', 'core.overloaded')).toEqual([4, 2, 1])
    const [rss, alias, vsz] = read('core.total_rss', 'rss_size', 'vsz_size')
    expect(rss).toBeGreaterThan(10_000_000)
    expect(alias).toBe(rss)
    expect(vsz).toBeGreaterThanOrEqual(rss!)
  })

  // Values of real uWSGI 2.0.21 with the same options, but for the accumulator.
  it('works out the metrics that have a collector', () => {
    const { metrics, collector } = start(
      ...['--metric', 'u1', '--metric', 'name=u2,initial_value=40'],
      ...['--metric', 'name=sum,type=gauge,collector=sum,children=u1;u2,initial_value=1000'],
      ...['--metric', 'name=adder,collector=adder,children=u1;u2,arg1n=5'],
      ...['--metric', 'name=multiplier,collector=multiplier,children=u1;u2,arg1n=5'],
      ...['--metric', 'name=unmultiplied,collector=multiplier,children=u1;u2'],
      ...['--metric', 'name=avg,collector=avg,children=u1;u2'],
      ...['--metric', 'name=accumulator,collector=accumulator,children=u1;u2,initial_value=1000'],
      ...['--metric', 'name=seldom,collector=sum,children=u1,freq=2'],
      ...['--metric', 'name=second,collector=sum,children=sum'],
    )
    metrics.set('u1', 7n)
    collector.collect()
    const read = (...names: string[]) => names.map((name) => Number(metrics.get(name)))
    expect(read('sum', 'adder', 'multiplier', 'unmultiplied', 'avg', 'accumulator', 'second')).toEqual([
      1047, 52, 235, 0, 23, 1047, 1047,
    ])
    expect(metrics.set('sum', 1n)).toBe(false)
    metrics.set('u1', 8n)
    collector.collect()
    expect(read('sum', 'accumulator', 'seldom')).toEqual([1048, 1095, 7])
    collector.collect()
    expect(read('seldom')).toEqual([8])
  })

  it('collects from its start on, and not where metrics are off', () => {
    const on = start('--enable-metrics')
    on.state.workers.countRequest(1)
    on.collector.start()
    on.collector.start()
    expect(on.metrics.get('worker.1.requests')).toBe(1n)
    on.collector.stop()
    const off = start()
    off.collector.start()
    expect(off.metrics.readings()).toEqual([])
    off.collector.stop()
  })
})
