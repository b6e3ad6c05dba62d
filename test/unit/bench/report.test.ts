// The report as text: tables, the bars with met or not met, and the facts a recorded measurement must carry.
import { describe, expect, it } from 'vitest'
import { judge } from '../../../bench/bars.ts'
import { renderResults, renderRow, renderVerdicts, table } from '../../../bench/report.ts'
import type { LoadReport, ValueReport } from '../../../bench/row.ts'
import { line, run } from './samples.ts'

const load: LoadReport = {
  kind: 'load',
  name: 'hello-http-lua',
  title: 'hello, Lua',
  client: 'wrk -t1.',
  lines: [
    line({ target: 'polywsgi', side: 'polywsgi', rates: [2048, 1024, 4096] }),
    { ...line({ target: 'uWSGI', served: 2 }), runs: [run(1024, { socketErrors: 3 })] },
  ],
  verdicts: [judge('helloKeepAlive', 'hello-http-lua', 2), judge('noErrors', 'hello-http-lua', 4)],
  notes: ['one thing', 'another'],
}

const values: ValueReport = {
  kind: 'values',
  name: 'start-up',
  title: 'first answer',
  columns: ['server', 'median'],
  lines: [['polywsgi, Lua', '0.100 s']],
  verdicts: [judge('startLua', 'start-up, Lua', 0.1), judge('memoryGrowth', 'stream-up-lua', 70.26)],
  notes: [],
}

describe('renderRow', () => {
  it('shows each target with median, spread, latency, served clients, failures and the ratio to it', () => {
    expect(renderRow(load)).toBe(
      `
## hello-http-lua: hello, Lua

wrk -t1.

| target   | requests/s | slowest–fastest run | p50 (ms) | p99 (ms) | MB/s answered | clients served | connections | failed | polywsgi / it |
|----------|-----------:|--------------------:|---------:|---------:|--------------:|---------------:|------------:|-------:|--------------:|
| polywsgi |       2048 |           1024–4096 |    0.250 |    1.000 |           2.0 |          16/16 |          16 |      0 |               |
| uWSGI    |       1024 |           1024–1024 |    0.250 |    1.000 |           1.0 |           2/16 |          16 |  **3** |          2.00 |

- one thing
- another`.trim(),
    )
  })

  it('shows no ratio when only peers were measured', () => {
    expect(renderRow({ ...load, lines: load.lines.slice(1) })).toMatch(/\*\*3\*\* \| {15}\|\n/)
  })

  it('shows values as they are', () => {
    expect(renderRow(values)).toBe(
      `
## start-up: first answer

| server        |  median |
|---------------|--------:|
| polywsgi, Lua | 0.100 s |`.trim(),
    )
  })
})

describe('renderVerdicts', () => {
  it('tells for each bar what was wanted, what was measured, and whether it is met', () => {
    const text = renderVerdicts([load, values]).replaceAll(/ +/g, ' ')
    expect(text.split('\n').slice(2)).toEqual([
      '| hello over HTTP keep-alive, to uWSGI | hello-http-lua | at least 1 | 2.00 | met |',
      '| failed requests | hello-http-lua | at most 0 | 4 | **not met** |',
      '| command to first answer, Lua alone | start-up, Lua | at most 0.4 s | 0.100 s | met |',
      '| memory above the start | stream-up-lua | at most 64 MB | 70.3 MB | **not met** |',
    ])
  })

  it('says so when there is none', () => {
    expect(renderVerdicts([{ ...load, verdicts: [] }])).toBe('No bar was measured.')
  })
})

describe('renderResults', () => {
  const text = renderResults({
    date: new Date('2026-11-21T12:00:00Z'),
    environment: [
      ['commit', 'abc'],
      ['processor', 'fast, 2 cores'],
    ],
    loadAverages: [0.1, 2],
    rows: [load, values],
    skipped: [{ name: 'hello-nginx-lua', reason: 'missing: nginx' }],
    failed: [{ name: 'cpu-lua', reason: 'wrong answer' }],
  })

  it('carries date, commit, machine and load, then the bars, then every row', () => {
    expect(text).toContain('- date: 2026-11-21\n- commit: abc\n- processor: fast, 2 cores\n')
    expect(text).toContain('before: 0.10, after: 2.00')
    const headings = [...text.matchAll(/^## (\S+)/gm)].map((match) => match[1])
    expect(headings).toEqual(['Bars', 'hello-http-lua:', 'start-up:', 'Skipped', 'Failed'])
  })

  it('names the rows that gave no figures, and why', () => {
    expect(text).toContain('## Skipped\n\n- hello-nginx-lua: missing: nginx\n')
    expect(text).toContain('## Failed\n\n- cpu-lua: wrong answer\n')
  })
})

describe('table', () => {
  it('escapes what would end a cell', () => {
    expect(table(['a', 'b'], [['x|y', '1']])).toContain('| x\\|y |')
  })

  it('puts words to the left and figures to the right', () => {
    const lines = table(['name', 'state', 'figure'], [['a', 'good', '1']]).split('\n')
    expect(lines[1]).toBe('|------|-------|-------:|')
    expect(lines[2]).toBe('| a    | good  |      1 |')
  })
})
