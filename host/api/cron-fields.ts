// The five fields of a cron job and what each may be. -1 is any value, -N every value that N divides; a number no calendar
// has is refused. Differs from uWSGI: there such a job is accepted and never runs.

export type CronFields = readonly [minute: number, hour: number, day: number, month: number, week: number]

export const cronRanges = {
  minute: { min: -59, max: 59 },
  hour: { min: -23, max: 23 },
  /** Of the month. */
  day: { min: -31, max: 31 },
  month: { min: -12, max: 12 },
  /** Day of the week: Sunday is 0 and 7. */
  week: { min: -7, max: 7 },
} as const

export const cronFieldNames = ['minute', 'hour', 'day', 'month', 'week'] as const satisfies readonly (keyof typeof cronRanges)[]

/** What is wrong with a value, if something is: `'day' must be from -31 to -1 or from 1 to 31, not 0`. */
export const cronFieldFault = (name: keyof typeof cronRanges, value: number): string | undefined => {
  const { min, max } = cronRanges[name]
  // Days and months are counted from 1.
  if (name === 'day' || name === 'month')
    return value >= min && value <= max && value !== 0
      ? undefined
      : `'${name}' must be from ${min} to -1 or from 1 to ${max}, not ${value}`
  return value >= min && value <= max ? undefined : `'${name}' must be from ${min} to ${max}, not ${value}`
}
