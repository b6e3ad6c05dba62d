// What the server tells of itself in the log when it is asked (SIGUSR1, SIGUSR2, `s` of the master FIFO), as lines.
import { findVar, headerSize } from '../protocol/index.ts'
import { printable } from './log/printable.ts'
import { BodyMode } from './state/request-slots.ts'
import type { StateMap } from './state/state-map.ts'
import type { HostStats } from './stats.ts'

/** What was served. */
export const statsReport = (stats: HostStats): string[] => {
  const total = stats.workers.reduce((sum, { requests }) => sum + requests, stats.static_requests)
  const summary = `${total} requests, ${stats.load} not over yet, ${stats.listen_queue} of these wait for a worker`
  return [
    `*** polywsgi ${stats.version} (pid ${stats.pid}): ${summary} ***`,
    ...stats.workers.map(
      (worker) =>
        `worker ${worker.id}: ${worker.status}, ${worker.requests} requests (${worker.delta_requests} since its start), ` +
        `${worker.exceptions} exceptions, ${worker.signals} signals, ${worker.respawn_count} times started anew, ` +
        `${worker.tx} bytes sent, ${(worker.avg_rt / 1000).toFixed(1)} ms on average`,
    ),
  ]
}

/** What runs at this moment. */
export const workReport = (stats: HostStats, state: StateMap): string[] => {
  const running = new Map<number, string[]>()
  for (let slot = 0; slot < state.slots.count; slot += 1) {
    const seat = state.slots.runningSeat(slot)
    if (seat === 0) continue
    const worker = state.seats.number(seat)
    running.set(worker, [...(running.get(worker) ?? []), described(state, slot)])
  }
  return stats.workers.map(({ id, status }) => `worker ${id}: ${running.get(id)?.join(', ') ?? status}`)
}

const described = ({ slots }: StateMap, slot: number): string => {
  // A body that comes in pieces takes the place of the variables.
  if (slots.bodyMode(slot) === BodyMode.pull) return 'a request whose body is read'
  try {
    const vars = slots.packet(slot).subarray(headerSize)
    const [method, uri, address] = ['REQUEST_METHOD', 'REQUEST_URI', 'REMOTE_ADDR'].map((name) => findVar(vars, name) ?? '')
    return printable(`${method} ${uri} for ${address}`).slice(0, longest)
  } catch {
    return 'a request whose variables cannot be read'
  }
}

/** Characters of a request. */
const longest = 300
