// What a guest passes to a function of the API, as the neutral values its declaration is checked against.
// Invariant: functions are kept only for a call that succeeds; a view of the guest's memory never leaves this file.
import type { FunctionOwner } from '../../host/api/guest-function.ts'
import { GuestFunction } from '../../host/api/guest-function.ts'
import type { ApiFunction, ApiParameter, ApiValue } from '../../host/api/kinds.ts'
import { camelCaseName } from '../../host/api/table/index.ts'
import type { Converter } from './convert.ts'
import { notConvertible } from './convert.ts'
import type { Engine, Pointer } from './engine.ts'
import { GuestThrow } from './errors.ts'
import type { FunctionTable } from './functions.ts'
import { textToName } from './names.ts'

/** What reading arguments needs of a runtime. */
export interface ArgumentSource {
  readonly engine: Engine
  readonly converter: Converter
  readonly functions: FunctionTable
  readonly owner: FunctionOwner
}

export type ArgumentReader = (argc: number, argv: Pointer, kept: GuestFunction[]) => ApiValue[]

const cellSize = 8
const utf8Encoder = new TextEncoder()

/** Positions of the parameters that are dicts: the glue passes their items as that many arguments more. */
export const dictPositions = (entry: ApiFunction): number[] =>
  entry.params.flatMap(({ type }, position) => (type === 'dict' ? [position] : []))

/** @returns a function that adds to `kept` what it had to keep for the host */
export const argumentReader = (source: ArgumentSource, entry: ApiFunction): ArgumentReader => {
  const { converter, engine, functions, owner } = source
  const { params } = entry
  if (!params.some(({ type }) => type === 'function' || type === 'dict')) {
    return (argc, argv) => {
      const args: ApiValue[] = []
      for (let index = 0; index < argc; index += 1) args.push(converter.value(argv + index * cellSize))
      return args
    }
  }

  const readFunction = (cell: Pointer, kept: GuestFunction[]): ApiValue => {
    if (!engine.isFunction(cell)) return converter.value(cell)
    const value = new GuestFunction(owner, functions.keep(cell))
    kept.push(value)
    return value
  }

  return (argc, argv, kept) => {
    const end = argv + argc * cellSize
    const args: ApiValue[] = []
    let cell = argv
    while (cell < end) {
      const param = params[Math.min(args.length, params.length - 1)]
      if (param?.type !== 'dict' || args.length >= params.length) {
        const isFunction = param?.type === 'function' && (args.length < params.length || param.variadic === true)
        args.push(isFunction ? readFunction(cell, kept) : converter.value(cell))
        cell += cellSize
        continue
      }
      const count = converter.value(cell)
      cell += cellSize
      if (typeof count !== 'number') args.push(undefined)
      else if (count < 0) args.push(notConvertible)
      else {
        args.push(readDict(converter, entry, param, cell, count))
        cell += count * 2 * cellSize
      }
    }
    return args
  }
}

const readDict = (converter: Converter, entry: ApiFunction, param: ApiParameter, start: Pointer, count: number): ApiValue => {
  const items = new Map<string, Uint8Array>()
  for (let index = 0; index < count; index += 1) {
    const cell = start + index * 2 * cellSize
    const name = converter.text(cell)!
    const value = bytesOf(converter, cell + cellSize)
    if (value === undefined) {
      const where = `uwsgi.${camelCaseName(entry.name)}(): argument '${param.name}'`
      throw new GuestThrow(
        'UwsgiError',
        `${where}: the value of ${JSON.stringify(name.slice(0, 80))} must be text, bytes or a number`,
        'API_ARGUMENT',
      )
    }
    items.set(textToName(name), value)
  }
  return items
}

/** Text as UTF-8, bytes as they are, numbers as their text; undefined for anything else. */
export const bytesOf = (converter: Converter, cell: Pointer): Uint8Array | undefined => {
  const bytes = converter.bytes(cell) ?? converter.utf8(cell)
  if (bytes !== undefined) return new Uint8Array(bytes)
  const value = converter.value(cell)
  return typeof value === 'number' || typeof value === 'bigint' ? utf8Encoder.encode(String(value)) : undefined
}
