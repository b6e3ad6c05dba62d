// Reading configuration files into the store: formats, sections, includes and blocks. Order matters only to blocks and
// includes, which see what stands before them; values are expanded later.
import { resolve } from 'node:path'
import { BadBlock, blockAliases, blockEnds, blocks } from './blocks.ts'
import { type Directive, mostDirectivesText } from './directive.ts'
import { Expansion, type ExpansionContext } from './expand.ts'
import { badValue, decodeText, readFault, unreadable, written } from './faults.ts'
import { configExtensions, formatOfPath, formats } from './formats/index.ts'
import { FormatError, type ParsedFile, type RawDirective } from './formats/raw.ts'
import { type MagicVariables, magicVariables } from './magic.ts'
import { type ConfigFormat, type DefinitionOption, hasSetting } from './option.ts'
import { shown } from './shown.ts'

export interface FileRequest {
  /** The name of the option that asks for the file. */
  readonly name: string
  /** `file` or `file:section`. */
  readonly target: string
  readonly format: ConfigFormat | 'by-extension'
  readonly where: string
}

const defaultSection = 'uwsgi'
// Files that include each other twice over multiply; a chain is told apart from a circle before it gets long.
const mostFiles = 1000

interface OpenFile {
  readonly path: string
  readonly shownPath: string
  readonly section: string
  readonly magic: MagicVariables
  readonly parent: OpenFile | undefined
}

interface OpenBlock {
  readonly name: string
  readonly where: string
  readonly value: string
  readonly lines: RawDirective[]
}

export class ConfigFiles {
  readonly #context: ExpansionContext
  #first: MagicVariables | undefined
  #last: string | undefined
  #count = 0

  constructor(context: ExpansionContext) {
    this.#context = context
  }

