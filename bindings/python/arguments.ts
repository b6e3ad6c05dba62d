// What a guest passes to a function of the API, as the neutral values its declaration asks for.
// Invariant: a reference to a function of the guest that was taken here is given back when the call comes to nothing.
import { GuestFunction } from '../../host/api/guest-function.ts'
import type { ApiCallable, ApiParameter, ApiValue } from '../../host/api/kinds.ts'
import { ApiArgumentError } from '../../host/errors.ts'
import type { Pointer, PythonApi } from './capi.ts'
import { bytesFromPython, dictFromPython, fromPython } from './convert.ts'

/** Takes a reference to a callable of the guest, for the host to keep. */
export type KeepFunction = (callable: Pointer) => GuestFunction

type Reader = (api: PythonApi, object: Pointer, functionName: string, argument: string) => ApiValue

export class ArgumentReader {
  readonly #api: PythonApi
  readonly #entry: ApiCallable
  /** One per parameter, without the variadic one. */
  readonly #readers: readonly Reader[]
  readonly #rest: Reader | undefined
  readonly #takesFunctions: boolean

  constructor(api: PythonApi, entry: ApiCallable, keep: KeepFunction) {
    this.#api = api
    this.#entry = entry
    const { params } = entry
    this.#readers = params.filter(({ variadic }) => variadic !== true).map((param) => readerOf(param, keep))
    const last = params.at(-1)
    this.#rest = last?.variadic === true ? readerOf(last, keep) : undefined
    this.#takesFunctions = params.some(({ type }) => type === 'function')
  }

  /**
   * Positional and keyword arguments in declared order.
   * @param args the address of `count` positional arguments, then of those that the tuple `keywords` (or 0) names
   * @throws ApiArgumentError
   */
  read(args: Pointer, count: number, keywords: Pointer): ApiValue[] {
    const values: ApiValue[] = []
    if (!this.#takesFunctions) this.#readInto(values, args, count, keywords)
    else {
      try {
        this.#readInto(values, args, count, keywords)
      } catch (error) {
        this.release(values)
        throw error
      }
    }
    return values
  }

  /** Gives back what the host was to keep and did not. */
  release(values: readonly ApiValue[]): void {
    if (!this.#takesFunctions) return
    for (const value of values) if (value instanceof GuestFunction) value.release()
  }

  #readInto(values: ApiValue[], args: Pointer, count: number, keywords: Pointer): void {
    const api = this.#api
    const readers = this.#readers
    const { name, params } = this.#entry
    const declared = Math.min(count, readers.length)
    for (let index = 0; index < declared; index += 1) {
      values.push(readers[index]!(api, api.words[(args >> 2) + index]!, name, params[index]!.name))
    }
    if (count > declared) {
      const rest = this.#rest
      // One more than declared is enough for the table's own complaint about too many.
      if (rest === undefined) values.push(undefined)
      else {
        const base = params[declared]!.name
        for (let index = declared; index < count; index += 1) {
          values.push(rest(api, api.words[(args >> 2) + index]!, name, `${base}[${index - declared}]`))
        }
      }
    }
    if (keywords !== 0) this.#readKeywords(values, args, count, keywords)
  }

  #readKeywords(values: ApiValue[], args: Pointer, count: number, keywords: Pointer): void {
    const api = this.#api
    const { c } = api
    const { name, params } = this.#entry
    const named = c.PyTuple_Size(keywords)
    for (let index = 0; index < named; index += 1) {
      const keyword = api.strText(c.PyTuple_GetItem(keywords, index))
      if (keyword === undefined) c.PyErr_Clear()
      const position = params.findIndex((param) => param.name === keyword && param.variadic !== true)
      const shown = keyword ?? '?'
      if (position === -1) throw new ApiArgumentError(name, shown, 'type', `got an unexpected keyword argument '${shown}'`)
      if (position < count) throw new ApiArgumentError(name, shown, 'type', `got multiple values for argument '${shown}'`)
      while (values.length < position) values.push(undefined)
      values[position] = this.#readers[position]!(api, api.words[(args >> 2) + count + index]!, name, shown)
    }
  }
}

const readerOf = ({ type }: ApiParameter, keep: KeepFunction): Reader => {
  switch (type) {
    case 'bytes':
      return bytesFromPython
    case 'int':
    case 'int64':
      return wholeNumber
    case 'int|bytes':
      return (api, object, functionName, argument) => {
        refuseFloat(api, object, functionName, argument)
        return bytesFromPython(api, object, functionName, argument)
      }
    case 'bool':
      // Flags of uWSGI's own functions are numbers as often as truth values.
      return (api, object, functionName, argument) => {
        const value = fromPython(api, object, functionName, argument)
        return typeof value === 'number' || typeof value === 'bigint' ? Number(value) !== 0 : value
      }
    case 'dict':
      return (api, object, functionName, argument) =>
        object === api.none ? undefined : dictFromPython(api, object, functionName, argument)
    case 'function':
      return (api, object, functionName, argument) => {
        if (object === api.none) return undefined
        if (api.c.PyCallable_Check(object) !== 0) return keep(object)
        throw new ApiArgumentError(functionName, argument, 'type', `argument '${argument}' must be a function`)
      }
    default:
      return fromPython
  }
}

const wholeNumber: Reader = (api, object, functionName, argument) => {
  refuseFloat(api, object, functionName, argument)
  return fromPython(api, object, functionName, argument)
}

/** To the host 2.0 is as whole as 2; to Python it is not. */
const refuseFloat = (api: PythonApi, object: Pointer, functionName: string, argument: string): void => {
  if (api.typeOf(object) === api.floatType)
    throw new ApiArgumentError(functionName, argument, 'type', `argument '${argument}' must be a whole number, not float`)
}
