// The metrics that every instance has (uWSGI: `core.*`, `worker.N.*`), with uWSGI's names, types and OIDs. Each thread makes
// the same list from the same numbers, so that only the values are shared.
import type { MetricDefinition, MetricType } from './metrics.ts'

/** Past this many cores in all, single cores have no metrics: each thread holds every name. */
export const mostCoreMetrics = 4096

const own = (name: string, oid: string, type: MetricType): MetricDefinition => ({ name, oid, type, initial: 0n, writer: 'host' })

const coreMetrics: readonly (readonly [name: string, oid: number, type: MetricType])[] = [
  ['routed_signals', 1, 'counter'],
  ['unrouted_signals', 2, 'counter'],
  ['busy_workers', 3, 'gauge'],
  ['idle_workers', 4, 'gauge'],
  ['overloaded', 5, 'counter'],
  ['total_tx', 100, 'counter'],
  ['total_rss', 101, 'gauge'],
  ['total_vsz', 102, 'gauge'],
  ['avg_response_time', 103, 'gauge'],
  ['total_running_time', 104, 'counter'],
]

const workerMetrics: readonly (readonly [name: string, oid: number, type: MetricType])[] = [
  ['requests', 1, 'counter'],
  ['delta_requests', 2, 'absolute'],
  ['failed_requests', 13, 'counter'],
  ['respawns', 14, 'counter'],
  ['avg_response_time', 8, 'gauge'],
  ['total_tx', 9, 'counter'],
  ['rss_size', 11, 'gauge'],
  ['vsz_size', 12, 'gauge'],
  // Differs from uWSGI: there it is 13, which is failed_requests already.
  ['running_time', 15, 'counter'],
]

const alias = (name: string, oid: string, target: string): MetricDefinition => ({
  name,
  oid,
  type: 'alias',
  initial: 0n,
  writer: 'nobody',
  alias: target,
})

/** @param cores of each worker; 0 for no metrics of single cores. Worker 0 is all of them together */
export const builtInMetrics = (workers: number, cores: number): MetricDefinition[] => {
  const definitions = coreMetrics.map(([name, oid, type]) => own(`core.${name}`, `5.${oid}`, type))
  for (let id = 0; id <= workers; id += 1)
    for (const [name, oid, type] of workerMetrics) definitions.push(own(`worker.${id}.${name}`, `3.${id}.${oid}`, type))
  if (workers * cores <= mostCoreMetrics) {
    for (let id = 1; id <= workers; id += 1) {
      for (let core = 0; core < cores; core += 1) {
        definitions.push(own(`worker.${id}.core.${core}.requests`, `3.${id}.2.${core}.1`, 'counter'))
        definitions.push(own(`worker.${id}.core.${core}.offloaded_requests`, `3.${id}.2.${core}.4`, 'counter'))
        definitions.push(own(`worker.${id}.core.${core}.exceptions`, `3.${id}.2.${core}.7`, 'counter'))
      }
    }
  }
  definitions.push(alias('rss_size', '', 'core.total_rss'), alias('vsz_size', '', 'core.total_vsz'))
  return definitions
}
