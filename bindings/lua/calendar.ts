// What `os.date` and `os.time` need from a C library: broken-down time in the process's time zone, and strftime in the C locale.
// `struct tm` lies in the interpreter's memory as musl lays it out: nine ints, then the offset from UTC in seconds.
// Invariant: years whose date JavaScript cannot represent never get here (guest/sandbox.lua refuses them first).

export interface BrokenDownTime {
  second: number
  minute: number
  hour: number
  /** Of the month, from 1. */
  day: number
  /** From 0. */
  month: number
  /** Since 1900. */
  year: number
  /** From Sunday, 0. */
  weekday: number
  /** From 0. */
  yearDay: number
  /** 1 in daylight saving time, 0 outside, -1 not known. */
  isDst: number
  /** Seconds east of UTC. */
  offset: number
}

const fields = ['second', 'minute', 'hour', 'day', 'month', 'year', 'weekday', 'yearDay', 'isDst', 'offset'] as const

export const readTime = (view: DataView, address: number): BrokenDownTime =>
  Object.fromEntries(fields.map((field, index) => [field, view.getInt32(address + 4 * index, true)])) as unknown as BrokenDownTime

export const writeTime = (view: DataView, address: number, time: BrokenDownTime): void => {
  for (const [index, field] of fields.entries()) view.setInt32(address + 4 * index, time[field], true)
}

const dayMs = 86_400_000
const daysBefore = (year: number, month: number, day: number): number =>
  Math.round((utc(year, month, day) - utc(year, 0, 1)) / dayMs)

// Date.UTC takes the years 0 to 99 for 1900 to 1999.
const utc = (year: number, month: number, day: number): number => new Date(0).setUTCFullYear(year, month, day)

export const utcTime = (seconds: number): BrokenDownTime => {
  const date = new Date(seconds * 1000)
  return {
    second: date.getUTCSeconds(),
    minute: date.getUTCMinutes(),
    hour: date.getUTCHours(),
    day: date.getUTCDate(),
    month: date.getUTCMonth(),
    year: date.getUTCFullYear() - 1900,
    weekday: date.getUTCDay(),
    yearDay: daysBefore(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()),
    isDst: 0,
    offset: 0,
  }
}

export const localTime = (seconds: number): BrokenDownTime => {
  const date = new Date(seconds * 1000)
  return {
    second: date.getSeconds(),
    minute: date.getMinutes(),
    hour: date.getHours(),
    day: date.getDate(),
    month: date.getMonth(),
    year: date.getFullYear() - 1900,
    weekday: date.getDay(),
    yearDay: daysBefore(date.getFullYear(), date.getMonth(), date.getDate()),
    isDst: isDst(date) ? 1 : 0,
    offset: -60 * date.getTimezoneOffset(),
  }
}

// getTimezoneOffset counts minutes west: the larger one of the year's two is standard time.
const standardOffset = (date: Date): number =>
  Math.max(...[0, 6].map((month) => new Date(date.getFullYear(), month, 1).getTimezoneOffset()))
const isDst = (date: Date): boolean => date.getTimezoneOffset() < standardOffset(date)

/** Seconds since the epoch of a local time whose fields may be out of range (`month = 14`); undefined beyond all years. */
export const secondsOf = (time: BrokenDownTime): number | undefined => {
  const date = new Date(2000, 0, 1)
  date.setFullYear(time.year + 1900, time.month, time.day)
  date.setHours(time.hour, time.minute, time.second)
  const seconds = date.getTime() / 1000
  if (Number.isNaN(seconds)) return undefined
  // Who says "in daylight saving time" of a winter day means the clock that is an hour ahead (C17, 7.27.2.3).
  if (time.isDst > 0 && !isDst(date)) return seconds - 3600
  if (time.isDst === 0 && isDst(date)) return seconds + 3600
  return seconds
}

const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const months = 'January February March April May June July August September October November December'.split(' ')

