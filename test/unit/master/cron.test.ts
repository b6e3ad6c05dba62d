// When a cron job is due, field by field; and what its command does.
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type CronFields, cronFieldFault } from '../../../host/api/cron-fields.ts'
import { cronMatches, localTime } from '../../../host/master/cron.ts'
import { runCommand } from '../../../host/master/cron-command.ts'

/** Wednesday, 30 December, 06:45. */
const wednesday = { minute: 45, hour: 6, day: 30, month: 12, week: 3 }
const sunday = { minute: 0, hour: 0, day: 4, month: 1, week: 0 }

describe('a cron job', () => {
  const table: [CronFields, typeof wednesday, boolean, string][] = [
    [[-1, -1, -1, -1, -1], wednesday, true, 'any time'],
    [[45, 6, 30, 12, -1], wednesday, true, 'the very moment'],
    [[44, -1, -1, -1, -1], wednesday, false, 'another minute'],
    [[-1, 7, -1, -1, -1], wednesday, false, 'another hour'],
    [[-1, -1, 29, -1, -1], wednesday, false, 'another day'],
    [[-1, -1, -1, 11, -1], wednesday, false, 'another month'],
    [[-1, -1, -1, -1, 4], wednesday, false, 'another weekday'],
    [[-15, -1, -1, -1, -1], wednesday, true, 'a minute that 15 divides'],
    [[-2, -1, -1, -1, -1], wednesday, false, 'an odd minute for -2'],
    [[-2, -1, -1, -1, -1], sunday, true, 'minute 0, which every number divides'],
    [[-1, -3, -1, -1, -1], wednesday, true, 'an hour that 3 divides'],
    [[-1, -1, -7, -1, -1], wednesday, false, 'a day that 7 does not divide'],
    [[-1, -1, -1, -6, -1], wednesday, true, 'a month that 6 divides'],
    [[-1, -1, -1, -1, -3], wednesday, true, 'a weekday that 3 divides'],
    [[-1, -1, -1, -1, 0], sunday, true, 'Sunday as 0'],
    [[-1, -1, -1, -1, 7], sunday, true, 'Sunday as 7'],
    [[-1, -1, -1, -1, 7], wednesday, false, 'Sunday as 7 on another day'],
    [[-1, -1, 30, -1, 5], wednesday, true, 'the day of the month, when a weekday is named too'],
    [[-1, -1, 1, -1, 3], wednesday, true, 'the weekday, when a day of the month is named too'],
    [[-1, -1, 1, -1, 5], wednesday, false, 'neither of the two'],
    [[-1, -1, -30, -1, 5], wednesday, false, 'a divided day and another weekday: both must fit'],
    [[-1, -1, -30, -1, 3], wednesday, true, 'a divided day and the weekday'],
    [[0, -1, 30, -1, 3], wednesday, false, 'day and weekday, but another minute'],
  ]
  it.each(table)('%j at %j: %s (%s)', (fields, time, due) => {
    expect(cronMatches(fields, time)).toBe(due)
  })

  it('goes by the time zone of the process', () => {
    const date = new Date(2026, 11, 30, 6, 45, 59)
    expect(localTime(date.getTime())).toEqual(wednesday)
    expect(localTime(new Date(2026, 0, 4).getTime())).toEqual(sunday)
  })

  it.each([
    ['minute', 60, "'minute' must be from -59 to 59, not 60"],
    ['hour', 24, "'hour' must be from -23 to 23, not 24"],
    ['day', 0, "'day' must be from -31 to -1 or from 1 to 31, not 0"],
    ['day', 32, "'day' must be from -31 to -1 or from 1 to 31, not 32"],
    ['month', 0, "'month' must be from -12 to -1 or from 1 to 12, not 0"],
    ['week', 8, "'week' must be from -7 to 7, not 8"],
    ['minute', 0, undefined],
    ['week', 7, undefined],
    ['month', -12, undefined],
  ] as const)('with %s %i: %s', (name, value, fault) => {
    expect(cronFieldFault(name, value)).toBe(fault)
  })
})

describe('the command of a cron job', () => {
  it('runs in a shell, prints to the log, and its end is told whatever its exit code', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'polywsgi-cron-'))
    try {
      const log = join(directory, 'log')
      const fd = openSync(log, 'a')
      const { pid, ended } = runCommand('echo out $((6 * 7)); echo err >&2; exit 3', fd)
      expect(pid).toBeGreaterThan(0)
      expect(await ended).toBeUndefined()
      expect(readFileSync(log, 'utf8')).toBe('out 42\nerr\n')
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})

describe('the command of a cron job that takes too long', () => {
  it('is killed with all that it has started, and that is told', async () => {
    const killed: number[] = []
    const limit = { harakiriMs: 200, onHarakiri: (overran: number) => void killed.push(overran) }
    const fd = openSync('/dev/null', 'a')
    const { pid, ended } = runCommand('sleep 1000 & echo $!; wait', fd, limit)
    expect(await ended).toBeUndefined()
    expect(killed).toEqual([pid])
    // The whole group is gone: nobody is left to get a signal.
    await expect.poll(() => groupLives(pid as number), { timeout: 30_000 }).toBe(false)
  })

  it('is left alone when it ends in time', async () => {
    const limit = { harakiriMs: 60_000, onHarakiri: () => expect.unreachable('it was in time') }
    expect(await runCommand('true', openSync('/dev/null', 'a'), limit).ended).toBeUndefined()
  })
})

const groupLives = (group: number): boolean => {
  try {
    process.kill(-group, 0)
    return true
  } catch {
    return false
  }
}