  /** @throws ConfigError */
  load(request: FileRequest, parent?: OpenFile): void {
    const { shownPath, section: named } = splitTarget(request, parent?.shownPath ?? this.#last)
    this.#last = shownPath
    const section = named ?? defaultSection
    const path = resolve(this.#context.cwd, shownPath)
    this.#refuseCircle(request, path, section, parent)
    if (++this.#count > mostFiles) throw badValue(request.where, `more than ${mostFiles} configuration files`)
    const parsed = this.#parse(request, shownPath, path, section)
    for (const { line, text } of parsed.warnings) this.#context.warn(`${placeOf(shownPath, line)}: ${text}`)
    if (!parsed.isSectionFound) {
      const others = parsed.sections.length === 0 ? '' : ` (it has ${listed(parsed.sections)})`
      const problem = `there is no section '${shown(section)}' in ${shownPath}${others}`
      if (named !== undefined) throw badValue(request.where, problem)
      this.#context.warn(`${request.where}: ${problem}`)
    }
    const source = { original: shownPath, section: named ?? '', cwd: this.#context.cwd }
    const magic = magicVariables(source, this.#first, this.#context.surroundings)
    this.#first ??= magic
    this.#takeLines(parsed.directives, { path, shownPath, section, magic, parent })
  }

  #refuseCircle(request: FileRequest, path: string, section: string, parent: OpenFile | undefined): void {
    for (let file = parent; file !== undefined; file = file.parent) {
      if (file.path !== path || file.section !== section) continue
      throw badValue(request.where, `${written(request.name, request.target)}: the file includes itself`)
    }
  }

  #parse(request: FileRequest, shownPath: string, path: string, section: string): ParsedFile {
    const format = request.format === 'by-extension' ? formatOfPath(shownPath) : request.format
    if (format === undefined) {
      const known = configExtensions.join(' ')
      throw badValue(request.where, `${written(request.name, request.target)}: the extension tells no format (known: ${known})`)
    }
    let text: string
    try {
      text = decodeText(this.#context.surroundings.readFile(path))
    } catch (error) {
      throw unreadable(request.where, `cannot read ${shown(shownPath)}: ${readFault(error)}`, error)
    }
    try {
      return formats[format](text, section)
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      throw unreadable(placeOf(shownPath, error.line), error.message, error)
    }
  }

  #takeLines(lines: readonly RawDirective[], file: OpenFile): void {
    let open: OpenBlock | undefined
    for (const line of lines) {
      const where = placeOf(file.shownPath, line.line)
      const name = blockAliases[line.name] ?? line.name
      if (blockEnds.has(name)) {
        if (open === undefined) throw badValue(where, `'${line.name}' ends no block`)
        const end = blocks[open.name]!.end
        if (end !== name)
          throw badValue(where, `'${line.name}' ends no '${open.name}' block: that of ${open.where} needs '${end}'`)
        const block: OpenBlock = open
        open = undefined
        for (const item of this.#items(block, file)) for (const inner of block.lines) this.#take(inner, file, item)
      } else if (Object.hasOwn(blocks, name)) {
        if (open !== undefined) {
          throw badValue(where, `'${line.name}' stands in the '${open.name}' block of ${open.where}: a block cannot hold another`)
        }
        open = { name, where, value: line.value, lines: [] }
      } else if (open === undefined) this.#take(line, file, undefined)
      else open.lines.push(line)
    }
    if (open !== undefined) throw badValue(open.where, `the '${open.name}' block has no '${blocks[open.name]!.end}'`)
  }

  #items(block: OpenBlock, file: OpenFile): readonly string[] {
    const expansion = new Expansion(this.#context)
    const value = expansion.value({ name: block.name, value: block.value, layer: 'file', where: block.where, magic: file.magic })
    try {
      return blocks[block.name]!.items(String(value), { ...this.#context, expansion })
    } catch (error) {
      if (error instanceof BadBlock) throw badValue(block.where, `${written(block.name, block.value)}: ${error.message}`)
      if (!(error instanceof Error) || error.name === 'ConfigError') throw error
      throw unreadable(block.where, `${block.name}: cannot read ${shown(String(value))}: ${readFault(error)}`, error)
    }
  }

  #take(line: RawDirective, file: OpenFile, item: string | undefined): void {
    const where = placeOf(file.shownPath, line.line)
    const directive: Directive = {
      name: line.name,
      value: line.value,
      layer: 'file',
      where,
      magic: file.magic,
      ...(item === undefined ? {} : { item }),
    }
    addDirective(this.#context, directive)
    const found = this.#context.table.find(line.name)
    if (found?.option.type !== 'file') return
    const target = new Expansion(this.#context).value(directive)
    this.load({ name: line.name, target: String(target), format: found.option.format, where }, file)
  }
}

/** Adds a directive, and for `set` and `set-placeholder` also what it sets. */
export const addDirective = (context: ExpansionContext, directive: Directive): void => {
  const add = (one: Directive): void => {
    if (!context.store.add(one)) throw badValue(one.where, mostDirectivesText)
  }
  add(directive)
  const option = context.table.find(directive.name)?.option
  if (option?.type !== 'definition') return
  add({ ...directive, ...splitDefinition(context, directive, option) })
}

const splitDefinition = (
  context: ExpansionContext,
  directive: Directive,
  option: DefinitionOption,
): Pick<Directive, 'name' | 'value' | 'isDefinition'> => {
  const text = directive.value === true ? '' : directive.value
  const equals = text.indexOf('=')
  const whole = written(directive.name, text)
  if (equals < 1) throw badValue(directive.where, `${whole}: the value must be NAME=VALUE`)
  const name = text.slice(0, equals).trim()
  const named = context.table.find(name)
  if (named !== undefined && !option.mayBeOption) {
    throw badValue(directive.where, `${whole}: '${name}' is an option and no placeholder; use 'set' for it`)
  }
  if (named !== undefined && !hasSetting(named.option)) {
    throw badValue(directive.where, `${whole}: '${name}' cannot be given in this way`)
  }
  return { name, value: text.slice(equals + 1), isDefinition: named === undefined }
}

const placeOf = (path: string, line: number | undefined): string => (line === undefined ? path : `${path}:${line}`)

const listed = (names: readonly string[]): string => {
  const first = names.slice(0, 5).map((name) => `'${shown(name)}'`)
  return names.length > first.length ? `${first.join(', ')} and ${names.length - first.length} more` : first.join(', ')
}

/** `file:section`; `:section` alone is another section of the file at hand. */
const splitTarget = (request: FileRequest, current: string | undefined): { shownPath: string; section: string | undefined } => {
  const { name, target, where } = request
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(target)?.[1]
  if (scheme !== undefined) {
    throw unreadable(where, `${written(name, target)}: only files can be read here, not ${scheme.toLowerCase()}://`)
  }
  const colon = target.lastIndexOf(':')
  const hasSection = colon !== -1 && !target.includes('/', colon)
  const path = hasSection ? target.slice(0, colon) : target
  const section = hasSection ? target.slice(colon + 1) : undefined
  if (path !== '') return { shownPath: path, section: section === '' ? undefined : section }
  if (section === undefined || section === '') throw badValue(where, `${name}: needs the name of a file`)
  if (current === undefined) throw badValue(where, `${written(name, target)}: there is no file yet that the section could be of`)
  return { shownPath: current, section }
}
