// JSON: an object under the key of the section. `true` is "1", `false` and `null` are "0", numbers keep the digits they are
// written with, an array gives its option once per item, and a repeated key counts each time. `JSON.parse` judges the text;
// the walk over its tokens after that is what knows lines, digits and repeated keys.
import { FormatError, nestedWarning, type ParsedFile, type RawDirective } from './raw.ts'

export const parseJson = (text: string, section: string): ParsedFile => {
  validate(text)
  const tokens = new Tokens(text)
  const directives: RawDirective[] = []
  const sections: string[] = []
  const warnings: { line: number | undefined; text: string }[] = []
  let isSectionFound = false
  if (tokens.next() !== '{') throw new FormatError(1, `the file holds no object with the key '${section}'`)
  for (const key of keys(tokens)) {
    sections.push(key.name)
    if (key.name !== section) {
      skipValue(tokens, tokens.next())
      continue
    }
    isSectionFound = true
    if (tokens.next() !== '{') throw new FormatError(key.line, `'${section}' holds no object of options`)
    for (const { name, line } of keys(tokens)) {
      for (const value of values(tokens)) {
        if (value.text === undefined) warnings.push({ line, text: nestedWarning(name, value.what) })
        else directives.push({ name, value: value.text, line })
      }
    }
  }
  return { directives, isSectionFound, sections, warnings }
}

const validate = (text: string): void => {
  try {
    JSON.parse(text)
  } catch (cause) {
    const message = (cause as Error).message
    const place = /\(line (\d+) column \d+\)$/.exec(message)
    const line = place === null ? text.split('\n').length : Number(place[1])
    throw new FormatError(line, `not JSON: ${message.replace(/ at position \d+ \(.*\)$/, '')}`, { cause })
  }
}

/** The tokens of a valid JSON text, one after the other, with the line of the last. */
class Tokens {
  readonly #text: string
  readonly #pattern = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g
  #counted = 0
  line = 1

  constructor(text: string) {
    this.#text = text
  }

  next(): string {
    const match = this.#pattern.exec(this.#text)
    // The text is valid, so the walk ends with its last token and never asks for one more.
    if (match === null) throw new FormatError(this.line, 'not JSON: unexpected end')
    for (; this.#counted < match.index; this.#counted++) if (this.#text[this.#counted] === '\n') this.line++
    return match[0]
  }
}

/** The keys of an object whose brace has been read; the caller reads the value of each. */
function* keys(tokens: Tokens): Generator<{ name: string; line: number }> {
  for (let token = tokens.next(); token !== '}'; token = tokens.next()) {
    if (token === ',') continue
    const key = { name: JSON.parse(token) as string, line: tokens.line }
    tokens.next()
    yield key
  }
}

type Value = { readonly text: string } | { readonly text?: undefined; readonly what: string }

/** The values of an option: one, or the items of an array. */
const values = (tokens: Tokens): readonly Value[] => {
  const first = tokens.next()
  if (first !== '[') return [value(tokens, first, 'an object')]
  const found: Value[] = []
  for (let token = tokens.next(); token !== ']'; token = tokens.next()) {
    if (token !== ',') found.push(value(tokens, token, token === '[' ? 'an array in an array' : 'an object'))
  }
  return found
}

const value = (tokens: Tokens, token: string, what: string): Value => {
  if (token === '{' || token === '[') {
    skipValue(tokens, token)
    return { what }
  }
  if (token.startsWith('"')) return { text: JSON.parse(token) as string }
  if (token === 'true') return { text: '1' }
  return { text: token === 'false' || token === 'null' ? '0' : token }
}

const skipValue = (tokens: Tokens, first: string): void => {
  let depth = first === '{' || first === '[' ? 1 : 0
  while (depth > 0) {
    const token = tokens.next()
    if (token === '{' || token === '[') depth++
    if (token === '}' || token === ']') depth--
  }
}
