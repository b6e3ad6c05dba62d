// The headers of a response as one text, names and values in turn, joined by NUL: looked up and thinned out by name.
// Names are compared without regard to case (RFC 9110, 5.1).

/** Names and values in pairs, in order. */
export const headerPairs = (headers: string): [name: string, value: string][] => {
  if (headers === '') return []
  const parts = headers.split('\0')
  const pairs: [string, string][] = []
  for (let index = 0; index < parts.length; index += 2) pairs.push([parts[index] as string, parts[index + 1] as string])
  return pairs
}

/** The text without the headers whose lower-case names are among `names`; the same text when there is none. */
export const withoutHeaders = (headers: string, names: ReadonlySet<string>): string => {
  const pairs = headerPairs(headers)
  const kept = pairs.filter(([name]) => !names.has(name.toLowerCase()))
  return kept.length === pairs.length ? headers : kept.flat().join('\0')
}

/** Two texts as one. */
export const joinHeaders = (first: string, second: string): string =>
  first === '' || second === '' ? first + second : `${first}\0${second}`
