// Timers and cron on a clock that the test moves: when they fire, how often, and that what threads repeat counts once.
import { describe, expect, it } from 'vitest'
import { ApiError } from '../../../host/errors.ts'
import type { LocalTime } from '../../../host/master/cron.ts'
import type { RunningCommand } from '../../../host/master/cron-command.ts'
import { Scheduler } from '../../../host/master/scheduler.ts'
import { FakeClock } from './fake-clock.ts'

const serving = { whileLoading: false, ordinal: 0 }
const loading = (ordinal = 0) => ({ whileLoading: true, ordinal })

/** Local time of a zone, whatever the zone of the machine. */
const timeIn = (timeZone: string) => {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    minute: 'numeric',
    hour: 'numeric',
    day: 'numeric',
    month: 'numeric',
    weekday: 'short',
  })
  return (epochMs: number): LocalTime => {
    const parts = new Map(format.formatToParts(epochMs).map(({ type, value }) => [type, value]))
    const number = (name: Intl.DateTimeFormatPartTypes): number => Number(parts.get(name))
    const week = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'].indexOf(parts.get('weekday') as string)
    return { minute: number('minute'), hour: number('hour'), day: number('day'), month: number('month'), week }
  }
}

const create = ({ now = '2026-03-02T12:00:30Z', timeZone = 'UTC', started = true } = {}) => {
  const clock = new FakeClock(Date.parse(now))
  const beginning = clock.now()
  /** `signum@seconds` since the beginning. */
  const fired: string[] = []
  const lines: string[] = []
  const commands: { command: string; end: (error?: Error) => void }[] = []
  const scheduler = new Scheduler({
    clock,
    raise: (signum) => void fired.push(`${signum}@${(clock.now() - beginning) / 1000}`),
    run: (command): RunningCommand => {
      const { promise, resolve } = Promise.withResolvers<Error | undefined>()
      commands.push({ command, end: (error) => resolve(error) })
      return { pid: 100 + commands.length, ended: promise }
    },
    log: (line) => void lines.push(line),
    localTime: timeIn(timeZone),
  })
  if (started) scheduler.start()
  return { clock, scheduler, fired, lines, commands }
}

describe('a timer', () => {
  it('fires after its period, and then every period', () => {
    const { clock, scheduler, fired } = create()
    scheduler.addTimer({ signum: 1, seconds: 2, registration: serving })
    clock.advance(1999)
    expect(fired).toEqual([])
    clock.advance(4001)
    expect(fired).toEqual(['1@2', '1@4', '1@6'])
  })

  it('may have a period of milliseconds', () => {
    const { clock, scheduler, fired } = create()
    scheduler.addTimer({ signum: 1, seconds: 0.25, registration: serving })
    clock.advance(1000)
    expect(fired).toEqual(['1@0.25', '1@0.5', '1@0.75', '1@1'])
  })

  it('of 0 seconds never fires, and costs no wake-up', () => {
    const { clock, scheduler, fired } = create()
    scheduler.addTimer({ signum: 1, seconds: 0, registration: serving })
    expect(clock.waiting).toBe(0)
    clock.advance(100_000)
    expect(fired).toEqual([])
  })

  it('that missed its times fires once, and keeps its beat', () => {
    const { clock, scheduler, fired } = create()
    scheduler.addTimer({ signum: 1, seconds: 10, registration: serving })
    clock.stall(35_000)
    clock.advance(20_000)
    expect(fired).toEqual(['1@35', '1@40', '1@50'])
  })

  it('goes by a clock that nobody sets', () => {
    const { clock, scheduler, fired } = create()
    scheduler.addTimer({ signum: 1, seconds: 10, registration: serving })
    clock.setNow(0)
    clock.advance(9999)
    expect(fired).toEqual([])
    clock.advance(1)
    expect(fired).toHaveLength(1)
  })

  it('of longer than a month fires', () => {
    const { clock, scheduler, fired } = create()
    scheduler.addTimer({ signum: 1, seconds: 4_000_000, registration: serving })
    clock.advance(4_000_000_000)
    expect(fired).toEqual(['1@4000000'])
  })

  it('takes its turn among others by time', () => {
    const { clock, scheduler, fired } = create()
    scheduler.addTimer({ signum: 3, seconds: 3, registration: serving })
    scheduler.addRbTimer({ signum: 2, milliseconds: 2000, iterations: 1, registration: serving })
    scheduler.addTimer({ signum: 1, seconds: 1, registration: serving })
    clock.stall(3500)
    clock.advance(0)
    expect(fired.map((text) => text[0])).toEqual(['1', '2', '3'])
  })

  it('waits for the start, from which its period counts', () => {
    const { clock, scheduler, fired } = create({ started: false })
    scheduler.addTimer({ signum: 1, seconds: 2, registration: loading() })
    clock.advance(5000)
    expect(fired).toEqual([])
    scheduler.start()
    clock.advance(2000)
    expect(fired).toEqual(['1@7'])
  })

  it('is over with the close', () => {
    const { clock, scheduler, fired } = create()
    scheduler.addTimer({ signum: 1, seconds: 2, registration: serving })
    scheduler.close()
    expect(clock.waiting).toBe(0)
    clock.advance(5000)
    expect(fired).toEqual([])
  })
})

