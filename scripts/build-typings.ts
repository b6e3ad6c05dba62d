// Rolls the declarations that tsc wrote into dist/types up into dist/plugin.d.ts: the plugin interface's typings as one file
// that stands alone (`polywsgi --dot-h`). It relies on the shape of tsc's output: a statement begins at a line's beginning.
import { readFileSync, writeFileSync } from 'node:fs'

const root = new URL('../dist/types/', import.meta.url)
const faces = { 'polywsgi/plugin': 'host/plugin/index.d.ts', 'polywsgi/protocol': 'protocol/index.d.ts' }

interface Declaration {
  readonly name: string
  readonly comment: string
  /** Without `export` and `declare`: everything in an ambient module is both. */
  readonly code: string
  readonly file: string
  /** A constant or a function: types name it by `typeof` only. */
  readonly isPlainValue: boolean
}

interface Import {
  /** A file of ours, or a module's name. */
  readonly from: string
  readonly isOurs: boolean
  /** Its name there. */
  readonly name: string
}

interface DeclarationFile {
  readonly declarations: readonly Declaration[]
  readonly imports: ReadonlyMap<string, Import>
  /** `export { A, type B } from './c.ts'`: the clauses, each with its `type`. */
  readonly reexports: readonly string[]
}

/** Statements with the comments before them. */
const statementsOf = (text: string): string[] =>
  text
    .replace(/^\/\/.*\n/gm, '')
    .split(/(?<=[;}]\n)(?=\/\*\*|export |import |declare |type |interface )/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '' && statement !== 'export {};')

const declarationForm =
  /^((?:\/\*\*[\s\S]*?\*\/\s*)?)(?:export )?(?:declare )?((abstract class|class|interface|type|const|function|enum) (\w+)[\s\S]*)$/

const read = (file: string): DeclarationFile => {
  const declarations: Declaration[] = []
  const imports = new Map<string, Import>()
  const reexports: string[] = []
  for (const statement of statementsOf(readFileSync(new URL(file, root), 'utf8'))) {
    const from = /^(import|export) (type )?\{([^}]*)\} from '([^']+)';$/.exec(statement)
    if (from === null) {
      const [, comment = '', text, kind = '', name] = declarationForm.exec(statement) ?? []
      if (text === undefined || name === undefined) throw new Error(`${file}: what is this?\n${statement}`)
      const code = text.replace(/\bBuffer<\w+>/g, 'Buffer')
      declarations.push({ name, comment, code, file, isPlainValue: kind === 'const' || kind === 'function' })
      continue
    }
    const [, verb, type = '', clauses = '', specifier = ''] = from
    const isOurs = specifier.startsWith('.')
    const target = isOurs ? new URL(specifier.replace(/\.ts$/, '.d.ts'), new URL(file, 'file:///')).pathname.slice(1) : specifier
    for (const clause of clauses.split(',').map((text) => text.trim())) {
      // A list over several lines ends with a comma.
      if (clause === '') continue
      const [name = '', local = name] = clause.replace(/^type /, '').split(' as ')
      imports.set(local, { from: target, isOurs, name })
      if (verb === 'export') reexports.push(clause.startsWith('type ') ? clause : `${type}${clause}`)
    }
  }
  return { declarations, imports, reexports }
}

/** A class that plugins get objects of, and make none: how it is made is not their business, nor what that takes. */
const withoutMaking = (code: string): string =>
  code
    .replace(/^( +)(?:private |protected )?constructor\(.*\);$/gm, '$1protected constructor();')
    .replace(/^ +static .*;\n/gm, '')

/** The declarations that what a file exports needs, in one scope: of two with one name the later one gets another. */
class RollUp {
  readonly #files = new Map<string, DeclarationFile>()
  readonly #needed = new Map<Declaration, ReadonlyMap<string, string>>()
  /** Name in the scope to the file whose it is. */
  readonly #taken = new Map<string, string>()
  readonly #foreign = new Set<string>()
  readonly #exportedValues: ReadonlySet<string>

