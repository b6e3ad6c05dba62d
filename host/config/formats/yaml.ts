// YAML: a map under the key of the section. Scalars are texts as written (`true` stays "true", `010` stays "010"), a sequence
// gives its option once per item, maps below an option are not taken.
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type ParsedNode, parseDocument } from 'yaml'
import { FormatError, nestedWarning, type ParsedFile, type RawDirective } from './raw.ts'

export const parseYaml = (text: string, section: string): ParsedFile => {
  const lines = new LineCounter()
  // The failsafe schema knows strings only, so nothing is turned into a number and back.
  const document = parseDocument(text, { schema: 'failsafe', lineCounter: lines, uniqueKeys: false, prettyErrors: false })
  const fault = document.errors[0]
  if (fault !== undefined) throw new FormatError(lines.linePos(fault.pos[0]).line, faultText(fault.code, fault.message))
  const root = document.contents
  const empty = { directives: [], isSectionFound: false, sections: [], warnings: [] }
  if (root === null || (isScalar(root) && (root.value === null || root.value === ''))) return empty
  if (!isMap(root)) throw new FormatError(1, `the file holds no map with the key '${section}'`)

  const followed = (node: unknown): Node | null => {
    if (!isAlias(node)) return (node ?? null) as Node | null
    const target = node.resolve(document)
    if (target === undefined) throw new FormatError(lineOf(node, lines), `the alias '*${node.source}' has no anchor`)
    return target as Node
  }

  const directives: RawDirective[] = []
  const sections: string[] = []
  const warnings: { line: number | undefined; text: string }[] = []
  let isSectionFound = false
  for (const { key, value } of root.items) {
    const name = textOf(key)
    sections.push(name ?? '')
    if (name !== section) continue
    isSectionFound = true
    const map = followed(value)
    if (map === null || (isScalar(map) && (map.value === null || map.value === ''))) continue
    if (!isMap(map)) throw new FormatError(lineOf(key, lines), `'${section}' holds no map of options`)
    for (const item of map.items) {
      const line = lineOf(item.key, lines)
      const optionName = textOf(item.key)
      if (optionName === undefined || optionName === '') throw new FormatError(line, 'an option name must be a plain text')
      for (const option of items(followed(item.value), followed)) {
        if (typeof option === 'string') directives.push({ name: optionName, value: option, line })
        else warnings.push({ line, text: nestedWarning(optionName, isSeq(option) ? 'a list in a list' : 'a map') })
      }
    }
  }
  return { directives, isSectionFound, sections, warnings }
}

const items = (node: Node | null, followed: (node: unknown) => Node | null): readonly (string | Node | null)[] => {
  if (!isSeq(node)) return [textOf(node) ?? node]
  return node.items.map((item) => {
    const target = followed(item)
    return textOf(target) ?? target
  })
}

const textOf = (node: unknown): string | undefined => {
  if (node === null) return ''
  return isScalar(node) ? String(node.value ?? '') : undefined
}

const lineOf = (node: unknown, lines: LineCounter): number | undefined => {
  const offset = (node as ParsedNode | null)?.range?.[0]
  return offset === undefined ? undefined : lines.linePos(offset).line
}

// The parser's advice here is about its own functions.
const faultText = (code: string, message: string): string =>
  code === 'MULTIPLE_DOCS' ? 'the file holds more than one document' : `not YAML: ${message}`
