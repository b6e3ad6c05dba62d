// Metrics: named 64-bit numbers that all threads share. Those of the server and those that are worked out from others are
// written by the master alone; guests write the rest.
// Invariant: a change by several threads at once counts as if one had followed the other; past the largest number a metric
// goes on from the least, as uWSGI's.

import { builtInMetrics } from './built-in-metrics.ts'

export type MetricType = 'counter' | 'gauge' | 'absolute' | 'alias'
export type CollectorKind = 'sum' | 'accumulator' | 'adder' | 'multiplier' | 'avg'

/** How the master works a metric out from others. */
export interface MetricCollector {
  readonly kind: CollectorKind
  readonly children: readonly string[]
  /** What an adder adds, what a multiplier multiplies by. */
  readonly argument: bigint
  readonly everySeconds: number
}

export interface MetricDefinition {
  readonly name: string
  /** Another name, of numbers and dots; '' for none. */
  readonly oid: string
  readonly type: MetricType
  readonly initial: bigint
  /** Who may change it. `nobody`: an alias, which shows the value of another. */
  readonly writer: 'host' | 'guests' | 'nobody'
  readonly alias?: string
  readonly collector?: MetricCollector
}

export interface MetricsShape {
  /** False: there are no metrics at all. */
  readonly enabled: boolean
  readonly workers: number
  /** 0: no metrics of single cores. */
  readonly cores: number
  /** Those of the configuration. */
  readonly custom: readonly MetricDefinition[]
}

export interface MetricsHandle extends MetricsShape {
  readonly buffer: SharedArrayBuffer
}

/** As the statistics show it. */
export interface MetricReading {
  readonly name: string
  readonly type: MetricType
  readonly oid: string
  readonly value: bigint
}

/** What a worker itself counts, core by core. */
export interface CoreCounters {
  countRequest(core: number): void
  countOffloaded(core: number): void
  countException(core: number): void
}

const definitionsOf = ({ enabled, workers, cores, custom }: MetricsShape): MetricDefinition[] =>
  enabled ? [...builtInMetrics(workers, cores), ...custom] : []

export class Metrics {
  readonly handle: MetricsHandle
  readonly definitions: readonly MetricDefinition[]
  readonly #values: BigInt64Array
  /** By name, then by OID. */
  readonly #places = new Map<string, number>()

  private constructor(handle: MetricsHandle, definitions: readonly MetricDefinition[]) {
    this.handle = handle
    this.definitions = definitions
    this.#values = new BigInt64Array(handle.buffer)
    definitions.forEach(({ name }, place) => {
      this.#places.set(name, place)
    })
    definitions.forEach(({ oid }, place) => {
      if (oid !== '' && !this.#places.has(oid)) this.#places.set(oid, place)
    })
  }

  static create(shape: MetricsShape): Metrics {
    const definitions = definitionsOf(shape)
    const metrics = new Metrics({ ...shape, buffer: new SharedArrayBuffer(definitions.length * 8) }, definitions)
    definitions.forEach(({ initial }, place) => {
      metrics.#values[place] = initial
    })
    return metrics
  }

  static open(handle: MetricsHandle): Metrics {
    return new Metrics(handle, definitionsOf(handle))
  }

  /** 0 for a metric that is not there. @param name or OID */
  get(name: string): bigint {
    const place = this.#places.get(name)
    if (place === undefined) return 0n
    const { alias } = this.definitions[place]!
    return alias === undefined ? Atomics.load(this.#values, place) : this.get(alias)
  }

  // What guests do. Each returns false, with nothing changed, for a metric that is not there or not theirs to change.

  set(name: string, value: bigint): boolean {
    return this.#change(name, () => value)
  }

  add(name: string, value: bigint): boolean {
    const place = this.#writable(name)
    if (place === undefined) return false
    Atomics.add(this.#values, place, value)
    return true
  }

  multiply(name: string, value: bigint): boolean {
    return this.#change(name, (old) => old * value)
  }

  /** Rounds toward zero. Division by 0 is refused. */
  divide(name: string, value: bigint): boolean {
    return value !== 0n && this.#change(name, (old) => old / value)
  }

  setMax(name: string, value: bigint): boolean {
    return this.#change(name, (old) => (value > old ? value : old))
  }

  setMin(name: string, value: bigint): boolean {
    return this.#change(name, (old) => (value < old ? value : old))
  }

  /** By the master, for a metric that is not the guests'. */
  publish(name: string, value: bigint): void {
    const place = this.#places.get(name)
    if (place !== undefined) Atomics.store(this.#values, place, value)
  }

  readings(): MetricReading[] {
    return this.definitions.map(({ name, type, oid }) => ({ name, type, oid, value: this.get(name) }))
  }

  /** Undefined without metrics of single cores. */
  coreCounters(workerId: number): CoreCounters | undefined {
    const first = this.#places.get(`worker.${workerId}.core.0.requests`)
    if (first === undefined) return undefined
    // A worker's cores lie in a row, each with its three metrics.
    return {
      countRequest: (core) => void Atomics.add(this.#values, first + core * 3, 1n),
      countOffloaded: (core) => void Atomics.add(this.#values, first + core * 3 + 1, 1n),
      countException: (core) => void Atomics.add(this.#values, first + core * 3 + 2, 1n),
    }
  }

  #writable(name: string): number | undefined {
    const place = this.#places.get(name)
    return place !== undefined && this.definitions[place]!.writer === 'guests' ? place : undefined
  }

  #change(name: string, change: (old: bigint) => bigint): boolean {
    const place = this.#writable(name)
    if (place === undefined) return false
    for (;;) {
      const old = Atomics.load(this.#values, place)
      if (Atomics.compareExchange(this.#values, place, old, BigInt.asIntN(64, change(old))) === old) return true
    }
  }
}
