// Load lines made up for the tests of the benchmark: a peer that served all of its 16 clients, unless told otherwise.
import type { LoadLine } from '../../../bench/row.ts'
import type { WrkRun } from '../../../bench/wrk.ts'

export function run(requestsPerSecond: number, changes: Partial<WrkRun> = {}): WrkRun {
  return {
    requests: requestsPerSecond * 3,
    requestsPerSecond,
    bytesPerSecond: requestsPerSecond * 1024,
    p50Us: 250,
    p99Us: 1000,
    socketErrors: 0,
    badStatuses: 0,
    ...changes,
  }
}

export function line({ rates = [1000], ...changes }: Partial<LoadLine> & { rates?: readonly number[] }): LoadLine {
  return {
    target: 'uWSGI',
    side: 'peer',
    runs: rates.map((rate) => run(rate)),
    clients: 16,
    served: 16,
    keepsAlive: true,
    connections: rates.map(() => 16),
    ...changes,
  }
}
