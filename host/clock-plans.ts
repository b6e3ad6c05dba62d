// Timers, cron jobs and file monitors of the configuration: their texts as values, checked.

import { type CronFields, cronFieldFault, cronFieldNames } from './api/cron-fields.ts'
import type { Settings } from './config/index.ts'
import { ConfigError } from './errors.ts'
import type { FileMonitorPlan } from './master/file-monitors.ts'
import { type CronPlan, maxClocks, type SchedulePlans, type TimerPlan } from './master/scheduler.ts'

export interface ClockPlans extends SchedulePlans {
  readonly fileMonitors: readonly FileMonitorPlan[]
}

/** @throws ConfigError naming the option and its text */
export const planClocks = (settings: Pick<Settings, 'timer' | 'rbtimer' | 'cron' | 'uniqueCron' | 'fsSignal'>): ClockPlans => {
  const plans: ClockPlans = {
    timers: settings.timer.map((text) => timerPlan('timer', text)),
    rbTimers: settings.rbtimer.map((text) => timerPlan('rbtimer', text)),
    crons: [
      ...settings.cron.map((text) => cronPlan('cron', text, false)),
      ...settings.uniqueCron.map((text) => cronPlan('unique-cron', text, true)),
    ],
    fileMonitors: settings.fsSignal.map(fileMonitorPlan),
  }
  const options = { timer: plans.timers, rbtimer: plans.rbTimers, cron: plans.crons, 'fs-signal': plans.fileMonitors }
  for (const [option, list] of Object.entries(options))
    if (list.length > maxClocks)
      throw new ConfigError('CONFIG_BAD_VALUE', `${option}: there may be ${maxClocks}, not ${list.length}`)
  return plans
}

const bad = (option: string, text: string, problem: string): ConfigError =>
  new ConfigError('CONFIG_BAD_VALUE', `${option} = ${text}: ${problem}`)

const signumOf = (option: string, text: string, word: string): number => {
  const signum = /^[0-9]+$/.test(word) ? Number(word) : Number.NaN
  if (!(signum <= 255)) throw bad(option, text, `'${word}' is no signal, which is a number from 0 to 255`)
  return signum
}

const timerPlan = (option: string, text: string): TimerPlan => {
  const words = text.trim().split(/\s+/)
  if (words.length !== 2) throw bad(option, text, 'it must be a signal and a number of seconds: 1 60')
  const [signum, seconds] = words as [string, string]
  if (!/^[0-9]+$/.test(seconds)) throw bad(option, text, `'${seconds}' is no whole number of seconds`)
  return { signum: signumOf(option, text, signum), seconds: Number(seconds) }
}

/** The signal is the last word: a path may have blanks. */
const fileMonitorPlan = (text: string): FileMonitorPlan => {
  const match = /^(.*\S)\s+(\S+)$/.exec(text.trim())
  if (match === null) throw bad('fs-signal', text, 'it must be a path and a signal: /etc/app.conf 1')
  return { path: match[1] as string, signum: signumOf('fs-signal', text, match[2] as string) }
}

const cronPlan = (option: string, text: string, isUnique: boolean): CronPlan => {
  const match = /^\s*(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S.*?)\s*$/s.exec(text)
  if (match === null) throw bad(option, text, 'it must be five numbers and a command: 30 2 -1 -1 -1 /usr/bin/backup')
  const fields = cronFieldNames.map((name, index) => {
    const word = match[index + 1] as string
    if (!/^-?[0-9]+$/.test(word)) throw bad(option, text, `'${word}' is no ${name}: a number, -1 for any, -N for every Nth`)
    const fault = cronFieldFault(name, Number(word))
    if (fault !== undefined) throw bad(option, text, fault)
    return Number(word)
  })
  return { fields: fields as unknown as CronFields, command: match[6] as string, isUnique }
}
