// Which alarms a line of the log raises: `--log-alarm`, `--not-log-alarm`.
// Invariant: no line that alarms write about themselves raises one, or an alarm of kind `log` would raise itself for ever.

export interface LogAlarmPlan {
  readonly alarms: readonly string[]
  readonly pattern: RegExp
  /** The line does not raise these alarms, whatever other patterns say. */
  readonly isExclusion: boolean
}

/** How every line that comes from alarms begins, as in uWSGI. */
export const alarmLinePrefix = '[uwsgi-alarm'

/** A pattern looks no further into a line: what a client sent may be in it, of any length. */
const maxLine = 16_384
const none: readonly string[] = []

/**
 * A function from a log line to the alarms it raises, each once. Differs from uWSGI: an exclusion counts for the alarms it
 * names, wherever it stands; there it ends the search through the options, in their order.
 */
export const logAlarmWatcher = (plans: readonly LogAlarmPlan[]): ((line: string) => readonly string[]) => {
  const inclusions = plans.filter(({ isExclusion }) => !isExclusion)
  const exclusions = plans.filter(({ isExclusion }) => isExclusion)
  if (inclusions.length === 0) return () => none
  return (line) => {
    if (line.startsWith(alarmLinePrefix)) return none
    const text = line.length > maxLine ? line.slice(0, maxLine) : line
    let raised: Set<string> | undefined
    for (const { alarms, pattern } of inclusions) {
      if (!pattern.test(text)) continue
      raised ??= new Set()
      for (const alarm of alarms) raised.add(alarm)
    }
    if (raised === undefined) return none
    for (const { alarms, pattern } of exclusions) {
      if (!pattern.test(text)) continue
      for (const alarm of alarms) raised.delete(alarm)
    }
    return [...raised]
  }
}
