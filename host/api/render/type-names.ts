// How each language writes the neutral types: for declarations and for the reference. Pure text.
import type { ApiAttribute, ApiEntry, ApiFunction, ApiList, ApiParameter, ApiRecord, ApiResult } from '../kinds.ts'

export type Language = 'js' | 'lua' | 'python'

type Names = Readonly<Record<string, string>>

const parameterNames: Readonly<Record<Language, Names>> = {
  js: {
    int: 'number',
    int64: 'number | bigint',
    float: 'number',
    bool: 'boolean',
    text: 'string | Uint8Array',
    bytes: 'string | Uint8Array',
    dict: 'Record<string, string | number | Uint8Array>',
    'int|bytes': 'number | string | Uint8Array',
  },
  lua: {
    int: 'integer',
    int64: 'integer',
    float: 'number',
    bool: 'boolean',
    text: 'string',
    bytes: 'string',
    dict: 'table<string, string|number>',
    'int|bytes': 'integer|string',
  },
  python: {
    int: 'int',
    int64: 'int',
    float: 'float',
    bool: 'bool',
    text: 'str | bytes',
    bytes: 'str | Buffer',
    dict: 'dict[Any, Any]',
    'int|bytes': 'int | str | Buffer',
  },
}

const resultNames: Readonly<Record<Language, Names>> = {
  js: {
    int: 'number',
    int64: 'number | bigint',
    float: 'number',
    bool: 'boolean',
    text: 'string',
    bytes: 'UwsgiBytes',
    options: 'Options',
    dict: 'Record<string, UwsgiBytes>',
    true: 'true',
    none: 'undefined',
  },
  lua: {
    int: 'integer',
    int64: 'integer',
    float: 'number',
    bool: 'boolean',
    text: 'string',
    bytes: 'string',
    options: 'table<string, string|true|(string|true)[]>',
    dict: 'table<string, string>',
    true: 'true',
    none: 'nil',
  },
  python: {
    int: 'int',
    int64: 'int',
    float: 'float',
    bool: 'bool',
    text: 'str',
    bytes: 'bytes',
    options: 'dict[str, bytes | Literal[True] | list[bytes | Literal[True]]]',
    dict: 'dict[Any, Any]',
    true: 'Literal[True]',
    none: 'None',
  },
}

export const parameterType = (language: Language, param: ApiParameter): string =>
  param.type === 'function' ? functionTypes[language](param) : (parameterNames[language][param.type] as string)

/** A function that the guest passes: what it answers is its own affair, and said in words. */
const functionTypes: Readonly<Record<Language, (param: ApiParameter) => string>> = {
  js: ({ takes }) => {
    const params = takes?.map(({ name, type }) => `${name}: ${resultType('js', type)}`).join(', ')
    return `(${params ?? '...args: UwsgiBytes[]'}) => unknown`
  },
  lua: ({ takes }) => {
    const params = takes?.map(({ name, type }) => `${name}: ${resultType('lua', type)}`).join(', ')
    return `fun(${params ?? '...: string'}): any`
  },
  // The dots are the only parameters that fit a function of any number of them.
  python: ({ takes }) =>
    `Callable[${takes ? `[${takes.map(({ type }) => resultType('python', type)).join(', ')}]` : '...'}, Any]`,
}

export const resultType = (language: Language, result: ApiResult): string => {
  if (typeof result === 'string') return resultNames[language][result] as string
  return 'list' in result ? listTypes[language](result) : recordTypes[language](result)
}

/** Of Lua's several results the types are joined by a comma, which no single type has at its outside. */
const listTypes: Readonly<Record<Language, (list: ApiList) => string>> = {
  js: ({ list, count }) => {
    const item = resultType('js', list)
    if (count !== undefined) return `[${repeated(item, count)}]`
    return /[|{ ]/.test(item) ? `(${item})[]` : `${item}[]`
  },
  lua: ({ list, count, lua }) => {
    const item = resultType('lua', list)
    if (lua === 'values') return count === undefined ? `${item}...` : repeated(item, count)
    return /[|{ ]/.test(item) ? `(${item})[]` : `${item}[]`
  },
  python: ({ list, count, python }) => {
    const item = resultType('python', list)
    if (python === 'list') return `list[${item}]`
    return count === undefined ? `tuple[${item}, ...]` : `tuple[${repeated(item, count)}]`
  },
}

const repeated = (item: string, count: number): string => Array(count).fill(item).join(', ')

const recordTypes: Readonly<Record<Language, (record: ApiRecord) => string>> = {
  js: ({ record, name }) => name ?? `{ ${fieldsOf('js', record).join('; ')} }`,
  lua: ({ record, name }) => (name === undefined ? `{ ${fieldsOf('lua', record).join(', ')} }` : `uwsgi.${name}`),
  python: ({ name }) => (name === undefined ? 'dict[str, Any]' : `_${name}`),
}

/** `name: type` of each field, for a declaration. */
export const fieldsOf = (language: Language, fields: ApiRecord['record']): string[] =>
  Object.entries(fields).map(([name, type]) => `${name}: ${resultType(language, type)}`)

/** Every record with a name that the results of these entries are made of, those that others are made of first. */
export const namedRecords = (entries: readonly ApiEntry[]): (ApiRecord & { readonly name: string })[] => {
  const found = new Map<string, ApiRecord & { readonly name: string }>()
  const visit = (type: ApiResult): void => {
    if (typeof type === 'string') return
    if ('list' in type) {
      visit(type.list)
      return
    }
    for (const field of Object.values(type.record)) visit(field)
    if (type.name !== undefined) found.set(type.name, { ...type, name: type.name })
  }
  for (const entry of entries) visit(entry.shape === 'attribute' ? entry.type : entry.returns)
  return [...found.values()]
}

/** What an attribute is: its only value, where there is but one. */
export const attributeType = (language: Language, { type, value }: ApiAttribute): string => {
  if (value === undefined || language === 'lua') return resultType(language, type)
  return language === 'js' ? String(value) : `Literal[${value}]`
}

const nothing: Readonly<Record<Language, string>> = { js: 'undefined', lua: 'nil', python: 'None' }

/** What a call gives, "not defined" included where it may be. */
export const returnType = (language: Language, entry: ApiFunction): string => {
  const type = valueType(language, entry)
  return language === 'js' && entry.kind === 'suspending' ? `Promise<${type}>` : type
}

const valueType = (language: Language, { returns, always, value }: ApiFunction): string => {
  const type = language === 'python' && value === '' ? 'Literal[b""]' : resultType(language, returns)
  if (always === true || type === nothing[language]) return type
  return language === 'lua' ? `${type}|nil` : `${type} | ${nothing[language]}`
}

/** Words that a language keeps for itself: a parameter of that name gets an underscore. */
const reserved: Readonly<Record<Language, ReadonlySet<string>>> = {
  js: new Set(['function', 'default', 'in', 'with']),
  lua: new Set(['function', 'end', 'in', 'nil']),
  python: new Set(['from', 'in', 'with', 'lambda', 'None']),
}

export const parameterName = (language: Language, name: string): string => (reserved[language].has(name) ? `${name}_` : name)

const literals: Readonly<Record<Language, Names>> = {
  js: { true: 'true', false: 'false' },
  lua: { true: 'true', false: 'false' },
  python: { true: 'True', false: 'False' },
}

/** A default as the language writes it; undefined when there is none to show. */
export const defaultText = (language: Language, param: ApiParameter): string | undefined => {
  const value = param.default
  if (value === undefined || value === null) return undefined
  if (typeof value === 'boolean') return literals[language][String(value)]
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
