// The `uwsgi` module for guests: a loop over the bound API. Names are camelCase and the official snake_case; the module
// can be imported whole or by name, and is the global `uwsgi` too.
import type { BoundApi, BoundFunction } from '../../host/api/bind.ts'
import type { GuestFunction } from '../../host/api/guest-function.ts'
import type { ApiValue } from '../../host/api/kinds.ts'
import { camelCaseName } from '../../host/api/table/index.ts'
import { PolywsgiError } from '../../host/errors.ts'
import { argumentReader, dictPositions } from './arguments.ts'
import type { Pointer, RawFunction } from './engine.ts'
import { GuestThrow } from './errors.ts'
import { apiModuleName } from './modules.ts'
import { guestValue, isPlain, newShape } from './results.ts'
import type { Runtime } from './runtime.ts'

/** All names of an entry, the official one first, joined by a space. */
const namesOf = (name: string, aliases: readonly string[] = []): string => {
  const names = [name, ...aliases]
  return [...new Set([...names, ...names.map(camelCaseName)])].join(' ')
}

/** What the guest is told of a failure: the function by the name that JavaScript has for it. */
const refusalOf = (bound: BoundFunction, error: PolywsgiError): GuestThrow => {
  const { name } = bound.entry
  const official = `uwsgi.${name}()`
  const message = error.message.startsWith(official)
    ? `uwsgi.${camelCaseName(name)}()${error.message.slice(official.length)}`
    : error.message
  return new GuestThrow('UwsgiError', message, error.code)
}

/** What a function does when a guest calls it. */
const rawFunction = (runtime: Runtime, bound: BoundFunction): RawFunction => {
  const { collector, converter } = runtime
  const { kind, returns } = bound.entry
  const readArguments = argumentReader(runtime, bound.entry)
  return (argc, argv) => {
    const kept: GuestFunction[] = []
    let result: ApiValue
    try {
      result = bound.call(readArguments(argc, argv, kept))
    } catch (error) {
      for (const fn of kept) fn.release()
      throw error instanceof PolywsgiError ? refusalOf(bound, error) : error
    }
    // A program that waits in here for one thing after the other, as mules do, never ends its turn.
    if (kind !== 'immediate') collector.check()
    return guestValue(converter, returns, result)
  }
}

export const installApi = (runtime: Runtime, api: BoundApi): void => {
  const { engine, converter } = runtime
  const exported = new Set<string>()
  const add = (entry: string, names: string, values: readonly Pointer[]): void => {
    runtime.callEntry(entry, [converter.newText(names), ...values])
  }
  const addExported = (entry: string, names: string, values: readonly Pointer[]): void => {
    add(entry, names, values)
    for (const name of names.split(' ')) exported.add(name)
  }
  for (const bound of api.functions) {
    const { name, aliases, returns } = bound.entry
    const raw = engine.newFunction(name, rawFunction(runtime, bound))
    const dicts = dictPositions(bound.entry)
    if (isPlain(returns) && dicts.length === 0) addExported('addMember', namesOf(name, aliases), [raw])
    else {
      const values = [raw, newShape(converter, returns), converter.newList(dicts)]
      addExported('addFunction', namesOf(name, aliases), values)
    }
  }
  for (const { entry, value } of api.attributes) {
    const made = guestValue(converter, entry.type, value)
    const values = [made === 0 ? engine.duplicate(engine.undefinedValue) : made, newShape(converter, entry.type)]
    addExported('addAttribute', namesOf(entry.name), values)
  }
  for (const { name } of api.hooks) add('addHook', namesOf(name), [])
  runtime.callEntry('ready', [])

  // Evaluated now, while the global is still what the glue made; later imports find the module by its name.
  const lines = [...exported].map(
    (name, index) => `const v${index} = api[${JSON.stringify(name)}]\nexport { v${index} as ${name} }`,
  )
  runtime.modules.addVirtual(apiModuleName, `const api = globalThis.uwsgi\nexport default api\n${lines.join('\n')}\n`)
  runtime.callEntry('importNow', [converter.newText(apiModuleName)])
  runtime.suspension.endTurn()
}
