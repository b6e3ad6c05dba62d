// Keeps the metrics that guests only read: once a second the scoreboard's numbers become metrics, and metrics that are worked
// out from others are worked out (uWSGI: the metrics collector thread).
import { readProcessMemory } from '../api/process-memory.ts'
import type { MetricCollector, MetricDefinition, Metrics } from '../state/metrics.ts'
import type { SignalState } from '../state/signal-state.ts'
import type { StateMap } from '../state/state-map.ts'
import { WorkerState } from '../state/worker-slots.ts'

const intervalMs = 1000

export interface MetricsCollectorOptions {
  readonly state: StateMap
  readonly metrics: Metrics
  readonly signals: Pick<SignalState, 'routed' | 'unrouted'>
  readonly workers: number
}

export class MetricsCollector {
  readonly #options: MetricsCollectorOptions
  readonly #collected: readonly (MetricDefinition & { readonly collector: MetricCollector })[]
  #timer: NodeJS.Timeout | undefined
  #rounds = 0

  constructor(options: MetricsCollectorOptions) {
    this.#options = options
    this.#collected = options.metrics.definitions.filter((definition) => definition.collector !== undefined) as never
  }

  /** Collects at once, then every second. Nothing happens where metrics are off. */
  start(): void {
    if (!this.#options.metrics.handle.enabled || this.#timer !== undefined) return
    this.collect()
    this.#timer = setInterval(() => this.collect(), intervalMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** One round. */
  collect(): void {
    this.#copyScoreboard()
    for (const definition of this.#collected)
      if (this.#rounds % definition.collector.everySeconds === 0)
        this.#workOut(definition.name, definition.initial, definition.collector)
    this.#rounds += 1
  }

  #copyScoreboard(): void {
    const { state, metrics, signals, workers } = this.#options
    const publish = (name: string, value: number): void => metrics.publish(name, BigInt(Math.round(value)))
    // Workers are threads: the memory is that of the process, and each of them shows it.
    const { rss, vsz } = readProcessMemory()
    const sums = { requests: 0, deltaRequests: 0, failedRequests: 0, respawns: 0, sent: 0, runningTime: 0 }
    let responseTimes = 0
    let busy = 0
    let idle = 0
    for (let id = 1; id <= workers; id += 1) {
      const snapshot = state.workers.snapshot(id)
      publish(`worker.${id}.requests`, snapshot.requests)
      publish(`worker.${id}.delta_requests`, snapshot.deltaRequests)
      publish(`worker.${id}.failed_requests`, snapshot.failedRequests)
      publish(`worker.${id}.respawns`, snapshot.respawns)
      publish(`worker.${id}.avg_response_time`, snapshot.averageTime)
      publish(`worker.${id}.total_tx`, snapshot.sent)
      publish(`worker.${id}.rss_size`, rss)
      publish(`worker.${id}.vsz_size`, vsz)
      publish(`worker.${id}.running_time`, snapshot.runningTime)
      for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += snapshot[name]
      responseTimes += snapshot.averageTime
      if (snapshot.status !== 'idle') busy += 1
      else if (snapshot.state === WorkerState.ready) idle += 1
    }
    const average = responseTimes / workers
    publish('worker.0.requests', sums.requests)
    publish('worker.0.delta_requests', sums.deltaRequests)
    publish('worker.0.failed_requests', sums.failedRequests)
    publish('worker.0.respawns', sums.respawns)
    publish('worker.0.avg_response_time', average)
    publish('worker.0.total_tx', sums.sent)
    publish('worker.0.rss_size', rss)
    publish('worker.0.vsz_size', vsz)
    publish('worker.0.running_time', sums.runningTime)
    publish('core.routed_signals', signals.routed)
    publish('core.unrouted_signals', signals.unrouted)
    publish('core.busy_workers', busy)
    publish('core.idle_workers', idle)
    publish('core.overloaded', state.workers.overloads)
    publish('core.total_tx', sums.sent)
    publish('core.total_rss', rss)
    publish('core.total_vsz', vsz)
    publish('core.avg_response_time', average)
    publish('core.total_running_time', sums.runningTime)
  }

  #workOut(name: string, initial: bigint, { kind, children, argument }: MetricCollector): void {
    const { metrics } = this.#options
    let sum = 0n
    for (const child of children) sum += metrics.get(child)
    const value = {
      sum: () => initial + sum,
      // Differs from uWSGI: the initial value counts once, not in every round.
      accumulator: () => metrics.get(name) + sum,
      adder: () => initial + sum + argument,
      multiplier: () => initial + sum * argument,
      avg: () => initial + (children.length === 0 ? 0n : sum / BigInt(children.length)),
    }[kind]()
    metrics.publish(name, BigInt.asIntN(64, value))
  }
}
