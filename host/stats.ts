// What the server counts, as one object: the members and names of uWSGI's stats server (uWSGI docs, "The uWSGI Stats Server").
import { hasVarsBlock } from '../protocol/modifiers.ts'
import { headerSize } from '../protocol/packet.ts'
import { checkVars, iterateVars } from '../protocol/vars.ts'
import { readProcessMemory } from './api/process-memory.ts'
import type { Dispatcher } from './master/dispatcher.ts'
import type { Supervisor } from './master/supervisor.ts'
import type { ThreadFacts } from './master/thread-facts.ts'
import type { SharedParts } from './state/shared-parts.ts'
import type { StateMap } from './state/state-map.ts'
import { WorkerState } from './state/worker-slots.ts'

export interface AppStats {
  readonly id: number
  readonly modifier1: number
  readonly mountpoint: string
  /** Seconds, as uWSGI has it. */
  readonly startup_time: number
  readonly requests: number
  readonly exceptions: number
  /** Always empty: apps have no working directory of their own. */
  readonly chdir: string
}

/** A slot for one running request. */
export interface CoreStats {
  readonly id: number
  readonly requests: number
  /** Differs from uWSGI: always 0, files are served without a core (`static_requests` of the whole). */
  readonly static_requests: number
  /** Always 0: there is no internal routing. */
  readonly routed_requests: number
  /** Requests whose responses were handed to the master. */
  readonly offloaded_requests: number
  readonly write_errors: number
  readonly read_errors: number
  readonly in_request: 0 | 1
  /** Of the request that it holds: `KEY=value`, as Latin-1 text. */
  readonly vars: readonly string[]
  /** Seconds since the epoch, while it holds a request. */
  readonly req_info: { readonly request_start?: number }
}

export interface SocketStats {
  readonly name: string
  readonly proto: string
  /** Requests that wait. Differs from uWSGI: they wait in one queue, whatever socket they came by, and each socket shows it. */
  readonly queue: number
  /** How many may wait (`listen`). */
  readonly max_queue: number
  /** Always 0: a socket is not shared with other servers. */
  readonly shared: 0
  /** Whether responses to its requests can be sent without a worker. */
  readonly can_offload: 0 | 1
}

export interface WorkerStats {
  readonly id: number
  /** Workers are threads: it is the server's. */
  readonly pid: number
  readonly accepting: 0 | 1
  readonly requests: number
  readonly delta_requests: number
  readonly exceptions: number
  /** Deadlines that were overrun. */
  readonly harakiri_count: number
  /** Requests whose responses were handed to the master, of all its cores. */
  readonly offloaded_requests: number
  readonly signals: number
  /** Signals that wait for this worker alone. */
  readonly signal_queue: number
  /** `idle`, `busy`, `cheap` (it does not run) or `sigN` (it handles a signal). */
  readonly status: string
  /** Bytes of the whole process. */
  readonly rss: number
  /** Bytes of address space of the whole process. */
  readonly vsz: number
  /** Bytes that each of its interpreters holds, by language. */
  readonly heap_bytes: Readonly<Record<string, number>>
  /** Microseconds spent in requests. */
  readonly running_time: number
  /** Seconds since the epoch. */
  readonly last_spawn: number
  readonly respawn_count: number
  /** Bytes sent. */
  readonly tx: number
  /** Microseconds. */
  readonly avg_rt: number
  /** Those it has loaded. */
  readonly apps: readonly AppStats[]
  /** Where there are more than 4096 in all: those that hold a request, without what they have counted. */
  readonly cores: readonly CoreStats[]
}

export interface HostStats {
  readonly version: string
  /** Requests that wait for a worker. */
  readonly listen_queue: number
  /** Requests that found no room to wait, and were answered 503. */
  readonly listen_queue_errors: number
  /** Signals that wait for any worker. */
  readonly signal_queue: number
  /** Files served without a worker. Differs from uWSGI: there a core counts them. */
  readonly static_requests: number
  /** Requests accepted and not over yet. */
  readonly load: number
  readonly pid: number
  readonly uid: number
  readonly gid: number
  readonly cwd: string
  /** Lock names to the thread that holds each, 0 for none. */
  readonly locks: readonly Readonly<Record<string, number>>[]
  readonly caches: readonly import('./state/cache.ts').CacheStatistics[]
  readonly metrics: Readonly<Record<string, { readonly type: string; readonly oid: string; readonly value: number }>>
  readonly sockets: readonly SocketStats[]
  readonly workers: readonly WorkerStats[]
  readonly mules: readonly { readonly id: number; readonly signals: number }[]
  readonly spoolers: readonly { readonly dir: string; readonly pid: number; readonly tasks: number; readonly running: 0 | 1 }[]
}

export interface StatsSources {
  readonly version: string
  readonly state: StateMap
  readonly services: { readonly shared: SharedParts; readonly facts: ThreadFacts }
  readonly master: {
    readonly dispatcher: Pick<Dispatcher, 'active' | 'running'>
    readonly supervisor: Pick<Supervisor, 'isReady'>
  }
  /** How many requests may wait (`listen`). */
  readonly listen: number
  readonly sockets: readonly { readonly address: string; readonly protocol: string }[]
  readonly spoolers: readonly string[]
}

