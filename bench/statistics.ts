// The few numbers the benchmark makes out of its samples. Medians, since one disturbed round must not decide a row.

/** The middle value; of an even count, the mean of the middle two. Throws a RangeError on no values. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('median of no values')
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)]!
  const lower = sorted[Math.ceil(sorted.length / 2) - 1]!
  return (lower + upper) / 2
}

/** `measured / reference`; undefined where the reference is zero, since such a ratio says nothing. */
export function ratio(measured: number, reference: number): number | undefined {
  return reference > 0 ? measured / reference : undefined
}

/** The smallest and the largest value. Throws a RangeError on no values. */
export function range(values: readonly number[]): { min: number; max: number } {
  if (values.length === 0) throw new RangeError('range of no values')
  return { min: Math.min(...values), max: Math.max(...values) }
}
