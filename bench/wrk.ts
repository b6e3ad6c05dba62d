// Runs wrk and reads what it prints. One thread and a closed loop of keep-alive connections: each connection sends its next
// request when the answer to the last one is complete, so both sides of a comparison see the same client.
import { runToEnd } from './processes.ts'

/** Connections of a load run unless a row says otherwise: more than enough to keep two workers busy on two cores. */
export const defaultConnections = 16

export interface WrkRun {
  readonly requests: number
  readonly requestsPerSecond: number
  readonly bytesPerSecond: number
  readonly p50Us: number
  readonly p99Us: number
  /** Connections that could not be opened, broken reads and writes, answers after more than two seconds. */
  readonly socketErrors: number
  /** Answers with a status of 400 or above. */
  readonly badStatuses: number
}

export interface WrkLoad {
  readonly url: string
  readonly connections: number
  readonly seconds: number
  /** A Lua script that makes the requests; without one they are plain GETs. */
  readonly script?: string
}

export async function runWrk(load: WrkLoad): Promise<WrkRun> {
  const args = ['-t1', `-c${load.connections}`, `-d${load.seconds}s`, '--latency']
  if (load.script !== undefined) args.push('-s', load.script)
  return parseWrk(await runToEnd('wrk', [...args, load.url]))
}

/** Reads wrk's report (4.1, with --latency). Throws an Error that quotes the text when a figure is missing from it. */
export function parseWrk(text: string): WrkRun {
  const total = find(text, /^\s*(\d+) requests in [\d.]+\w+,/m, 'number of requests')
  const rate = find(text, /^Requests\/sec:\s+([\d.]+)/m, 'Requests/sec')
  const transfer = find(text, /^Transfer\/sec:\s+([\d.]+[KMGTP]?B)/m, 'Transfer/sec')
  const socketErrors = /^\s*Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/m.exec(text)
  const badStatuses = /^\s*Non-2xx or 3xx responses: (\d+)/m.exec(text)
  return {
    requests: Number(total),
    requestsPerSecond: Number(rate),
    bytesPerSecond: bytes(transfer),
    p50Us: percentile(text, 50),
    p99Us: percentile(text, 99),
    socketErrors: (socketErrors ?? []).slice(1).reduce((sum, count) => sum + Number(count), 0),
    badStatuses: Number(badStatuses?.[1] ?? 0),
  }
}

function percentile(text: string, percent: number): number {
  const value = find(text, new RegExp(`^\\s*${percent}%\\s+(\\S+)$`, 'm'), `${percent}% latency`)
  const [, amount, unit] = /^(-?[\d.]+|-?nan)(us|ms|s|m|h)$/.exec(value) ?? []
  if (amount === undefined || unit === undefined) throw new Error(`wrk: not a duration: "${value}"`)
  // wrk prints "-nan" when it has no answer to speak of.
  return amount.endsWith('nan') ? Number.NaN : Number(amount) * microseconds[unit as keyof typeof microseconds]
}

const microseconds = { us: 1, ms: 1e3, s: 1e6, m: 60e6, h: 3600e6 }

function bytes(value: string): number {
  const [, amount, prefix] = /^([\d.]+)([KMGTP]?)B$/.exec(value)!
  return Number(amount) * 1024 ** ['', 'K', 'M', 'G', 'T', 'P'].indexOf(prefix!)
}

function find(text: string, pattern: RegExp, what: string): string {
  const value = pattern.exec(text)?.[1]
  if (value === undefined) throw new Error(`wrk: no ${what} in its output:\n${text.trim()}`)
  return value
}
