// Implementations of the group `process`.
import { writeFileSync } from 'node:fs'
import { WorkerState } from '../../state/worker-slots.ts'
import type { ApiContext } from '../context.ts'
import type { ImplementationOf } from '../kinds.ts'
import { readProcessMemory } from '../process-memory.ts'
import type { process } from '../table/process.ts'

/** The kernel's TASK_COMM_LEN, less its final NUL. */
const longestThreadName = 15

const utf8 = new TextEncoder()

/** Date.now() knows milliseconds only, performance.now() no date: together they know both. */
let epochOffsetMs = Date.now() - performance.now()

const microseconds = (): number => {
  const now = performance.now()
  const wall = Date.now()
  // Somebody has set the clock, or the two have drifted apart.
  if (Math.abs(epochOffsetMs + now - wall) > 2) epochOffsetMs = wall - now
  return Math.floor((epochOffsetMs + now) * 1000)
}

export const processImplementation: ImplementationOf<typeof process, ApiContext> = {
  numproc: ({ state }) => state.workers.count,
  cores: ({ cores }) => cores,
  has_threads: () => 0,
  buffer_size: ({ bufferSize }) => bufferSize,
  started_on: ({ startedOn }) => Math.floor(startedOn),
  is_a_reload: ({ isReload }) => isReload,
  workers: ({ state, masterPid, apps, signals }) => {
    const { rss, vsz } = readProcessMemory()
    return Array.from({ length: state.workers.count }, (_, index) => {
      const snapshot = state.workers.snapshot(index + 1)
      const handling = signals.handling(snapshot.id)
      return {
        id: snapshot.id,
        pid: snapshot.state === WorkerState.dead || snapshot.state === WorkerState.cheap ? 0 : masterPid,
        requests: snapshot.requests,
        delta_requests: snapshot.deltaRequests,
        signals: signals.handled(snapshot.id),
        exceptions: snapshot.exceptions,
        status: utf8.encode(handling === undefined ? snapshot.status : `sig${handling}`),
        rss,
        vsz,
        running_time: snapshot.runningTime,
        last_spawn: snapshot.lastSpawn,
        respawn_count: snapshot.respawns,
        tx: snapshot.sent,
        avg_rt: snapshot.averageTime,
        apps: apps.map(({ id, modifier1, mountpoint, startupMs }) => ({
          id,
          modifier1,
          mountpoint: utf8.encode(mountpoint),
          startup_time: Math.round(startupMs / 1000),
          requests: state.apps.requests(state.seats.current(snapshot.id), id),
          exceptions: state.apps.exceptions(state.seats.current(snapshot.id), id),
          chdir: new Uint8Array(0),
        })),
      }
    })
  },
  total_requests: ({ state }) => state.workers.totalRequests(),
  mem: () => {
    const { rss, vsz } = readProcessMemory()
    return [rss, vsz]
  },
  micros: () => microseconds(),
  reload: ({ master }) => {
    master.notify('reload', {})
    return true
  },
  stop: ({ master }) => {
    master.notify('stop', {})
    return true
  },
  setprocname: (_, name) => {
    try {
      writeFileSync('/proc/thread-self/comm', name.subarray(0, longestThreadName))
    } catch {
      // Not Linux, or no /proc: a name is nothing to fail for.
    }
    return undefined
  },
  set_user_harakiri: (context, seconds) => {
    context.setUserHarakiri(seconds)
    return undefined
  },
}
