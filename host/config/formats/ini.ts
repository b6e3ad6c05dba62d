// INI by uWSGI's rules: lines are trimmed, `;` and `#` begin a comment only as the first character, `key = value` is split at
// the first `=`, a bare key is an option without a value, quotes are part of the value, repeated keys all count.
import { FormatError, type ParsedFile, type RawDirective } from './raw.ts'

export const parseIni = (text: string, section: string): ParsedFile => {
  const directives: RawDirective[] = []
  const sections = new Set<string>()
  const warnings: { line: number; text: string }[] = []
  let current: string | undefined
  for (const [index, whole] of text.split('\n').entries()) {
    const number = index + 1
    const line = trim(whole)
    if (line === '' || line.startsWith(';') || line.startsWith('#')) continue
    if (line.startsWith('[')) {
      if (!line.endsWith(']')) throw new FormatError(number, `the section '${line.slice(0, 80)}' has no closing ']'`)
      current = trim(line.slice(1, -1))
      sections.add(current)
      continue
    }
    if (current === undefined) {
      warnings.push({ line: number, text: `'${line.slice(0, 80)}' stands before the first [section] and is ignored` })
      continue
    }
    if (current !== section) continue
    directives.push({ ...splitAssignment(line, number), line: number })
  }
  return { directives, isSectionFound: sections.has(section), sections: [...sections], warnings }
}

const splitAssignment = (line: string, number: number): { name: string; value: string } => {
  const equals = line.indexOf('=')
  if (equals === -1) return { name: line, value: '' }
  const name = trim(line.slice(0, equals))
  if (name === '') throw new FormatError(number, `'${line.slice(0, 80)}' has no name before its '='`)
  return { name, value: trim(line.slice(equals + 1)) }
}

// ASCII blanks only: a value may end in any other character, a no-break space for one.
const trim = (text: string): string => text.replace(/^[ \t\r\f\v]+|[ \t\r\f\v]+$/g, '')