const padded = (value: number, width = 2, fill = '0'): string =>
  value < 0 ? `-${String(-value).padStart(width - 1, fill)}` : String(value).padStart(width, fill)
const hour12 = (time: BrokenDownTime): number => ((time.hour + 11) % 12) + 1

/** ISO 8601: the week belongs to the year that has its Thursday. */
const isoWeek = (time: BrokenDownTime): { year: number; week: number } => {
  const weekdayFromMonday = (time.weekday + 6) % 7
  const thursday = new Date(utc(time.year + 1900, 0, 1) + (time.yearDay - weekdayFromMonday + 3) * dayMs)
  const year = thursday.getUTCFullYear()
  return { year, week: Math.floor(Math.round((thursday.getTime() - utc(year, 0, 1)) / dayMs) / 7) + 1 }
}

const zoneName = (time: BrokenDownTime): string => {
  if (time.offset === 0) return 'UTC'
  const date = new Date(time.year + 1900, time.month, time.day, time.hour)
  const parts = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' }).formatToParts(date)
  return parts.find((part) => part.type === 'timeZoneName')?.value ?? ''
}

const offsetText = (seconds: number): string => {
  const minutes = Math.abs(seconds) / 60
  return `${seconds < 0 ? '-' : '+'}${padded(Math.floor(minutes / 60))}${padded(minutes % 60)}`
}

const conversions: Record<string, (time: BrokenDownTime) => string> = {
  a: (time) => (weekdays[time.weekday] ?? '?').slice(0, 3),
  A: (time) => weekdays[time.weekday] ?? '?',
  b: (time) => (months[time.month] ?? '?').slice(0, 3),
  B: (time) => months[time.month] ?? '?',
  c: (time) => strftime('%a %b %e %H:%M:%S %Y', time),
  C: (time) => padded(Math.floor((time.year + 1900) / 100)),
  d: (time) => padded(time.day),
  D: (time) => strftime('%m/%d/%y', time),
  e: (time) => padded(time.day, 2, ' '),
  F: (time) => strftime('%Y-%m-%d', time),
  g: (time) => padded(((isoWeek(time).year % 100) + 100) % 100),
  G: (time) => String(isoWeek(time).year),
  h: (time) => strftime('%b', time),
  H: (time) => padded(time.hour),
  I: (time) => padded(hour12(time)),
  j: (time) => padded(time.yearDay + 1, 3),
  m: (time) => padded(time.month + 1),
  M: (time) => padded(time.minute),
  n: () => '\n',
  p: (time) => (time.hour < 12 ? 'AM' : 'PM'),
  r: (time) => strftime('%I:%M:%S %p', time),
  R: (time) => strftime('%H:%M', time),
  S: (time) => padded(time.second),
  t: () => '\t',
  T: (time) => strftime('%H:%M:%S', time),
  u: (time) => String(((time.weekday + 6) % 7) + 1),
  U: (time) => padded(Math.floor((time.yearDay + 7 - time.weekday) / 7)),
  V: (time) => padded(isoWeek(time).week),
  w: (time) => String(time.weekday),
  W: (time) => padded(Math.floor((time.yearDay + 7 - ((time.weekday + 6) % 7)) / 7)),
  x: (time) => strftime('%m/%d/%y', time),
  X: (time) => strftime('%H:%M:%S', time),
  y: (time) => padded((((time.year + 1900) % 100) + 100) % 100),
  Y: (time) => String(time.year + 1900),
  z: (time) => offsetText(time.offset),
  Z: zoneName,
  '%': () => '%',
}

/** C17, 7.27.3.5, in the C locale, where the modifiers E and O change nothing. Unknown conversions stay as they are. */
export const strftime = (format: string, time: BrokenDownTime): string =>
  format.replace(/%[EO]?(.)/gs, (text, name: string) => conversions[name]?.(time) ?? text)
