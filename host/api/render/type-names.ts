// How each language writes the neutral types: for declarations and for the reference. Pure text.
import type { ApiFunction, ApiParameter, ApiResult } from '../kinds.ts'

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
    function: '(...args: never[]) => unknown',
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
    function: 'function',
    'int|bytes': 'integer|string',
  },
  python: {
    int: 'int',
    int64: 'int',
    float: 'float',
    bool: 'bool',
    text: 'str | bytes',
    bytes: 'str | bytes | bytearray | memoryview',
    dict: 'Mapping[Any, Any]',
    function: 'Callable[..., Any]',
    'int|bytes': 'int | str | bytes | bytearray | memoryview',
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

export const parameterType = (language: Language, param: ApiParameter): string => parameterNames[language][param.type] as string

export const resultType = (language: Language, result: ApiResult): string => {
  if (typeof result === 'string') return resultNames[language][result] as string
  if ('list' in result) {
    const item = resultType(language, result.list)
    if (language === 'python') return result.python === 'tuple' ? `tuple[${item}, ...]` : `list[${item}]`
    if (language === 'lua' && result.lua === 'values') return `${item}...`
    return /[|{ ]/.test(item) ? `(${item})[]` : `${item}[]`
  }
  if (language === 'python') return 'dict[str, Any]'
  const fields = Object.entries(result.record).map(([name, type]) => `${name}: ${resultType(language, type)}`)
  return language === 'js' ? `{ ${fields.join('; ')} }` : `{ ${fields.join(', ')} }`
}

const nothing: Readonly<Record<Language, string>> = { js: 'undefined', lua: 'nil', python: 'None' }

/** What a call gives, "not defined" included where it may be. */
export const returnType = (language: Language, { returns, always }: ApiFunction): string => {
  const type = resultType(language, returns)
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
