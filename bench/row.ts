// What a row of the benchmark is, and what it hands to the report. A row starts its servers, measures, stops them, and
// returns figures as data; how they look is the report's business.
import type { Verdict } from './bars.ts'
import type { Settings } from './command-line.ts'
import type { ProgramName } from './programs.ts'
import type { WrkRun } from './wrk.ts'

export interface Row {
  readonly name: string
  readonly title: string
  /** Programs without which the row is skipped, besides polywsgi. */
  readonly needs: readonly ProgramName[]
  run(context: RowContext): Promise<RowReport>
}

export interface RowContext {
  readonly settings: Settings
  /** Tells the person who waits what is being done. */
  progress(text: string): void
}

/** Load runs against several targets in alternation. */
export interface LoadReport {
  readonly kind: 'load'
  readonly name: string
  readonly title: string
  /** What wrk did, the same on every target. */
  readonly client: string
  readonly lines: readonly LoadLine[]
  readonly verdicts: readonly Verdict[]
  readonly notes: readonly string[]
}

export interface LoadLine {
  readonly target: string
  readonly side: 'polywsgi' | 'peer'
  readonly runs: readonly WrkRun[]
  readonly clients: number
  /** Clients of `clients` that got an answer within a second when all asked at once and none hung up. */
  readonly served: number
  /** Whether three requests in a row went over one connection. */
  readonly keepsAlive: boolean
  /** Connections that each run opened, as the system counted them. */
  readonly connections: readonly number[]
}

/** Figures that are not load runs: times, sizes. */
export interface ValueReport {
  readonly kind: 'values'
  readonly name: string
  readonly title: string
  readonly columns: readonly string[]
  readonly lines: readonly (readonly string[])[]
  readonly verdicts: readonly Verdict[]
  readonly notes: readonly string[]
}

export type RowReport = LoadReport | ValueReport
