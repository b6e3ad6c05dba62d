// Renders bindings/js/types/uwsgi.d.ts: what `import uwsgi from 'uwsgi'` is to an editor.
import type { ApiEntry, ApiFunction } from '../kinds.ts'
import { apiTable, camelCaseName } from '../table/index.ts'
import { attributeType, fieldsOf, namedRecords, parameterName, parameterType, resultType, returnType } from './type-names.ts'

const head = `// The \`uwsgi\` module of JavaScript guests. Generated from the API table by \`npm run gen\`; do not edit.

/** Bytes from the server: \`toString()\` decodes them as UTF-8. */
interface UwsgiBytes extends Uint8Array {
  toString(): string
}

/** A global class. Raised by functions of the module; \`code\` is one of docs/errors.md. */
declare class UwsgiError extends Error {
  readonly code: string
}

type OptionValue = string | true
type Options = Readonly<Record<string, OptionValue | OptionValue[] | undefined>>

declare module 'uwsgi' {
  /** The same function where others go on meanwhile. */
  type Waiting<F extends (...args: never[]) => unknown> = (...args: Parameters<F>) => Promise<ReturnType<F>>

`

export const renderJsDeclarations = (entries: readonly ApiEntry[] = apiTable): string => {
  const records = namedRecords(entries).map(({ name, record }) => {
    const fields = fieldsOf('js', record).map((field) => `  readonly ${field}\n`)
    return indented(`interface ${name} {\n${fields.join('')}}\n`)
  })
  const declarations = [...records, ...entries.map((entry) => indented(declaration(entry))), indented(promises(entries))]
  const names = [...entries.flatMap(namesOf), 'promises']
  const members = names.map((name) => `    ${name === 'promises' ? 'readonly ' : ''}${name}: typeof ${name}`)
  const value = `  const uwsgi: {\n${members.join('\n')}\n  }\n  export default uwsgi\n`
  return `${head}${declarations.join('\n')}\n${value}}\n\ndeclare const uwsgi: typeof import('uwsgi').default\n`
}

const promises = (entries: readonly ApiEntry[]): string => {
  const names = entries.flatMap((entry) => (entry.shape === 'function' && entry.kind === 'blocking' ? namesOf(entry) : []))
  const members = names.map((name) => `  readonly ${name}: Waiting<typeof ${name}>\n`)
  return `/**
 * The functions that may wait, each as one that gives a promise: what others do goes on meanwhile. Arguments are read at the call;
 * whatever is wrong rejects the promise, with the error that the plain function throws.
 */
const promises: {
${members.join('')}}
export { promises }`
}

/** Every name an entry has, the idiomatic one first. */
const namesOf = (entry: ApiEntry): string[] => {
  const official = [entry.name, ...(entry.shape === 'function' ? (entry.aliases ?? []) : [])]
  return [...new Set(official.flatMap((name) => [camelCaseName(name), name]))]
}

const declaration = (entry: ApiEntry): string => {
  const [name = '', ...others] = namesOf(entry)
  const comment = commentOf(entry)
  if (entry.shape === 'attribute') {
    return `${comment}const ${name}: ${attributeType('js', entry)}\n${others.map((other) => `const ${other}: typeof ${name}\n`).join('')}export { ${[name, ...others].join(', ')} }`
  }
  if (entry.shape === 'hook') {
    const params = entry.params.map((param) => `${parameterName('js', param.name)}: ${resultType('js', param.type)}`).join(', ')
    const type = `((${params}) => ${hookResult(resultType('js', entry.returns))}) | undefined`
    return `${comment}let ${name}: ${type}\n${others.map((other) => `let ${other}: typeof ${name}\n`).join('')}`
  }
  const aliases = others.map((other) => `const ${other}: typeof ${name}\n`).join('')
  return `${comment}function ${name}(${paramsOf(entry)}): ${returnType('js', entry)}\n${aliases}export { ${[name, ...others].join(', ')} }`
}

const hookResult = (type: string): string => (type === 'undefined' ? 'unknown' : `${type} | Promise<${type}>`)

const paramsOf = ({ params }: ApiFunction): string =>
  params
    .map((param, index) => {
      const name = parameterName('js', param.name)
      const type = parameterType('js', param)
      if (param.variadic) return `...${name}: (${type})[]`
      // One that may be left out before one that must be given cannot be marked so: it may be undefined.
      const mayBeLeftOut = params.slice(index).every((later) => later.default !== undefined || later.variadic)
      if (param.default === undefined) return `${name}: ${type}`
      return mayBeLeftOut ? `${name}?: ${type}` : `${name}: ${type} | undefined`
    })
    .join(', ')

const commentOf = (entry: ApiEntry): string => {
  const lines = [entry.doc]
  if (entry.shape === 'function') {
    for (const param of entry.params) lines.push(`@param ${parameterName('js', param.name)} ${param.doc}`)
    for (const raised of entry.raises) lines.push(`@throws ${raised}`)
  }
  return `/**\n${lines.map((line) => ` * ${line.replaceAll('*/', '* /')}`).join('\n')}\n */\n`
}

const indented = (text: string): string => text.replace(/^(?=.)/gm, '  ')
