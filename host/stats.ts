// What the server counts, as one object: the members and names of uWSGI's stats server (uWSGI docs, "The uWSGI Stats Server").
import type { SharedParts } from './state/shared-parts.ts'
import type { StateMap } from './state/state-map.ts'
import { WorkerState } from './state/worker-slots.ts'

export interface WorkerStats {
  readonly id: number
  /** Workers are threads: it is the server's. */
  readonly pid: number
  readonly accepting: 0 | 1
  readonly requests: number
  readonly delta_requests: number
  readonly exceptions: number
  /** Requests whose responses were handed to the master. Differs from uWSGI: counted by worker, not by core. */
  readonly offloaded_requests: number
  readonly signals: number
  /** Signals that wait for this worker alone. */
  readonly signal_queue: number
  /** `idle`, `busy`, `cheap` (it does not run) or `sigN` (it handles a signal). */
  readonly status: string
  /** Bytes of the whole process. */
  readonly rss: number
  /** Microseconds spent in requests. */
  readonly running_time: number
  /** Seconds since the epoch. */
  readonly last_spawn: number
  readonly respawn_count: number
  /** Bytes sent. */
  readonly tx: number
  /** Microseconds. */
  readonly avg_rt: number
}

export interface HostStats {
  readonly version: string
  /** Requests that wait for a worker. */
  readonly listen_queue: number
  /** Signals that wait for any worker. */
  readonly signal_queue: number
  /** Files served without a worker. Differs from uWSGI: there a core counts them. */
  readonly static_requests: number
  /** Requests accepted and not over yet. */
  readonly load: number
  readonly pid: number
  readonly cwd: string
  /** Lock names to the thread that holds each, 0 for none. */
  readonly locks: readonly Readonly<Record<string, number>>[]
  readonly caches: readonly import('./state/cache.ts').CacheStatistics[]
  readonly metrics: Readonly<Record<string, { readonly type: string; readonly oid: string; readonly value: number }>>
  readonly sockets: readonly { readonly name: string; readonly proto: string }[]
  readonly workers: readonly WorkerStats[]
  readonly mules: readonly { readonly id: number; readonly signals: number }[]
  readonly spoolers: readonly { readonly dir: string; readonly tasks: number; readonly running: 0 | 1 }[]
}

export interface StatsSources {
  readonly version: string
  readonly state: StateMap
  readonly shared: SharedParts
  readonly active: number
  readonly sockets: readonly { readonly address: string; readonly protocol: string }[]
  readonly spoolers: readonly string[]
  isReady(thread: number): boolean
}

export const collectStats = (sources: StatsSources): HostStats => {
  const { state, shared } = sources
  const { signals, locks } = shared
  const { workers: workerCount, mules } = signals.shape
  const rss = process.memoryUsage.rss()
  const workers = Array.from({ length: workerCount }, (_, index): WorkerStats => {
    const worker = state.workers.snapshot(index + 1)
    const handling = signals.handling(state.seats.current(worker.id))
    return {
      id: worker.id,
      pid: process.pid,
      accepting: sources.isReady(worker.id) ? 1 : 0,
      requests: worker.requests,
      delta_requests: worker.deltaRequests,
      exceptions: worker.exceptions,
      offloaded_requests: worker.offloadedRequests,
      signals: signals.handled(worker.id),
      signal_queue: signals.incoming(worker.id).length,
      status: handling !== undefined ? `sig${handling}` : worker.state === WorkerState.cheap ? 'cheap' : worker.status,
      rss,
      running_time: worker.runningTime,
      last_spawn: worker.lastSpawn,
      respawn_count: worker.respawns,
      tx: worker.sent,
      avg_rt: worker.averageTime,
    }
  })
  const running = workers.reduce((sum, { id }) => sum + state.workers.running(id), 0)
  return {
    version: sources.version,
    listen_queue: Math.max(0, sources.active - running),
    signal_queue: signals.pools.reduce((sum, { ring }) => sum + ring.length, 0),
    static_requests: state.workers.staticRequests,
    load: sources.active,
    pid: process.pid,
    cwd: process.cwd(),
    locks: Array.from({ length: locks.count }, (_, num) => ({ [`user ${num}`]: state.seats.number(locks.owner(num) ?? 0) })),
    caches: [...shared.caches.values()].map(({ statistics }) => statistics),
    metrics: Object.fromEntries(
      shared.metrics.readings().map(({ name, type, oid, value }) => [name, { type, oid, value: Number(value) }]),
    ),
    sockets: sources.sockets.map(({ address, protocol }) => ({ name: address, proto: protocol })),
    workers,
    mules: Array.from({ length: mules }, (_, index) => ({ id: index + 1, signals: signals.handled(workerCount + index + 1) })),
    spoolers: sources.spoolers.map((dir, index) => ({
      dir,
      tasks: shared.spoolers.tasks(index + 1),
      running: shared.spoolers.isRunning(index + 1) ? 1 : 0,
    })),
  }
}