export const collectStats = (sources: StatsSources): HostStats => {
  const { state, services, master } = sources
  const { shared } = services
  const { active } = master.dispatcher
  const { signals, locks } = shared
  const { workers: workerCount, mules } = signals.shape
  const { rss, vsz } = readProcessMemory()
  const held = heldCores(sources)
  const workers = Array.from({ length: workerCount }, (_, index): WorkerStats => {
    const worker = state.workers.snapshot(index + 1)
    const handling = signals.handling(state.seats.current(worker.id))
    return {
      id: worker.id,
      pid: process.pid,
      accepting: master.supervisor.isReady(worker.id) ? 1 : 0,
      requests: worker.requests,
      delta_requests: worker.deltaRequests,
      exceptions: worker.exceptions,
      harakiri_count: worker.harakiris,
      offloaded_requests: worker.offloadedRequests,
      signals: signals.handled(worker.id),
      signal_queue: signals.incoming(worker.id).length,
      status: handling !== undefined ? `sig${handling}` : worker.state === WorkerState.cheap ? 'cheap' : worker.status,
      rss,
      vsz,
      heap_bytes: Object.fromEntries(services.facts.heaps(state.seats.current(worker.id))),
      running_time: worker.runningTime,
      last_spawn: worker.lastSpawn,
      respawn_count: worker.respawns,
      tx: worker.sent,
      avg_rt: worker.averageTime,
      apps: appsOf(sources, worker.id),
      cores: coresOf(sources, worker.id, held.get(worker.id)),
    }
  })
  const running = workers.reduce((sum, { id }) => sum + state.workers.running(id), 0)
  const waiting = Math.max(0, active - running)
  return {
    version: sources.version,
    listen_queue: waiting,
    listen_queue_errors: state.workers.overloads,
    signal_queue: signals.pools.reduce((sum, { ring }) => sum + ring.length, 0),
    static_requests: state.workers.staticRequests,
    load: active,
    pid: process.pid,
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    cwd: process.cwd(),
    locks: Array.from({ length: locks.count }, (_, num) => ({ [`user ${num}`]: state.seats.number(locks.owner(num) ?? 0) })),
    caches: [...shared.caches.values()].map(({ statistics }) => statistics),
    metrics: Object.fromEntries(
      shared.metrics.readings().map(({ name, type, oid, value }) => [name, { type, oid, value: Number(value) }]),
    ),
    sockets: sources.sockets.map(({ address, protocol }) => ({
      name: address,
      proto: protocol,
      queue: protocol === 'udp' ? 0 : waiting,
      max_queue: protocol === 'udp' ? 0 : sources.listen,
      shared: 0,
      can_offload: protocol === 'udp' ? 0 : 1,
    })),
    workers,
    mules: Array.from({ length: mules }, (_, index) => ({ id: index + 1, signals: signals.handled(workerCount + index + 1) })),
    spoolers: sources.spoolers.map((dir, index) => ({
      dir,
      pid: process.pid,
      tasks: shared.spoolers.tasks(index + 1),
      running: shared.spoolers.isRunning(index + 1) ? 1 : 0,
    })),
  }
}

const appsOf = ({ state, services }: StatsSources, workerId: number): AppStats[] =>
  services.facts.apps(state.seats.current(workerId)).map(({ id, modifier1, mountpoint, startupMs }) => ({
    id,
    modifier1,
    mountpoint,
    startup_time: Math.round(startupMs / 1000),
    requests: state.apps.requests(state.seats.current(workerId), id),
    exceptions: state.apps.exceptions(state.seats.current(workerId), id),
    chdir: '',
  }))

/** What a core holds. */
interface Held {
  readonly begunAt: number
  readonly vars: readonly string[]
}

/** A thousand cores may each hold 64 KB of variables: past this many bytes requests are shown without theirs. */
const mostVarsBytes = 4 * 1024 * 1024

/** By worker, then by core. */
const heldCores = ({ state, master }: StatsSources): Map<number, Map<number, Held>> => {
  const held = new Map<number, Map<number, Held>>()
  let bytes = 0
  for (const { slot, packet } of master.dispatcher.running()) {
    const place = state.slots.runningCore(slot)
    if (place === undefined) continue
    bytes += packet.length
    const cores = held.get(place.workerId) ?? new Map<number, Held>()
    held.set(place.workerId, cores)
    cores.set(place.core, { begunAt: place.begunAt, vars: bytes > mostVarsBytes ? [] : varsOf(packet) })
  }
  return held
}

/** Empty for a packet whose block holds something else, or nothing readable. */
const varsOf = (packet: Uint8Array): string[] => {
  const [modifier1 = 0, , , modifier2 = 0] = packet
  if (!hasVarsBlock(modifier1, modifier2)) return []
  const vars = packet.subarray(headerSize)
  try {
    checkVars(vars)
  } catch {
    return []
  }
  return Array.from(iterateVars(vars), ([key, value]) => `${key}=${value}`)
}

const coresOf = ({ state }: StatsSources, workerId: number, held: ReadonlyMap<number, Held> = new Map()): CoreStats[] => {
  const { count } = state.cores
  const ids = count > 0 ? Array.from({ length: count }, (_, id) => id) : [...held.keys()].sort((a, b) => a - b)
  return ids.map((id) => {
    const { requests, offloadedRequests, writeErrors, readErrors } = state.cores.snapshot(workerId, id)
    const holds = held.get(id)
    return {
      id,
      requests,
      static_requests: 0,
      routed_requests: 0,
      offloaded_requests: offloadedRequests,
      write_errors: writeErrors,
      read_errors: readErrors,
      in_request: holds === undefined ? 0 : 1,
      vars: holds?.vars ?? [],
      req_info: holds === undefined ? {} : { request_start: holds.begunAt },
    }
  })
}
