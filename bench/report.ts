// Turns figures into Markdown that is also readable as plain text: the same words go to the terminal and to bench/RESULTS.md.
import type { Verdict } from './bars.ts'
import { failures, medianRate } from './load.ts'
import type { LoadLine, LoadReport, RowReport } from './row.ts'
import { median, range, ratio } from './statistics.ts'

/** A row that gave no figures, and why. */
export interface Omission {
  readonly name: string
  readonly reason: string
}

export interface BenchmarkReport {
  readonly date: Date
  /** Machine and versions, as name and value. */
  readonly environment: readonly (readonly [string, string])[]
  /** Load average of the last minute before and after: tells a quiet machine from a shared one. */
  readonly loadAverages: readonly [number, number]
  readonly rows: readonly RowReport[]
  readonly skipped: readonly Omission[]
  readonly failed: readonly Omission[]
}

/** The whole of bench/RESULTS.md. */
export function renderResults(report: BenchmarkReport): string {
  const facts = report.environment.map(([name, value]) => `${name}: ${value}`)
  const [before, after] = report.loadAverages
  return [
    '# Benchmark results',
    'Written by `npm run bench -- --write`; do not edit. Both servers ran two workers each on one machine, with the client.',
    [`- date: ${report.date.toISOString().slice(0, 10)}`, ...facts.map((fact) => `- ${fact}`)].join('\n'),
    `Load average of the last minute before: ${before.toFixed(2)}, after: ${after.toFixed(2)}.`,
    '## Bars',
    renderVerdicts(report.rows),
    ...report.rows.map(renderRow),
    ...omissions('Skipped', report.skipped),
    ...omissions('Failed', report.failed),
  ]
    .join('\n\n')
    .concat('\n')
}

function omissions(heading: string, list: readonly Omission[]): string[] {
  return list.length === 0 ? [] : [`## ${heading}`, list.map(({ name, reason }) => `- ${name}: ${reason}`).join('\n')]
}

export function renderRow(row: RowReport): string {
  const heading = `## ${row.name}: ${row.title}`
  const body = row.kind === 'load' ? [row.client, loadTable(row)] : [table(row.columns, row.lines)]
  const notes = row.notes.length === 0 ? [] : [row.notes.map((note) => `- ${note}`).join('\n')]
  return [heading, ...body, ...notes].join('\n\n')
}

const loadColumns = [
  'target',
  'requests/s',
  'slowest–fastest run',
  'p50 (ms)',
  'p99 (ms)',
  'MB/s answered',
  'clients served',
  'connections',
  'failed',
  'polywsgi / it',
]

function loadTable(row: LoadReport): string {
  const ours = row.lines.find((line) => line.side === 'polywsgi')
  return table(
    loadColumns,
    row.lines.map((line) => loadLine(line, ours)),
  )
}

function loadLine(line: LoadLine, ours: LoadLine | undefined): string[] {
  const rates = range(line.runs.map((run) => run.requestsPerSecond))
  const share = line.side === 'peer' && ours !== undefined ? ratio(medianRate(ours), medianRate(line)) : undefined
  return [
    line.target,
    medianRate(line).toFixed(0),
    `${rates.min.toFixed(0)}–${rates.max.toFixed(0)}`,
    milliseconds(line, 'p50Us'),
    milliseconds(line, 'p99Us'),
    (median(line.runs.map((run) => run.bytesPerSecond)) / 2 ** 20).toFixed(1),
    `${line.served}/${line.clients}`,
    String(median(line.connections)),
    flagged(failures(line)),
    share === undefined ? '' : share.toFixed(2),
  ]
}

function milliseconds(line: LoadLine, percentile: 'p50Us' | 'p99Us'): string {
  return (median(line.runs.map((run) => run[percentile])) / 1000).toFixed(3)
}

function flagged(count: number): string {
  return count === 0 ? '0' : `**${count}**`
}

/** All bars of all rows, met or not. */
export function renderVerdicts(rows: readonly RowReport[]): string {
  const verdicts = rows.flatMap((row) => row.verdicts)
  if (verdicts.length === 0) return 'No bar was measured.'
  return table(['bar', 'measured in', 'wanted', 'measured', ''], verdicts.map(verdictLine))
}

function verdictLine({ bar, subject, measured, isMet }: Verdict): string[] {
  const unit = bar.unit === 'ratio' || bar.unit === 'errors' ? '' : ` ${bar.unit}`
  const digits = { ratio: 2, s: 3, µs: 2, MB: 1, KB: 1, errors: 0 }[bar.unit]
  return [
    bar.text,
    subject,
    `${bar.direction} ${bar.limit}${unit}`,
    `${measured.toFixed(digits)}${unit}`,
    isMet ? 'met' : '**not met**',
  ]
}

/** A Markdown table whose columns are also aligned as text: the first to the left, figures to the right. */
export function table(columns: readonly string[], lines: readonly (readonly string[])[]): string {
  const cells = [columns, ...lines].map((line) => columns.map((_, i) => (line[i] ?? '').replaceAll('|', '\\|')))
  const widths = columns.map((_, i) => Math.max(3, ...cells.map((line) => line[i]!.length)))
  const isFigure = (i: number) => i > 0 && lines.every((line) => /^[-*\d.]|^$|^NaN/.test(line[i] ?? ''))
  const render = (line: readonly string[]) =>
    `| ${line.map((cell, i) => (isFigure(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join(' | ')} |`
  const rule = `|${widths.map((width, i) => (isFigure(i) ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2))).join('|')}|`
  return [render(cells[0]!), rule, ...cells.slice(1).map(render)].join('\n')
}
