// Implementations of the group `metrics`. The structure itself says which metrics guests may change.
import type { ApiContext } from '../context.ts'
import type { ImplementationOf } from '../kinds.ts'
import type { metrics } from '../table/metrics.ts'

export const metricsImplementation: ImplementationOf<typeof metrics, ApiContext> = {
  metric_get: ({ metrics }, name) => metrics.get(name),
  metric_set: ({ metrics }, name, value) => metrics.set(name, value) || undefined,
  metric_inc: ({ metrics }, name, value) => metrics.add(name, value) || undefined,
  metric_dec: ({ metrics }, name, value) => metrics.add(name, -value) || undefined,
  metric_mul: ({ metrics }, name, value) => metrics.multiply(name, value) || undefined,
  metric_div: ({ metrics }, name, value) => metrics.divide(name, value) || undefined,
  metric_set_max: ({ metrics }, name, value) => metrics.setMax(name, value) || undefined,
  metric_set_min: ({ metrics }, name, value) => metrics.setMin(name, value) || undefined,
}