describe('a timer with iterations', () => {
  it('fires so many times', () => {
    const { clock, scheduler, fired } = create()
    scheduler.addRbTimer({ signum: 1, milliseconds: 1500, iterations: 3, registration: serving })
    clock.advance(60_000)
    expect(fired).toEqual(['1@1.5', '1@3', '1@4.5'])
    expect(clock.waiting).toBe(0)
  })

  it('of 0 iterations fires for ever', () => {
    const { clock, scheduler, fired } = create()
    scheduler.addRbTimer({ signum: 1, milliseconds: 1000, iterations: 0, registration: serving })
    clock.advance(100_000)
    expect(fired).toHaveLength(100)
  })

  it('without a period fires at once', () => {
    const { clock, scheduler, fired } = create()
    scheduler.addRbTimer({ signum: 1, milliseconds: 0, iterations: 2, registration: serving })
    clock.advance(0)
    expect(fired).toEqual(['1@0', '1@0'])
    clock.advance(10_000)
    expect(fired).toHaveLength(2)
  })

  it('with neither period nor end fires at once and then each second', () => {
    const { clock, scheduler, fired } = create()
    scheduler.addRbTimer({ signum: 1, milliseconds: 0, iterations: 0, registration: serving })
    clock.advance(2500)
    expect(fired).toEqual(['1@0', '1@1', '1@2'])
  })
})

