// TOML: the table of the section. Numbers and booleans are taken as text, an array gives its option once per item. The
// parser does not tell lines, so they are found by looking for the key in the text of the table.
import { parse, TomlDate, TomlError } from 'smol-toml'
import { FormatError, nestedWarning, type ParsedFile, type RawDirective } from './raw.ts'

export const parseToml = (text: string, section: string): ParsedFile => {
  const root = parseText(text)
  const warnings: { line: number | undefined; text: string }[] = []
  const directives: RawDirective[] = []
  const sections = Object.keys(root)
  if (!Object.hasOwn(root, section)) return { directives, isSectionFound: false, sections, warnings }
  const table = root[section]
  const lines = keyLines(text, section)
  if (!isTable(table)) throw new FormatError(undefined, `'${section}' is no table of options`)
  for (const [name, held] of Object.entries(table)) {
    const line = lines.get(name)
    for (const item of Array.isArray(held) ? held : [held]) {
      const value = textOf(item)
      if (value === undefined)
        warnings.push({ line, text: nestedWarning(name, Array.isArray(item) ? 'an array in an array' : 'a table') })
      else directives.push({ name, value, line })
    }
  }
  return { directives, isSectionFound: true, sections, warnings }
}

const parseText = (text: string): Record<string, unknown> => {
  try {
    return parse(text, { integersAsBigInt: 'asNeeded' })
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause
    const problem = cause.message.split('\n')[0]!.replace('Invalid TOML document: ', '')
    throw new FormatError(cause.line, `not TOML: ${problem}`, { cause })
  }
}

const isTable = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof TomlDate)

const textOf = (value: unknown): string | undefined => {
  if (value instanceof TomlDate) return value.toISOString()
  return typeof value === 'object' ? undefined : String(value)
}

/** The line of each key written on a line of its own below `[section]`, or as `section.key`. */
const keyLines = (text: string, section: string): ReadonlyMap<string, number> => {
  const found = new Map<string, number>()
  let table = ''
  let openQuote: string | undefined
  for (const [index, line] of text.split('\n').entries()) {
    const isInside = openQuote !== undefined
    for (const [quote] of line.matchAll(/"""|'''/g))
      openQuote = openQuote === undefined ? quote : openQuote === quote ? undefined : openQuote
    // A line within a text of several lines may look like anything.
    if (isInside) continue
    const header = /^\s*\[\s*([^[\]]+?)\s*\]/.exec(line)
    if (header !== null) table = unquoted(header[1]!)
    const key = /^\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))?)\s*=/.exec(line)?.[1]
    if (key === undefined) continue
    const parts = key.match(/"[^"]*"|'[^']*'|[\w-]+/g)!.map(unquoted)
    const name = table === section ? parts[0] : table === '' && parts[0] === section ? parts[1] : undefined
    if (name !== undefined && !found.has(name)) found.set(name, index + 1)
  }
  return found
}

const unquoted = (key: string): string => key.replace(/^(["'])(.*)\1$/, '$2')
