// Which alarms a configuration asks for: `--alarm`, `--log-alarm` and `--not-log-alarm` as plans, checked as a whole, so that
// nothing about an alarm is found wrong only when it is raised.
import type { Settings } from './config/index.ts'
import { ConfigError } from './errors.ts'
import type { LogAlarmPlan } from './log/log-alarms.ts'
import type { AlarmDelivery, AlarmPlan, AlarmPlans } from './master/alarms.ts'
import type { FarmPlan } from './worker/messages.ts'

export type { AlarmPlans } from './master/alarms.ts'

type Reader = (argument: string, name: string, place: Place) => AlarmDelivery

interface Place {
  readonly mules: number
  readonly farms: readonly FarmPlan[]
  refuse(why: string): never
}

const readers: Readonly<Record<AlarmDelivery['kind'], Reader>> = {
  log: (argument, name) => ({ kind: 'log', label: argument === '' ? name : argument }),
  cmd: (argument, _, place) => (argument === '' ? place.refuse('cmd: needs a command') : { kind: 'cmd', command: argument }),
  signal: (argument, _, place) => {
    if (!/^\d{1,3}$/.test(argument) || Number(argument) > 255) place.refuse('signal: needs a number from 0 to 255')
    return { kind: 'signal', signum: Number(argument) }
  },
  mule: (argument, _, place) => {
    const { mules, farms } = place
    if (mules === 0) place.refuse('no mule is configured')
    if (/^\d+$/.test(argument)) {
      if (Number(argument) > mules) place.refuse(`there is no mule ${argument}: they are numbered from 1 to ${mules}`)
      return { kind: 'mule', target: Number(argument) }
    }
    if (argument === '') place.refuse('mule: needs the number of a mule, or the name of a farm')
    if (!farms.some((farm) => farm.name === argument)) place.refuse(`there is no farm '${argument}'`)
    return { kind: 'mule', target: argument }
  },
  http: (argument, _, place) => {
    // `http:` may be the kind, or the beginning of the URL that is its argument.
    const url = /^https?:\/\//.test(argument) ? argument : `http:${argument}`
    const parsed = /^https?:\/\//.test(url) && URL.canParse(url) ? new URL(url) : undefined
    if (parsed === undefined) return place.refuse(`'${argument}' is no URL of http or https`)
    if (parsed.username !== '' || parsed.password !== '') place.refuse('the URL may not have a user and password in it')
    return { kind: 'http', url }
  },
}

type AlarmSettings = Pick<Settings, 'alarm' | 'logAlarm' | 'notLogAlarm' | 'alarmFreq' | 'alarmMsgSize'>

/** The mules and farms that alarms may be meant for. */
interface World {
  readonly mules: number
  readonly farms: readonly FarmPlan[]
}

/**
 * @throws ConfigError for an alarm that is not `NAME KIND:ARGUMENTS`, of an unknown kind, with a name that is taken or bad
 *   arguments; for a log alarm that is not `ALARMS REGEXP`, names an alarm that is not defined, or has a pattern that is none
 */
export const planAlarms = (settings: AlarmSettings, world: World): AlarmPlans => {
  const alarms = alarmsOf(settings.alarm, world)
  const logAlarms = [
    ...settings.logAlarm.map((text) => logAlarm('log-alarm', text, alarms, false)),
    ...settings.notLogAlarm.map((text) => logAlarm('not-log-alarm', text, alarms, true)),
  ]
  return { alarms, logAlarms, freqMs: settings.alarmFreq * 1000, maxBytes: settings.alarmMsgSize }
}

const alarmsOf = (texts: readonly string[], world: World): AlarmPlan[] => {
  const plans: AlarmPlan[] = []
  for (const text of texts) {
    const refuse = (why: string): never => {
      throw new ConfigError('CONFIG_BAD_VALUE', `alarm = ${text}: ${why}`)
    }
    const match = /^\s*(\S+)\s+([^\s:]+):(.*)$/s.exec(text)
    if (match === null) return refuse("write NAME KIND:ARGUMENTS, as in 'admin cmd:mail -s alarm admin'")
    const [, name = '', kind = '', argument = ''] = match
    // It becomes a header's value, and several are told apart by commas.
    if (!/^[!-+\--~]+$/.test(name)) refuse(`the name '${name}' may have letters, digits and signs of ASCII but no comma`)
    if (plans.some((plan) => plan.name === name)) refuse(`there is an alarm '${name}' already`)
    const isUrl = kind === 'https' && argument.startsWith('//')
    const reader = isUrl ? readers.http : Object.hasOwn(readers, kind) ? readers[kind as AlarmDelivery['kind']] : undefined
    if (reader === undefined)
      return refuse(`there is no alarm of kind '${kind}': the kinds are ${Object.keys(readers).join(', ')}`)
    const trimmed = (isUrl ? `https:${argument}` : argument).trim()
    plans.push({ name, delivery: reader(trimmed, name, { ...world, refuse }) })
  }
  return plans
}

const logAlarm = (option: string, text: string, alarms: readonly AlarmPlan[], isExclusion: boolean): LogAlarmPlan => {
  const refuse = (why: string): never => {
    throw new ConfigError('CONFIG_BAD_VALUE', `${option} = ${text}: ${why}`)
  }
  const match = /^\s*(\S+)\s+(\S.*)$/s.exec(text)
  if (match === null) return refuse("write ALARMS REGEXP, as in 'admin,disk no space left'")
  const [, list = '', source = ''] = match
  const names = list.split(',')
  for (const name of names) {
    if (alarms.some((alarm) => alarm.name === name)) continue
    const known = alarms.length === 0 ? 'none is' : `those that are: ${alarms.map((alarm) => alarm.name).join(', ')}`
    refuse(`no alarm '${name}' is defined, ${known}`)
  }
  try {
    return { alarms: names, pattern: new RegExp(source), isExclusion }
  } catch (error) {
    return refuse(`it is no regular expression: ${(error as Error).message}`)
  }
}
