// API group: metrics.
import type { ApiEntry } from '../kinds.ts'

const name = { name: 'name', type: 'text', doc: "The metric's name, `worker.1.requests`, or its OID, `3.1.1`." } as const
const operand = (doc: string) => ({ name: 'value', type: 'int64', default: 1n, doc }) as const
const changed = `Not_defined, with nothing changed, for a metric that is not there or that the server keeps itself.`

export const metrics = [
  {
    shape: 'function',
    name: 'metric_get',
    group: 'metrics',
    kind: 'immediate',
    params: [name],
    returns: 'int64',
    always: true,
    raises: [],
    doc: `The value of a metric; 0 for one that is not there, and for all of them without \`--enable-metrics\` or \`--metric\`.
Those that the server keeps are brought up to date every second.`,
    example: {
      js: "uwsgi.metricGet('core.busy_workers')",
      lua: "uwsgi.metric_get('core.busy_workers')",
      python: "uwsgi.metric_get('core.busy_workers')",
    },
  },
  {
    shape: 'function',
    name: 'metric_set',
    group: 'metrics',
    kind: 'immediate',
    params: [name, operand('The new value.')],
    returns: 'true',
    raises: [],
    doc: `Gives a metric of \`--metric\` a value. ${changed}`,
    example: {
      js: "uwsgi.metricSet('orders', 5)",
      lua: "uwsgi.metric_set('orders', 5)",
      python: "uwsgi.metric_set('orders', 5)",
    },
  },
  {
    shape: 'function',
    name: 'metric_inc',
    group: 'metrics',
    kind: 'immediate',
    params: [name, operand('How much more.')],
    returns: 'true',
    raises: [],
    doc: `Adds to a metric of \`--metric\`; no increment is lost, whoever else counts at the same time. ${changed}`,
    example: {
      js: "uwsgi.metricInc('orders')",
      lua: "uwsgi.metric_inc('orders')",
      python: "uwsgi.metric_inc('orders')",
    },
  },
  {
    shape: 'function',
    name: 'metric_dec',
    group: 'metrics',
    kind: 'immediate',
    params: [name, operand('How much less.')],
    returns: 'true',
    raises: [],
    doc: `Takes from a metric of \`--metric\`. ${changed}`,
    example: {
      js: "uwsgi.metricDec('orders', 2)",
      lua: "uwsgi.metric_dec('orders', 2)",
      python: "uwsgi.metric_dec('orders', 2)",
    },
  },
  {
    shape: 'function',
    name: 'metric_mul',
    group: 'metrics',
    kind: 'immediate',
    params: [name, operand('The factor.')],
    returns: 'true',
    raises: [],
    doc: `Multiplies a metric of \`--metric\`. ${changed}`,
    example: {
      js: "uwsgi.metricMul('orders', 3)",
      lua: "uwsgi.metric_mul('orders', 3)",
      python: "uwsgi.metric_mul('orders', 3)",
    },
  },
  {
    shape: 'function',
    name: 'metric_div',
    group: 'metrics',
    kind: 'immediate',
    params: [name, operand('The divisor.')],
    returns: 'true',
    raises: [],
    doc: `Divides a metric of \`--metric\`, rounding toward zero. ${changed} So too for a divisor of 0.`,
    example: {
      js: "uwsgi.metricDiv('orders', 3)",
      lua: "uwsgi.metric_div('orders', 3)",
      python: "uwsgi.metric_div('orders', 3)",
    },
  },
  {
    shape: 'function',
    name: 'metric_set_max',
    group: 'metrics',
    kind: 'immediate',
    params: [name, operand('The least the metric is to be.')],
    returns: 'true',
    raises: [],
    doc: `Raises a metric of \`--metric\` to a value that it is below. ${changed}`,
    example: {
      js: "uwsgi.metricSetMax('slowest', 250)",
      lua: "uwsgi.metric_set_max('slowest', 250)",
      python: "uwsgi.metric_set_max('slowest', 250)",
    },
  },
  {
    shape: 'function',
    name: 'metric_set_min',
    group: 'metrics',
    kind: 'immediate',
    params: [name, operand('The most the metric is to be.')],
    returns: 'true',
    raises: [],
    doc: `Lowers a metric of \`--metric\` to a value that it is above. ${changed}`,
    example: {
      js: "uwsgi.metricSetMin('fastest', 3)",
      lua: "uwsgi.metric_set_min('fastest', 3)",
      python: "uwsgi.metric_set_min('fastest', 3)",
    },
  },
] as const satisfies readonly ApiEntry[]
