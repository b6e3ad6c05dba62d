// The `uwsgi` module for guests: a loop over the bound API. Names are camelCase and the official snake_case; the module
// can be imported whole or by name, and is the global `uwsgi` too.
import type { BoundApi, BoundFunction } from '../../host/api/bind.ts'
import type { ApiType, ApiValue, OptionMap } from '../../host/api/kinds.ts'
import { camelCaseName } from '../../host/api/table/index.ts'
import { ApiArgumentError, PolywsgiError } from '../../host/errors.ts'
import type { Pointer, RawFunction } from './engine.ts'
import { GuestThrow } from './errors.ts'
import { apiModuleName } from './modules.ts'
import type { Runtime } from './runtime.ts'

const namesOf = (name: string): string => {
  const camelCase = camelCaseName(name)
  return camelCase === name ? name : `${name} ${camelCase}`
}

/** What a function does when a guest calls it. */
const rawFunction = (runtime: Runtime, bound: BoundFunction): RawFunction => {
  const { converter } = runtime
  return (argc, argv) => {
    const args: ApiValue[] = []
    for (let index = 0; index < argc; index += 1) args.push(converter.value(argv + index * 8))
    let result: ApiValue
    try {
      result = bound.call(args)
    } catch (error) {
      if (error instanceof ApiArgumentError) {
        const { name } = bound.entry
        throw new GuestThrow('UwsgiError', error.message.replace(`uwsgi.${name}()`, `uwsgi.${camelCaseName(name)}()`), error.code)
      }
      if (error instanceof PolywsgiError) throw new GuestThrow('UwsgiError', error.message, error.code)
      throw error
    }
    return guestValue(runtime, bound.entry.returns, result)
  }
}

/** Bytes become an ArrayBuffer, which the glue turns into UwsgiBytes. */
const guestValue = (runtime: Runtime, type: ApiType, value: ApiValue): Pointer => {
  const { converter } = runtime
  if (value === undefined) return 0
  if (value instanceof Uint8Array) return converter.newBuffer(value)
  if (typeof value === 'string') return converter.newText(value)
  if (typeof value === 'boolean') return converter.boolean(value)
  if (typeof value === 'bigint') return guestInteger(runtime, value)
  if (typeof value === 'number') {
    const isInt32 = type === 'int' && value === (value | 0)
    return isInt32 ? converter.int32(value) : converter.float(value)
  }
  throw new Error(`an API function returned a value of type ${type} that no guest can get`)
}

// A number where it is exact, else a BigInt: beyond 2^53 a number would be rounded.
const guestInteger = (runtime: Runtime, value: bigint): Pointer => {
  const asNumber = Number(value)
  if (Number.isSafeInteger(asNumber)) return runtime.converter.float(asNumber)
  const writer = runtime.converter.beginBjson()
  writer.bigint(value)
  return runtime.converter.fromBjson(writer.bytes)
}

/** Name, number of values and values of each option in turn; `true` goes as the number 1. */
const optionList = (options: OptionMap): (string | number)[] => {
  const list: (string | number)[] = []
  for (const [name, values] of options) {
    list.push(name, values.length)
    for (const value of values) list.push(value === true ? 1 : value)
  }
  return list
}

export const installApi = (runtime: Runtime, api: BoundApi): void => {
  const { engine, converter } = runtime
  const exported = new Set<string>()
  const add = (entry: string, names: string, value: Pointer): void => {
    runtime.callEntry(entry, [converter.newText(names), value])
    for (const name of names.split(' ')) exported.add(name)
  }
  for (const bound of api.functions) {
    const names = namesOf(bound.entry.name)
    add('addFunction', names, engine.newFunction(bound.entry.name, rawFunction(runtime, bound)))
  }
  for (const { entry, value } of api.attributes) {
    const names = namesOf(entry.name)
    if (value instanceof Map) add('addOptions', names, converter.newList(optionList(value)))
    else {
      const made = guestValue(runtime, entry.type, value)
      add('addAttribute', names, made === 0 ? engine.ffi._QTS_DupValuePointer(engine.context, engine.undefinedValue) : made)
    }
  }
  runtime.callEntry('ready', [])

  // Evaluated now, while the global is still what the glue made; later imports find the module by its name.
  const lines = [...exported].map(
    (name, index) => `const v${index} = api[${JSON.stringify(name)}]\nexport { v${index} as ${name} }`,
  )
  runtime.modules.addVirtual(apiModuleName, `const api = globalThis.uwsgi\nexport default api\n${lines.join('\n')}\n`)
  runtime.callEntry('importNow', [converter.newText(apiModuleName)])
  runtime.suspension.endTurn()
}
