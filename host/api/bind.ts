// Binds the table to one worker: checks arguments against their declaration, then calls the implementation. Bindings see
// only the result, a list they loop over; no binding knows any function by name.
import { ApiArgumentError } from '../errors.ts'
import type { ApiContext } from './context.ts'
import { identityImplementation } from './implement/identity.ts'
import { loggingImplementation } from './implement/logging.ts'
import { optionsImplementation } from './implement/options.ts'
import type { ApiAttribute, ApiFunction, ApiParameter, ApiValue, ImplementationOf } from './kinds.ts'
import { apiTable } from './table/index.ts'

/** A function of the API, ready to be called by a guest. */
export interface BoundFunction {
  readonly entry: ApiFunction
  /**
   * @param args what the guest passed, in order, each as the neutral value its binding makes of it
   * @throws ApiArgumentError naming the argument
   */
  call(args: readonly ApiValue[]): ApiValue
}

export interface BoundAttribute {
  readonly entry: ApiAttribute
  readonly value: ApiValue
}

export interface BoundApi {
  readonly functions: readonly BoundFunction[]
  readonly attributes: readonly BoundAttribute[]
}

const implementation: ImplementationOf<typeof apiTable, ApiContext> = {
  ...identityImplementation,
  ...loggingImplementation,
  ...optionsImplementation,
}

export const bindApi = (context: ApiContext): BoundApi => {
  const functions: BoundFunction[] = []
  const attributes: BoundAttribute[] = []
  for (const entry of apiTable) {
    // The mapped type above proved that the implementation takes what the entry declares; past this point arguments
    // are only known at run time, and checkArguments() is what holds them to the declaration.
    const implement = implementation[entry.name] as (context: ApiContext, ...args: ApiValue[]) => ApiValue
    if (entry.shape === 'attribute') attributes.push({ entry, value: implement(context) })
    else functions.push({ entry, call: (args) => implement(context, ...checkArguments(entry, args)) })
  }
  return { functions, attributes }
}

/**
 * The arguments in declared order, defaults filled in, text and bytes converted to what the declaration says.
 * @throws ApiArgumentError with fault `type` for a wrong count or type
 */
export const checkArguments = (entry: ApiFunction, args: readonly ApiValue[]): ApiValue[] => {
  if (args.length > entry.params.length) {
    const most = entry.params.length
    throw new ApiArgumentError(
      entry.name,
      '',
      'type',
      `takes at most ${most} argument${most === 1 ? '' : 's'}, got ${args.length}`,
    )
  }
  return entry.params.map((param, index) => checkArgument(entry, param, args[index]))
}

const checkArgument = (entry: ApiFunction, param: ApiParameter, value: ApiValue): ApiValue => {
  if (value === undefined) {
    if (param.default === undefined)
      throw new ApiArgumentError(entry.name, param.name, 'type', `missing argument '${param.name}'`)
    return param.default ?? undefined
  }
  const converted = convert(param, value)
  if (converted === undefined) {
    const wanted = { int: 'a whole number', float: 'a number', bool: 'a boolean', text: 'text', bytes: 'text or bytes' }[
      param.type
    ]
    throw new ApiArgumentError(entry.name, param.name, 'type', `argument '${param.name}' must be ${wanted}`)
  }
  return converted
}

const utf8Encoder = new TextEncoder()
const utf8Decoder = new TextDecoder('utf-8', { fatal: true })

const convert = (param: ApiParameter, value: ApiValue): ApiValue => {
  switch (param.type) {
    case 'int':
      return typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value)) ? value : undefined
    case 'float':
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
  }
}
