// Renders bindings/python/types/uwsgi.pyi: what `import uwsgi` is to a type checker.
import type { ApiEntry, ApiFunction } from '../kinds.ts'
import { apiTable } from '../table/index.ts'
import {
  attributeType,
  defaultText,
  fieldsOf,
  namedRecords,
  parameterName,
  parameterType,
  resultType,
  returnType,
} from './type-names.ts'

const head = `# The \`uwsgi\` module of Python guests. Generated from the API table by \`npm run gen\`; do not edit.
from collections.abc import Buffer, Callable
from typing import Any, Literal, TypedDict, type_check_only
`

export const renderPythonStubs = (entries: readonly ApiEntry[] = apiTable): string =>
  `${[head, ...namedRecords(entries).map(typedDict), ...entries.map(stub)].join('\n')}\n`

/** The class exists for type checkers alone: at run time the module has plain dicts. */
const typedDict = ({ name, record }: ReturnType<typeof namedRecords>[number]): string =>
  `@type_check_only\nclass _${name}(TypedDict):\n    ${fieldsOf('python', record).join('\n    ')}\n`

const stub = (entry: ApiEntry): string => {
  if (entry.shape === 'attribute') return `${entry.name}: ${attributeType('python', entry)}\n${docComment(entry.doc)}`
  if (entry.shape === 'hook') {
    const params = entry.params.map(({ type }) => resultType('python', type)).join(', ')
    return `${entry.name}: Callable[[${params}], ${entry.returns === 'none' ? 'Any' : resultType('python', entry.returns)}]\n${docComment(entry.doc)}`
  }
  const signature = `(${paramsOf(entry)}) -> ${returnType('python', entry)}`
  const lines = [entry.doc, '', ...entry.params.map((param) => `${parameterName('python', param.name)}: ${param.doc}`)]
  if (entry.raises.length > 0) lines.push('', ...entry.raises.map((raised) => `Raises ${raised}`))
  const doc = lines.join('\n').trim().replaceAll('\\', '\\\\').replaceAll('"""', "'''")
  const body = `    """${doc.split('\n').join('\n    ').replaceAll(/ +$/gm, '')}"""`
  const aliases = (entry.aliases ?? []).map((alias) => `\n${alias} = ${entry.name}\n`).join('')
  return `def ${entry.name}${signature}:\n${body}\n    ...\n${aliases}`
}

const docComment = (doc: string): string => `"""${doc}"""\n`

const paramsOf = ({ params }: ApiFunction): string =>
  params
    .map((param, index) => {
      const name = parameterName('python', param.name)
      const type = parameterType('python', param)
      if (param.variadic) return `*${name}: ${type}`
      if (param.default === undefined) return `${name}: ${type}`
      // A parameter without a default after one that has one: the call sorts its arguments out by their number.
      const isFollowed = params.slice(index + 1).some((later) => later.default === undefined && !later.variadic)
      const shown = defaultText('python', param)
      if (isFollowed) return `${name}: ${type} | None`
      return shown === undefined ? `${name}: ${type} | None = None` : `${name}: ${type} = ${shown}`
    })
    .join(', ')