describe('registrations', () => {
  const make = (scheduler: Scheduler, registration: { whileLoading: boolean; ordinal: number }): void => {
    scheduler.addTimer({ signum: 1, seconds: 1, registration })
    scheduler.addRbTimer({ signum: 2, milliseconds: 1000, iterations: 1, registration })
    scheduler.addCron({ signum: 3, fields: [-1, -1, -1, -1, -1], registration })
  }

  it('made while loading count once, whatever number of threads, respawns and reloads repeat them', () => {
    const { clock, scheduler, fired } = create({ started: false })
    for (let thread = 0; thread < 5; thread += 1) make(scheduler, loading())
    scheduler.start()
    clock.advance(1000)
    expect(fired.sort()).toEqual(['1@1', '2@1', '3@0'])
    // A respawn, after the one with an end has fired for the last time.
    make(scheduler, loading())
    scheduler.reloadStarted()
    make(scheduler, loading())
    scheduler.reloadFinished()
    fired.length = 0
    clock.advance(1000)
    expect(fired).toEqual(['1@2'])
  })

  it('made several times by one app count as often', () => {
    const { clock, scheduler, fired } = create()
    for (let thread = 0; thread < 3; thread += 1) for (const ordinal of [0, 1]) make(scheduler, loading(ordinal))
    fired.length = 0
    clock.advance(1000)
    expect(fired.sort()).toEqual(['1@1', '1@1', '2@1', '2@1'])
  })

  it('of other arguments are others', () => {
    const { clock, scheduler, fired } = create()
    scheduler.addTimer({ signum: 1, seconds: 1, registration: loading() })
    scheduler.addTimer({ signum: 2, seconds: 1, registration: loading() })
    scheduler.addTimer({ signum: 1, seconds: 2, registration: loading() })
    scheduler.addRbTimer({ signum: 1, milliseconds: 1, iterations: 1, registration: loading() })
    clock.advance(2000)
    expect(fired.sort()).toEqual(['1@0.001', '1@1', '1@2', '1@2', '2@1', '2@2'])
  })

  it('made while serving always count', () => {
    const { clock, scheduler, fired } = create()
    for (let time = 0; time < 3; time += 1) scheduler.addTimer({ signum: 1, seconds: 1, registration: serving })
    clock.advance(1000)
    expect(fired).toHaveLength(3)
  })

  it('that the apps do not make any more end with the reload, not before it has come through', () => {
    const { clock, scheduler, fired } = create()
    make(scheduler, loading())
    scheduler.addTimer({ signum: 9, seconds: 1, registration: serving })
    scheduler.reloadStarted()
    scheduler.addTimer({ signum: 1, seconds: 1, registration: loading() })
    fired.length = 0
    clock.advance(1000)
    expect(fired.sort()).toEqual(['1@1', '2@1', '9@1'])
    scheduler.reloadFinished()
    clock.advance(60_000)
    expect(fired.filter((text) => text.startsWith('3'))).toEqual([])
    expect(fired.filter((text) => text.startsWith('1'))).toHaveLength(61)
    expect(fired.filter((text) => text.startsWith('9'))).toHaveLength(61)
  })

  it.each<[string, (scheduler: Scheduler, n: number) => void, string]>([
    [
      'timer',
      (scheduler, n) => scheduler.addTimer({ signum: 1, seconds: 100 + n, registration: loading() }),
      'uwsgi.add_timer(): unable to add timer',
    ],
    [
      'timer with iterations',
      (scheduler, n) => scheduler.addRbTimer({ signum: 1, milliseconds: 1e6 + n, iterations: 0, registration: loading() }),
      'uwsgi.add_rb_timer(): unable to add rb_timer',
    ],
    [
      'cron job',
      (scheduler, n) => scheduler.addCron({ signum: n, fields: [0, 0, 1, 1, -1], registration: loading() }),
      'uwsgi.add_cron(): unable to add cron',
    ],
  ])('a 65th %s is refused, and the 64 stay', (_, add, message) => {
    const { scheduler } = create()
    for (let n = 0; n < 64; n += 1) add(scheduler, n)
    expect(() => add(scheduler, 64)).toThrow(`${message}: there are 64 already`)
    expect(() => add(scheduler, 64)).toThrow(ApiError)
    // What is there already is no new one.
    expect(() => add(scheduler, 63)).not.toThrow()
  })

  it('that have fired for the last time give their place back', () => {
    const { clock, scheduler, fired } = create()
    for (let time = 0; time < 200; time += 1) {
      scheduler.addRbTimer({ signum: 1, milliseconds: 10, iterations: 1, registration: serving })
      clock.advance(10)
    }
    expect(fired).toHaveLength(200)
  })
})