  /** @param exportedValues names of classes that plugins can make objects of */
  constructor(exportedValues: ReadonlySet<string>) {
    this.#exportedValues = exportedValues
  }

  /** @returns what the name in that file is called in the scope; undefined for a name that is no declaration of ours */
  need(name: string, asValue: boolean, place: string): string | undefined {
    const file = this.file(place)
    const imported = file.imports.get(name)
    if (imported !== undefined) {
      if (imported.isOurs) return this.need(imported.name, asValue, imported.from)
      this.#foreign.add(`import type { ${imported.name} as ${name} } from '${imported.from}';`)
      return undefined
    }
    const found = file.declarations.filter((declaration) => declaration.name === name && (asValue || !declaration.isPlainValue))
    if (found.length === 0) return undefined
    let inScope = name
    for (let count = 2; ![undefined, place].includes(this.#taken.get(inScope)); count++) inScope = `${name}${count}`
    this.#taken.set(inScope, place)
    for (const declaration of found) this.#take(declaration, inScope)
    return inScope
  }

  file(place: string): DeclarationFile {
    const file = this.#files.get(place) ?? read(place)
    this.#files.set(place, file)
    return file
  }

  lines(): string[] {
    const declarations = [...this.#needed].map(([declaration, renamed]) =>
      [...renamed].reduce(
        (text, [from, to]) => text.replace(new RegExp(`\\b${from}\\b`, 'g'), to),
        declaration.comment + this.#codeOf(declaration),
      ),
    )
    const buffer = declarations.some((text) => /\bBuffer\b/.test(text)) ? [bufferAlias] : []
    return [...this.#foreign, ...buffer, ...declarations]
  }

  #codeOf({ name, code }: Declaration): string {
    return this.#exportedValues.has(name) ? code : withoutMaking(code)
  }

  #take(declaration: Declaration, inScope: string): void {
    if (this.#needed.has(declaration)) return
    const renamed = new Map<string, string>()
    this.#needed.set(declaration, renamed)
    if (inScope !== declaration.name) renamed.set(declaration.name, inScope)
    const code = this.#codeOf(declaration).replace(/\/\*\*[\s\S]*?\*\//g, '')
    for (const [, operator, word = ''] of code.matchAll(/(typeof )?\b([A-Za-z_]\w*)/g)) {
      const other = this.need(word, operator !== undefined, declaration.file)
      if (other !== undefined && other !== word) renamed.set(word, other)
    }
  }
}

/** Node's class where @types/node is there, and else the one it extends. */
const bufferAlias = 'type Buffer = typeof globalThis extends { Buffer: { from(...args: any[]): infer B } } ? B : Uint8Array;'

const render = (module: string, face: string): string => {
  const { reexports } = read(face)
  const rollUp = new RollUp(new Set(reexports.filter((clause) => !clause.startsWith('type '))))
  const clauses = reexports.map((clause) => {
    const name = clause.replace(/^type /, '').replace(/.* as /, '')
    const inScope = rollUp.need(name, true, face)
    if (inScope === undefined) throw new Error(`${face}: nothing is declared for ${clause}`)
    return `${clause.startsWith('type ') ? 'type ' : ''}${inScope}${inScope === name ? '' : ` as ${name}`}`
  })
  const lines = [...rollUp.lines(), `export { ${clauses.join(', ')} };`]
  return `declare module '${module}' {\n${lines.join('\n').replace(/^(?=.)/gm, '    ')}\n}\n`
}

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
const modules = Object.entries(faces).map(([module, face]) => render(module, face))
writeFileSync(
  new URL('../dist/plugin.d.ts', import.meta.url),
  `// The plugin interface of polywsgi ${version}: what a plugin imports from its host.\n/// <reference lib="esnext.disposable" />\n\n${modules.join('\n')}`,
)
