// Renders bindings/lua/types/uwsgi.lua: LuaLS annotations of the `uwsgi` table.
import type { ApiEntry, ApiFunction } from '../kinds.ts'
import { apiTable } from '../table/index.ts'
import { fieldsOf, namedRecords, parameterName, parameterType, resultType, returnType } from './type-names.ts'

const head = `---@meta uwsgi
-- The \`uwsgi\` table of Lua guests. Generated from the API table by \`npm run gen\`; do not edit.
`

const table = `---@class uwsgi
uwsgi = {}
`

export const renderLuaAnnotations = (entries: readonly ApiEntry[] = apiTable): string =>
  `${[head, ...namedRecords(entries).map(recordClass), table, ...entries.map(annotation)].join('\n')}\nreturn uwsgi\n`

const recordClass = ({ name, record }: ReturnType<typeof namedRecords>[number]): string => {
  const fields = fieldsOf('lua', record).map((field) => `---@field ${field.replace(': ', ' ')}`)
  return [`---@class uwsgi.${name}`, ...fields, ''].join('\n')
}

const annotation = (entry: ApiEntry): string => {
  const lines = entry.doc.split('\n').map((line) => `--- ${line}`)
  if (entry.shape === 'attribute') {
    return `${lines.join('\n')}\n---@type ${resultType('lua', entry.type)}\nuwsgi.${entry.name} = nil\n`
  }
  if (entry.shape === 'hook') {
    const params = entry.params.map(({ name, type }) => `${name}: ${resultType('lua', type)}`).join(', ')
    const result = entry.returns === 'none' ? '' : `: ${resultType('lua', entry.returns)}`
    return `${lines.join('\n')}\n---@type fun(${params})${result}\nuwsgi.${entry.name} = nil\n`
  }
  const names: string[] = []
  for (const param of entry.params) {
    const name = param.variadic ? '...' : parameterName('lua', param.name)
    const optional = param.default !== undefined && !param.variadic ? '?' : ''
    names.push(name)
    lines.push(`---@param ${name}${optional} ${parameterType('lua', param)} ${param.doc}`)
  }
  for (const type of returnsOf(entry)) lines.push(`---@return ${type}`)
  const aliases = [...(entry.aliases ?? []), ...(entry.luaAliases ?? [])].map((alias) => `uwsgi.${alias} = uwsgi.${entry.name}\n`)
  return `${lines.join('\n')}\nfunction uwsgi.${entry.name}(${names.join(', ')}) end\n${aliases.join('')}`
}

/** One type per result. */
const returnsOf = (entry: ApiFunction): string[] => {
  const type = returnType('lua', entry)
  const { returns } = entry
  const isSeveral = typeof returns === 'object' && 'list' in returns && returns.lua === 'values'
  return isSeveral && returns.count !== undefined ? type.split(', ') : [type]
}
