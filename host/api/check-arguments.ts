// Holds what a guest passed to what the table declares: count, types, ranges. Derived from the declaration alone.
import { ApiArgumentError } from '../errors.ts'
import { GuestFunction } from './guest-function.ts'
import type { ApiCallable, ApiParameter, ApiValue } from './kinds.ts'

/**
 * The arguments in declared order, defaults filled in, text and bytes converted to what the declaration says; those of a
 * variadic parameter gathered into a list. Differs from uWSGI: an argument too many is refused by every function, some of
 * its functions ignore it; numbers out of range are refused, not taken modulo something.
 * @throws ApiArgumentError with fault `type` for a wrong count or type, `value` for what is out of range
 */
export const checkArguments = (entry: ApiCallable, args: readonly ApiValue[]): ApiValue[] => {
  const { params } = entry
  const isVariadic = params.at(-1)?.variadic === true
  if (args.length > params.length && !isVariadic) {
    const most = params.length
    throw new ApiArgumentError(
      entry.name,
      '',
      'type',
      `takes at most ${most} argument${most === 1 ? '' : 's'}, got ${args.length}`,
    )
  }
  // On the way of every call of a guest: no closures, and nothing made but the answer.
  const checked: ApiValue[] = []
  for (let index = 0; index < params.length; index += 1) {
    const param = params[index] as ApiParameter
    checked.push(param.variadic ? checkRest(entry, param, args, index) : checkArgument(entry, param, args[index]))
  }
  return checked
}

const checkRest = (entry: ApiCallable, param: ApiParameter, args: readonly ApiValue[], first: number): ApiValue[] => {
  const rest: ApiValue[] = []
  for (let index = first; index < args.length; index += 1) rest.push(converted(entry, param, args[index], index - first))
  return rest
}

const checkArgument = (entry: ApiCallable, param: ApiParameter, value: ApiValue): ApiValue => {
  if (value !== undefined) return converted(entry, param, value, undefined)
  if (param.default === undefined) throw new ApiArgumentError(entry.name, param.name, 'type', `missing argument '${param.name}'`)
  return param.default ?? undefined
}

const wanted: Readonly<Record<ApiParameter['type'], string>> = {
  int: 'a whole number',
  int64: 'a whole number',
  float: 'a number',
  bool: 'a boolean',
  text: 'text',
  bytes: 'text or bytes',
  function: 'a function',
  dict: 'names and values',
  'int|bytes': 'a whole number, text or bytes',
}

/** @param place of a value among those of a variadic parameter, from 0 */
const converted = (entry: ApiCallable, param: ApiParameter, value: ApiValue, place: number | undefined): ApiValue => {
  const result = convert(param.type, value)
  if (result === undefined) throw refusal(entry, param, place, 'type', `must be ${wanted[param.type]}`)
  const fault = faultOf(param, result)
  if (fault !== undefined) throw refusal(entry, param, place, 'value', fault)
  return result
}

const refusal = (
  entry: ApiCallable,
  param: ApiParameter,
  place: number | undefined,
  fault: 'type' | 'value',
  why: string,
): ApiArgumentError => {
  const name = place === undefined ? param.name : `${param.name}[${place}]`
  return new ApiArgumentError(entry.name, name, fault, `argument '${name}' ${why}`)
}

/** What is wrong with a value of the right type. */
const faultOf = (param: ApiParameter, value: ApiValue): string | undefined => {
  const { type, min, max, maxBytes } = param
  if (type === 'int' || (type === 'int|bytes' && !(value instanceof Uint8Array))) {
    const least = min ?? Number.MIN_SAFE_INTEGER
    const most = max ?? Number.MAX_SAFE_INTEGER
    if (typeof value === 'bigint' || (value as number) < least || (value as number) > most)
      return `must be from ${least} to ${most}, not ${value}`
  } else if (type === 'int64') {
    if (BigInt.asIntN(64, value as bigint) !== value) return `must fit 64 bits, ${value} does not`
  } else if (maxBytes !== undefined) {
    const size = typeof value === 'string' ? Buffer.byteLength(value) : (value as Uint8Array).length
    if (size > maxBytes) return `may have ${maxBytes} bytes, not ${size}`
  }
  return undefined
}

const utf8Encoder = new TextEncoder()
const utf8Decoder = new TextDecoder('utf-8', { fatal: true })

/** Undefined: the value is of another type. */
const convert = (type: ApiParameter['type'], value: ApiValue): ApiValue => {
  switch (type) {
    case 'int':
      return typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value)) ? value : undefined
    case 'int64':
      if (typeof value === 'bigint') return value
      return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : undefined
    case 'float':
      if (typeof value === 'bigint') return Number(value)
      return typeof value === 'number' ? value : undefined
    case 'bool':
      return typeof value === 'boolean' ? value : undefined
    case 'bytes':
      if (value instanceof Uint8Array) return value
      return typeof value === 'string' ? utf8Encoder.encode(value) : undefined
    case 'text':
      if (typeof value === 'string') return value
      if (!(value instanceof Uint8Array)) return undefined
      try {
        return utf8Decoder.decode(value)
      } catch {
        return undefined
      }
    case 'function':
      return value instanceof GuestFunction ? value : undefined
    case 'dict':
      return value instanceof Map ? value : undefined
    case 'int|bytes':
      return convert(typeof value === 'string' || value instanceof Uint8Array ? 'bytes' : 'int', value)
  }
}
