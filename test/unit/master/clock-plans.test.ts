// Timers, cron jobs and file monitors of the configuration: what their texts mean and which are refused.
import { describe, expect, it } from 'vitest'
import { planClocks } from '../../../host/clock-plans.ts'
import { ConfigError } from '../../../host/errors.ts'

const none = { timer: [], rbtimer: [], cron: [], uniqueCron: [], fsSignal: [] }

describe('clocks of the configuration', () => {
  it('are read from their texts', () => {
    const plans = planClocks({
      timer: ['1 60', ' 255\t0 '],
      rbtimer: ['2 5'],
      cron: ['30 2 -1 -1 7   tar cf /backup.tar "a  b" '],
      uniqueCron: ['-5 -1 1 12 -1 true'],
      fsSignal: ['/etc/app.conf 3', '/srv/my files/a b 4'],
    })
    expect(plans).toEqual({
      timers: [
        { signum: 1, seconds: 60 },
        { signum: 255, seconds: 0 },
      ],
      rbTimers: [{ signum: 2, seconds: 5 }],
      crons: [
        { fields: [30, 2, -1, -1, 7], command: 'tar cf /backup.tar "a  b"', isUnique: false },
        { fields: [-5, -1, 1, 12, -1], command: 'true', isUnique: true },
      ],
      fileMonitors: [
        { path: '/etc/app.conf', signum: 3 },
        { path: '/srv/my files/a b', signum: 4 },
      ],
    })
  })

  it.each([
    ['timer', 'timer', '1', 'timer = 1: it must be a signal and a number of seconds: 1 60'],
    ['timer', 'timer', '1 2 3', 'timer = 1 2 3: it must be a signal and a number of seconds: 1 60'],
    ['timer', 'timer', '256 1', "timer = 256 1: '256' is no signal, which is a number from 0 to 255"],
    ['timer', 'timer', '-1 1', "timer = -1 1: '-1' is no signal, which is a number from 0 to 255"],
    ['rbtimer', 'rbtimer', '1 -5', "rbtimer = 1 -5: '-5' is no whole number of seconds"],
    ['rbtimer', 'rbtimer', '1 1.5', "rbtimer = 1 1.5: '1.5' is no whole number of seconds"],
    ['cron', 'cron', '1 2 3 4 5', 'cron = 1 2 3 4 5: it must be five numbers and a command: 30 2 -1 -1 -1 /usr/bin/backup'],
    ['cron', 'cron', '1 * 3 4 5 x', "cron = 1 * 3 4 5 x: '*' is no hour: a number, -1 for any, -N for every Nth"],
    ['unique-cron', 'uniqueCron', '60 1 1 1 1 x', "unique-cron = 60 1 1 1 1 x: 'minute' must be from -59 to 59, not 60"],
    ['fs-signal', 'fsSignal', '/etc/app.conf', 'fs-signal = /etc/app.conf: it must be a path and a signal: /etc/app.conf 1'],
    ['fs-signal', 'fsSignal', '/etc/a x', "fs-signal = /etc/a x: 'x' is no signal, which is a number from 0 to 255"],
  ])('%s: a bad text of %s is refused: %s', (_, setting, text, message) => {
    const plan = () => planClocks({ ...none, [setting]: [text] })
    expect(plan).toThrow(ConfigError)
    expect(plan).toThrow(message)
  })

  it('end at 64 of a kind', () => {
    const timers = Array.from({ length: 65 }, (_, n) => `${n} 1`)
    expect(() => planClocks({ ...none, timer: timers })).toThrow('timer: there may be 64, not 65')
    expect(planClocks({ ...none, timer: timers.slice(1) }).timers).toHaveLength(64)
  })
})