describe('cron', () => {
  const minutes = (fired: readonly string[]): number[] => fired.map((text) => Number(text.split('@')[1]) / 60)

  it('fires at the beginning of each minute that fits, and says so', () => {
    const { clock, scheduler, fired, lines } = create({ now: '2026-03-02T12:00:30Z' })
    scheduler.addCron({ signum: 1, fields: [-2, -1, -1, -1, -1], registration: serving })
    clock.advance(5 * 60_000)
    // At once, since 12:00 fits; then 12:02 and 12:04.
    expect(fired).toEqual(['1@0', '1@90', '1@210'])
    expect(lines[0]).toBe('[uwsgi-cron] routing signal 1')
  })

  it('fires once in a minute, however late in it the job came and however the clock is set back', () => {
    const { clock, scheduler, fired } = create({ now: '2026-03-02T12:00:30Z' })
    scheduler.addCron({ signum: 1, fields: [0, 12, -1, -1, -1], registration: serving })
    expect(fired).toEqual(['1@0'])
    clock.setNow(Date.parse('2026-03-02T12:00:00Z'))
    scheduler.addTimer({ signum: 2, seconds: 0.5, registration: serving })
    clock.advance(50_000)
    expect(fired.filter((text) => text.startsWith('1'))).toHaveLength(1)
  })

  it('waits for the start, and fires then when the minute fits', () => {
    const { clock, scheduler, fired } = create({ now: '2026-03-02T12:00:00Z', started: false })
    scheduler.addCron({ signum: 1, fields: [1, -1, -1, -1, -1], registration: loading() })
    clock.advance(70_000)
    expect(fired).toEqual([])
    scheduler.start()
    expect(fired).toEqual(['1@70'])
  })

  it('does not fire in the hour that is skipped when summer time begins', () => {
    // In Rome 02:00 becomes 03:00 on 29 March 2026.
    const { clock, scheduler, fired } = create({ now: '2026-03-28T23:00:00Z', timeZone: 'Europe/Rome' })
    scheduler.addCron({ signum: 1, fields: [30, 2, -1, -1, -1], registration: serving })
    scheduler.addCron({ signum: 2, fields: [30, 3, -1, -1, -1], registration: serving })
    clock.advance(12 * 3_600_000)
    expect(fired).toEqual([`2@${2.5 * 3600}`])
  })

  it('fires twice in the hour that comes twice when summer time ends', () => {
    // In Rome 03:00 becomes 02:00 on 25 October 2026.
    const { clock, scheduler, fired } = create({ now: '2026-10-24T22:00:00Z', timeZone: 'Europe/Rome' })
    scheduler.addCron({ signum: 1, fields: [30, 2, -1, -1, -1], registration: serving })
    clock.advance(12 * 3_600_000)
    expect(minutes(fired)).toEqual([150, 210])
  })

  it('runs commands, and tells when they end', async () => {
    const { clock, scheduler, lines, commands } = create({ now: '2026-03-02T12:00:00Z', started: false })
    scheduler.plan({ timers: [], rbTimers: [], crons: [{ fields: [-1, -1, -1, -1, -1], command: 'backup', isUnique: false }] })
    scheduler.start()
    clock.advance(60_000)
    expect(commands.map(({ command }) => command)).toEqual(['backup', 'backup'])
    commands[0]?.end()
    commands[1]?.end(new Error('no shell'))
    await Promise.resolve()
    expect(lines).toEqual([
      '[uwsgi-cron] running "backup" (pid 101)',
      '[uwsgi-cron] running "backup" (pid 102)',
      '[uwsgi-cron] command "backup" running with pid 101 exited after 60 second(s)',
      '[uwsgi-cron] unable to run "backup": no shell',
    ])
  })

  it('does not run a unique command while that of the last time runs', async () => {
    const { clock, scheduler, commands } = create({ now: '2026-03-02T12:00:00Z', started: false })
    scheduler.plan({ timers: [], rbTimers: [], crons: [{ fields: [-1, -1, -1, -1, -1], command: 'slow', isUnique: true }] })
    scheduler.start()
    clock.advance(180_000)
    expect(commands).toHaveLength(1)
    commands[0]?.end()
    await Promise.resolve()
    clock.advance(60_000)
    expect(commands).toHaveLength(2)
  })

  it('comes with the timers of the configuration', () => {
    const { clock, scheduler, fired } = create({ started: false })
    scheduler.plan({ timers: [{ signum: 1, seconds: 2 }], rbTimers: [{ signum: 2, seconds: 3 }], crons: [] })
    scheduler.start()
    clock.advance(6000)
    expect(fired).toEqual(['1@2', '2@3', '1@4', '1@6', '2@6'])
  })
})
