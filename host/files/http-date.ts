// Dates in HTTP headers (RFC 9110, 5.6.7), which count whole seconds.

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const fixdate = /^[A-Z][a-z]{2}, (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/
const rfc850 = /^[A-Z][a-z]{5,8}, (\d{2})-([A-Z][a-z]{2})-(\d{2}) (\d{2}):(\d{2}):(\d{2}) GMT$/
const asctime = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})$/

/** `Sun, 06 Nov 1994 08:49:37 GMT`. */
export const formatHttpDate = (epochMs: number): string => new Date(Math.floor(epochMs / 1000) * 1000).toUTCString()

/** Seconds since the epoch; undefined for what is no date: a recipient then does as if it had not been there. */
export const parseHttpDate = (text: string): number | undefined => {
  let match = fixdate.exec(text)
  if (match !== null) return seconds(match[3], match[2], match[1], match.slice(4))
  match = rfc850.exec(text)
  if (match !== null) return seconds(String(fullYear(Number(match[3]))), match[2], match[1], match.slice(4))
  match = asctime.exec(text)
  return match === null ? undefined : seconds(match[6], match[1], match[2], match.slice(3))
}

/** Two digits that would lie more than fifty years ahead mean the past (RFC 9110, 5.6.7). */
const fullYear = (short: number): number => {
  const now = new Date().getUTCFullYear()
  const year = now - (now % 100) + short
  return year > now + 50 ? year - 100 : year
}

const seconds = (
  year: string | undefined,
  month: string | undefined,
  day: string | undefined,
  clock: readonly string[],
): number | undefined => {
  const monthIndex = months.indexOf(month ?? '')
  const [hour, minute, second] = clock.map(Number) as [number, number, number]
  const dayOfMonth = Number(day)
  if (monthIndex < 0 || dayOfMonth < 1 || dayOfMonth > 31 || hour > 23 || minute > 59 || second > 60) return undefined
  return Date.UTC(Number(year), monthIndex, dayOfMonth, hour, minute, second) / 1000
}
