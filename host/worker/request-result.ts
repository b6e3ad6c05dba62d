// What a request hook has returned, when it is no promise: plugins are plain JavaScript, and may return anything.

/**
 * 0, 1 and nothing are no failures; anything below 0 is one that needs no words.
 * @returns undefined for no failure, '' for one that the plugin says itself, else what is wrong with the answer
 */
export const faultOfResult = (result: unknown): string | undefined => {
  if (result === 0 || result === 1 || result === undefined) return undefined
  if (typeof result === 'number' && result < 0) return ''
  return `returned ${described(result)}, not 0, 1 or -1`
}

const described = (result: unknown): string => {
  if (typeof result === 'number' || typeof result === 'boolean' || result === null) return String(result)
  return typeof result === 'object' ? 'an object' : `a ${typeof result}`
}
