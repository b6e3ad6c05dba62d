// The statistics as the stats server sends them: the JSON that uWSGI's sends, which uwsgitop and its kin read.
import type { MetricType } from './state/metrics.ts'
import type { HostStats } from './stats.ts'

export interface StatsJsonOptions {
  /** `stats-minified`: without line breaks and tabs. */
  readonly isMinified: boolean
  /** `stats-no-cores` */
  readonly noCores: boolean
  /** `stats-no-metrics` */
  readonly noMetrics: boolean
}

/** By these numbers uWSGI tells what a metric is. */
const metricTypes: Readonly<Record<MetricType, number>> = { counter: 0, gauge: 1, absolute: 2, alias: 3 }

/** What there is none of is left out, as in uWSGI's. */
export const statsJson = (stats: HostStats, { isMinified, noCores, noMetrics }: StatsJsonOptions): string => {
  const { caches, metrics, workers, mules, spoolers, ...rest } = stats
  const metricEntries = Object.entries(metrics).map(([name, { type, oid, value }]) => [
    name,
    { type: metricTypes[type as MetricType], ...(oid === '' ? {} : { oid }), value },
  ])
  const shown = {
    ...rest,
    ...(caches.length > 0 ? { caches } : {}),
    ...(noMetrics || metricEntries.length === 0 ? {} : { metrics: Object.fromEntries(metricEntries) }),
    workers: noCores ? workers.map(({ cores, ...worker }) => worker) : workers,
    ...(mules.length > 0 ? { mules } : {}),
    ...(spoolers.length > 0 ? { spoolers } : {}),
  }
  return `${JSON.stringify(shown, undefined, isMinified ? undefined : '\t')}\n`
}
