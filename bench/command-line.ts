// The benchmark's own options. Pure: it knows the row names only as an argument, so that it can be tested without any server.
import { parseArgs } from 'node:util'

export interface Settings {
  /** Rows to run, in their fixed order. */
  readonly rows: readonly string[]
  /** How often each target is measured, in alternation. */
  readonly rounds: number
  /** Length of one load run. */
  readonly seconds: number
  /** One short round: shows that everything works, measures little. */
  readonly quick: boolean
  /** Write bench/RESULTS.md; every peer program is then required. */
  readonly write: boolean
  /** Measure only the other servers: a baseline of the machine that needs no build of polywsgi. */
  readonly peersOnly: boolean
}

export class UsageError extends Error {}

export const usage = `npm run bench -- [--only NAME[,NAME]] [--rounds N] [--seconds N] [--quick] [--write] [--peers-only] [--list]
  --only        rows to run; a name also stands for all rows that start with it ("hello" for "hello-http-python" and others)
  --rounds      measurements of each target, in alternation (5)
  --seconds     length of one load run (3)
  --quick       one round of one second each: a trial, not a measurement
  --write       write bench/RESULTS.md; every peer program must be there
  --peers-only  measure only the servers polywsgi is compared with
  --list        print the names of the rows`

/** Reads the arguments. Throws a UsageError that names the argument. `'list'` and `'help'` ask for text only. */
export function readCommandLine(args: readonly string[], rowNames: readonly string[]): Settings | 'list' | 'help' {
  const values = parse(args)
  if (values.help === true) return 'help'
  if (values.list === true) return 'list'
  const quick = values.quick ?? false
  const write = values.write ?? false
  const peersOnly = values['peers-only'] ?? false
  if (write && peersOnly) throw new UsageError('--write needs both sides: it cannot be combined with --peers-only')
  if (write && quick) throw new UsageError('--write records a measurement: it cannot be combined with --quick')
  return {
    rows: values.only === undefined ? rowNames : chooseRows(values.only, rowNames),
    rounds: count('--rounds', values.rounds, quick ? 1 : 5, 100),
    seconds: count('--seconds', values.seconds, quick ? 1 : 3, 3600),
    quick,
    write,
    peersOnly,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: 'string' },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        quick: { type: 'boolean' },
        write: { type: 'boolean' },
        'peers-only': { type: 'boolean' },
        list: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function chooseRows(only: string, rowNames: readonly string[]): string[] {
  const wanted = only.split(',').map((name) => name.trim())
  for (const name of wanted) {
    if (!rowNames.some((row) => isChosen(row, name))) {
      throw new UsageError(`--only: no row is called "${name}"; there are ${rowNames.join(', ')}`)
    }
  }
  return rowNames.filter((row) => wanted.some((name) => isChosen(row, name)))
}

function isChosen(row: string, name: string): boolean {
  return row === name || (name !== '' && row.startsWith(`${name}-`))
}

function count(option: string, text: string | undefined, fallback: number, most: number): number {
  if (text === undefined) return fallback
  const value = /^\d+$/.test(text) ? Number(text) : 0
  if (value < 1 || value > most) throw new UsageError(`${option}: "${text}" is not a whole number from 1 to ${most}`)
  return value
}
