// When a cron job is due: its five fields against a moment of local time. Pure but for the time zone of the process.
//
// Local time decides, minute by minute, as in uWSGI. So in the hour that is skipped when summer time begins a job does not
// run, and in the hour that comes twice when it ends a job runs twice, an hour apart.
import type { CronFields } from '../api/cron-fields.ts'

/** A moment as the clock on the wall shows it; month from 1, week from Sunday, 0. */
export interface LocalTime {
  readonly minute: number
  readonly hour: number
  readonly day: number
  readonly month: number
  readonly week: number
}

export const localTime = (epochMs: number): LocalTime => {
  const date = new Date(epochMs)
  return {
    minute: date.getMinutes(),
    hour: date.getHours(),
    day: date.getDate(),
    month: date.getMonth() + 1,
    week: date.getDay(),
  }
}

/** -1 any, -N every value that N divides, else the value itself. */
const fits = (field: number, value: number): boolean => (field < 0 ? value % -field === 0 : field === value)

export const cronMatches = (fields: CronFields, time: LocalTime): boolean => {
  const [minute, hour, day, month, week] = fields
  if (!fits(minute, time.minute) || !fits(hour, time.hour) || !fits(month, time.month)) return false
  const isDay = fits(day, time.day)
  const isWeek = fits(week === 7 ? 0 : week, time.week)
  // Cron's old rule: when both are named, either will do.
  return day >= 0 && week >= 0 ? isDay || isWeek : isDay && isWeek
}
