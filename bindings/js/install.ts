// The `uwsgi` module for guests: a loop over the bound API. Names are camelCase and the official snake_case; the module
// can be imported whole or by name, and is the global `uwsgi` too. What may wait is there a second time, as a promise, in
// `uwsgi.promises`; what gives way to others is there as a promise only.
import type { BoundApi, BoundFunction } from '../../host/api/bind.ts'
import type { GuestFunction } from '../../host/api/guest-function.ts'
import type { ApiValue } from '../../host/api/kinds.ts'
import { camelCaseName } from '../../host/api/table/index.ts'
import { PolywsgiError } from '../../host/errors.ts'
import { argumentReader, dictPositions } from './arguments.ts'
import type { Pointer, RawFunction } from './engine.ts'
import { GuestThrow } from './errors.ts'
import { environmentModuleName, fileMembers, filesModuleName } from './files.ts'
import type { Outcome } from './host-promises.ts'
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

const abandoned = (bound: BoundFunction): GuestThrow => {
  const message = `uwsgi.${camelCaseName(bound.entry.name)}(): the request is over, nothing waits for it any more`
  return new GuestThrow('UwsgiError', message, 'API_REFUSED')
}

/** What a function does that gives a promise. Whatever is wrong rejects that: nothing is thrown but for want of memory. */
const waitingFunction = (runtime: Runtime, bound: BoundFunction, shape: Pointer | undefined): RawFunction => {
  const { converter, engine, suspension } = runtime
  const { promises } = suspension
  const { returns } = bound.entry
  const readArguments = argumentReader(runtime, bound.entry)
  const outcome: Outcome<ApiValue> = {
    shape,
    toValue: (result) => guestValue(converter, returns, result),
    toError: (error) => (error instanceof PolywsgiError ? refusalOf(bound, error) : engine.refusalOf(error)),
  }
  return (argc, argv) => {
    if (suspension.isAbandoned) return promises.rejected(abandoned(bound), outcome)
    const kept: GuestFunction[] = []
    const letGo = (): void => {
      for (const fn of kept) fn.release()
    }
    let result: ApiValue | Promise<ApiValue>
    try {
      result = bound.callAsync!(readArguments(argc, argv, kept))
    } catch (error) {
      letGo()
      return promises.rejected(error, outcome)
    }
    if (!(result instanceof Promise)) return promises.resolved(result, outcome)
    if (kept.length > 0) result.catch(letGo)
    return promises.of(result, outcome)
  }
}

export const installApi = (runtime: Runtime, api: BoundApi): void => {
  const { engine, converter } = runtime
  const exported = new Set(['promises'])
  const add = (entry: string, names: string, values: readonly Pointer[]): void => {
    runtime.callEntry(entry, [converter.newText(names), ...values])
  }
  const addExported = (entry: string, names: string, values: readonly Pointer[]): void => {
    add(entry, names, values)
    for (const name of names.split(' ')) exported.add(name)
  }
  const addWaiting = (bound: BoundFunction, isInModule: boolean): void => {
    const { name, aliases, returns } = bound.entry
    const shape = isPlain(returns) ? undefined : newShape(converter, returns)
    const raw = engine.newFunction(name, waitingFunction(runtime, bound, shape))
    const names = namesOf(name, aliases)
    runtime.callEntry('addWaiting', [
      converter.boolean(isInModule),
      converter.newText(names),
      raw,
      converter.newList(dictPositions(bound.entry)),
    ])
    if (isInModule) for (const each of names.split(' ')) exported.add(each)
  }
  for (const bound of api.functions) {
    const { name, aliases, kind, returns } = bound.entry
    if (bound.callAsync !== undefined) addWaiting(bound, kind === 'suspending')
    if (kind === 'suspending') continue
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
  runtime.modules.addVirtual(filesModuleName, moduleOf(filesModuleName, fileMembers))
  runtime.modules.addVirtual(environmentModuleName, moduleOf(environmentModuleName, []))
  runtime.callEntry('showBuiltIns', [])
  for (const name of [apiModuleName, filesModuleName, environmentModuleName])
    runtime.callEntry('importNow', [converter.newText(name)])
  runtime.suspension.endTurn()
  runtime.callEntry('hideBuiltIns', [])
}

const moduleOf = (name: string, members: readonly string[]): string =>
  `const members = globalThis.polywsgiBuiltIns['${name}']\nexport default members\n${members
    .map((member) => `export const ${member} = members.${member}`)
    .join('\n')}\n`
