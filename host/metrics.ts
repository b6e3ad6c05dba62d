// What a configuration asks for in shared memory: metrics (`--metric` and the flags around it), the queue, shared areas.
import type { Settings } from './config/index.ts'
import { ConfigError } from './errors.ts'
import { longestSharedMemory, planSharedareas } from './sharedareas.ts'
import { builtInMetrics } from './state/built-in-metrics.ts'
import type { CollectorKind, MetricCollector, MetricDefinition, MetricsShape, MetricType } from './state/metrics.ts'
import type { QueueShape } from './state/shared-queue.ts'

export interface SharedMemoryPlan {
  readonly queue: QueueShape | undefined
  /** Bytes of each. */
  readonly sharedareas: readonly number[]
  readonly metrics: MetricsShape
}

type MetricSettings = Pick<Settings, 'workers' | 'async' | 'enableMetrics' | 'metric' | 'metricsNoCores'>
type SharedMemorySettings = MetricSettings & Pick<Settings, 'queue' | 'queueBlocksize' | 'sharedarea'>

/** @throws ConfigError naming the option */
export const planMetrics = (settings: SharedMemorySettings): SharedMemoryPlan => ({
  queue: planQueue(settings),
  sharedareas: planSharedareas(settings.sharedarea),
  metrics: metricsShape(settings),
})

const planQueue = ({ queue, queueBlocksize }: SharedMemorySettings): QueueShape | undefined => {
  if (queue === undefined || queue === 0) return undefined
  if (queue * queueBlocksize > longestSharedMemory) {
    const problem = `${queue} slots of ${queueBlocksize} bytes are more than ${longestSharedMemory} bytes`
    throw new ConfigError('CONFIG_BAD_VALUE', `queue = ${queue}: ${problem}: lower it or queue-blocksize`)
  }
  return { slots: queue, blockSize: queueBlocksize }
}

const metricsShape = (settings: MetricSettings): MetricsShape => {
  const cores = settings.metricsNoCores ? 0 : settings.async
  const enabled = settings.enableMetrics || settings.metric.length > 0
  const shape = { enabled, workers: settings.workers, cores }
  if (!enabled) return { ...shape, custom: [] }
  const known = new Map<string, MetricDefinition>()
  const oids = new Set<string>()
  const add = (definition: MetricDefinition): void => {
    known.set(definition.name, definition)
    if (definition.oid !== '') oids.add(definition.oid)
  }
  for (const definition of builtInMetrics(shape.workers, cores)) add(definition)
  const custom = settings.metric.map((text) => {
    const refuse = (problem: string): ConfigError => new ConfigError('CONFIG_BAD_VALUE', `metric = ${text}: ${problem}`)
    const definition = parseMetric(text, refuse)
    const { name, oid, alias, collector } = definition
    if (known.has(name)) throw refuse(`there is a metric '${name}' already`)
    if (oids.has(oid)) throw refuse(`there is a metric with the OID ${oid} already`)
    // Only what stands before: so no metric can depend on itself, by whatever detour.
    for (const other of [...(alias === undefined ? [] : [alias]), ...(collector?.children ?? [])])
      if (!known.has(other)) throw refuse(`there is no metric '${other}' before it`)
    add(definition)
    return definition
  })
  return { ...shape, custom }
}

const types: readonly MetricType[] = ['counter', 'gauge', 'absolute', 'alias']
const collectors: readonly CollectorKind[] = ['sum', 'accumulator', 'adder', 'multiplier', 'avg']
const keys = ['name', 'oid', 'type', 'initial_value', 'collector', 'freq', 'arg1n', 'children', 'alias'] as const
type Key = (typeof keys)[number]

type Refuse = (problem: string) => ConfigError

const parseMetric = (text: string, refuse: Refuse): MetricDefinition => {
  const fields = parseFields(text, refuse)
  const { name, oid = '', alias } = fields
  if (name === undefined) throw refuse('it has no name: begin with name=')
  if (!/^[0-9A-Za-z._-]+$/.test(name))
    throw refuse(`a name has letters, digits, dots, dashes and underscores, '${name}' has others`)
  if (oid !== '' && !/^\d+(?:\.\d+)*$/.test(oid)) throw refuse(`an OID is numbers with dots between, '${oid}' is not`)
  const type = oneOf(fields, 'type', types, refuse) ?? (alias === undefined ? 'counter' : 'alias')
  if ((type === 'alias') !== (alias !== undefined)) throw refuse('type=alias and alias=NAME go together')
  const initial = integer(fields, 'initial_value', refuse) ?? 0n
  const collector = parseCollector(fields, refuse)
  if (alias !== undefined) {
    if (collector !== undefined) throw refuse('an alias has no collector')
    return { name, oid, type, initial, writer: 'nobody', alias }
  }
  return collector === undefined
    ? { name, oid, type, initial, writer: 'guests' }
    : { name, oid, type, initial, writer: 'host', collector }
}

type Fields = { readonly [Name in Key]?: string }

const parseFields = (text: string, refuse: Refuse): Fields => {
  if (!text.includes('=')) return { name: text }
  const fields: Partial<Record<Key, string>> = {}
  for (const pair of text.split(',')) {
    const equals = pair.indexOf('=')
    const key = (equals === -1 ? pair : pair.slice(0, equals)).trim()
    if (!isKey(key)) throw refuse(`a metric has no '${key}': there are ${keys.join(', ')}`)
    if (equals === -1) throw refuse(`'${key}' has no value`)
    if (fields[key] !== undefined) throw refuse(`'${key}' is there twice`)
    fields[key] = pair.slice(equals + 1).trim()
  }
  return fields
}

const isKey = (text: string): text is Key => (keys as readonly string[]).includes(text)

const oneOf = <Value extends string>(fields: Fields, key: Key, values: readonly Value[], refuse: Refuse): Value | undefined => {
  const text = fields[key]
  if (text === undefined) return undefined
  const value = values.find((candidate) => candidate === text)
  if (value === undefined) throw refuse(`'${key}' is one of ${values.join(', ')}, not '${text}'`)
  return value
}

const integer = (fields: Fields, key: Key, refuse: Refuse): bigint | undefined => {
  const text = fields[key]
  if (text === undefined) return undefined
  if (!/^-?\d+$/.test(text)) throw refuse(`'${key}' is a whole number, not '${text}'`)
  const value = BigInt(text)
  if (BigInt.asIntN(64, value) !== value) throw refuse(`'${key}' must fit 64 bits, ${text} does not`)
  return value
}

const parseCollector = (fields: Fields, refuse: Refuse): MetricCollector | undefined => {
  const kind = oneOf(fields, 'collector', collectors, refuse)
  if (kind === undefined) {
    for (const key of ['children', 'arg1n', 'freq'] as const)
      if (fields[key] !== undefined) throw refuse(`'${key}' is for metrics with a collector`)
    return undefined
  }
  const children = (fields.children ?? '').split(';').filter((child) => child !== '')
  if (children.length === 0) throw refuse(`the collector ${kind} needs children=NAME;NAME`)
  const everySeconds = Number(integer(fields, 'freq', refuse) ?? 1n)
  if (everySeconds < 1) throw refuse(`'freq' is at least 1 second, not ${everySeconds}`)
  return { kind, children, argument: integer(fields, 'arg1n', refuse) ?? 0n, everySeconds }
}
