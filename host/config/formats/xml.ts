// XML: the element <uwsgi> as the root or below it, or the one whose id is the section. Each element in it is an option, its
// text the value with its blanks kept; an empty element is "1". Elements within an option are not taken.
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { FormatError, nestedWarning, type ParsedFile, type RawDirective } from './raw.ts'

interface Element {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly Node[]
  readonly start: number
}
/** As the parser gives it: the element's name leads to its children, `:@` to its attributes, a symbol to its place. */
type Node = Readonly<Record<string | symbol, unknown>>

const metaData = XMLParser.getMetaDataSymbol() as unknown as symbol
const defaultSection = 'uwsgi'

export const parseXml = (text: string, section: string): ParsedFile => {
  refuseMalformed(text)
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: '',
    parseTagValue: false,
    parseAttributeValue: false,
    trimValues: false,
    captureMetaData: true,
    // Also what reads `&#10;`: without it only the five named entities of XML are.
    htmlEntities: true,
  })
  const root = elements(parser.parse(text) as Node[]).find(({ name }) => !name.startsWith('?'))
  if (root === undefined) throw new FormatError(1, 'not XML: there is no element')
  const candidates = root.name === 'uwsgi' ? [root] : elements(root.children).filter(({ name }) => name === 'uwsgi')
  const sections = candidates.map(({ attributes }) => attributes['id'] ?? defaultSection)
  const named = candidates.filter((_, index) => sections[index] === section)
  // A single element needs no choice, whatever its id.
  const isOnly = section === defaultSection && named.length === 0 && candidates.length === 1
  const chosen = isOnly ? candidates : named

  const directives: RawDirective[] = []
  const warnings: { line: number | undefined; text: string }[] = []
  const lineOf = lineCounter(text)
  for (const option of chosen.flatMap(({ children }) => elements(children))) {
    const line = lineOf(option.start)
    if (elements(option.children).length > 0) warnings.push({ line, text: nestedWarning(option.name, 'elements') })
    else directives.push({ name: option.name, value: textOf(option.children) || '1', line })
  }
  return { directives, isSectionFound: chosen.length > 0, sections, warnings }
}

const refuseMalformed = (text: string): void => {
  const declaration = /<!DOCTYPE/i.exec(text)
  // Entities of one's own can be made to multiply, and no configuration needs them.
  if (declaration !== null) {
    throw new FormatError(text.slice(0, declaration.index).split('\n').length, 'a document type declaration is not accepted')
  }
  const verdict = XMLValidator.validate(text)
  if (verdict === true) return
  throw new FormatError(verdict.err.line, `not XML: ${verdict.err.msg.replace(/\s+/g, ' ')}`)
}

const elements = (nodes: readonly Node[]): readonly Element[] =>
  nodes.flatMap((node) => {
    const name = Object.keys(node).find((key) => key !== ':@' && key !== '#text')
    if (name === undefined) return []
    const attributes = (node[':@'] ?? {}) as Record<string, string>
    const place = node[metaData] as { startIndex?: number } | undefined
    return [{ name, attributes, children: node[name] as Node[], start: place?.startIndex ?? 0 }]
  })

const textOf = (nodes: readonly Node[]): string => nodes.map((node) => String(node['#text'] ?? '')).join('')

/** Lines of offsets that only grow. */
const lineCounter = (text: string): ((offset: number) => number) => {
  let counted = 0
  let line = 1
  return (offset) => {
    for (; counted < offset; counted++) if (text[counted] === '\n') line++
    return line
  }
}
