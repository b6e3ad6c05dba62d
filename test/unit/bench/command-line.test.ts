// The benchmark's options: defaults, choices of rows, and the refusals by their text.
import { describe, expect, it } from 'vitest'
import { readCommandLine, UsageError } from '../../../bench/command-line.ts'

const rows = ['hello-http-python', 'hello-http-lua', 'hello-nginx-lua', 'start-up']

describe('readCommandLine', () => {
  it('runs every row, several rounds of several seconds, unless told otherwise', () => {
    expect(readCommandLine([], rows)).toEqual({ rows, rounds: 5, seconds: 3, quick: false, write: false, peersOnly: false })
  })

  it('makes a quick run one round of one second, and lets the numbers be set all the same', () => {
    expect(readCommandLine(['--quick'], rows)).toMatchObject({ rounds: 1, seconds: 1, quick: true })
    expect(readCommandLine(['--quick', '--rounds', '2'], rows)).toMatchObject({ rounds: 2, seconds: 1 })
  })

  it('takes rows by name and by the start of their names, in the fixed order', () => {
    expect(readCommandLine(['--only', 'start-up,hello-http'], rows)).toMatchObject({
      rows: ['hello-http-python', 'hello-http-lua', 'start-up'],
    })
    expect(readCommandLine(['--only', 'hello-http-lua'], rows)).toMatchObject({ rows: ['hello-http-lua'] })
  })

  it('answers --list and --help before anything else', () => {
    expect(readCommandLine(['--list', '--only', 'nothing'], rows)).toBe('list')
    expect(readCommandLine(['-h', '--rounds', '0'], rows)).toBe('help')
  })

  it.each([
    [['--only', 'hello-htt'], '--only: no row is called "hello-htt"; there are hello-http-python, hello-http-lua'],
    [['--only', 'start-up,'], '--only: no row is called ""'],
    [['--rounds', '0'], '--rounds: "0" is not a whole number from 1 to 100'],
    [['--rounds', '101'], '--rounds: "101" is not a whole number from 1 to 100'],
    [['--seconds', '1.5'], '--seconds: "1.5" is not a whole number from 1 to 3600'],
    [['--seconds', '1e2'], '--seconds: "1e2" is not a whole number from 1 to 3600'],
    [['--write', '--peers-only'], '--write needs both sides'],
    [['--write', '--quick'], '--write records a measurement'],
    [['--rouns', '3'], "Unknown option '--rouns'"],
    [['everything'], "Unexpected argument 'everything'"],
  ])('refuses %j', (args, text) => {
    expect(() => readCommandLine(args, rows)).toThrow(UsageError)
    expect(() => readCommandLine(args, rows)).toThrow(text)
  })
})
