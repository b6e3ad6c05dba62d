// JavaScript functions as built-in Python functions, without a proxy in between: each gets a slot in the wasm function
// table and a C method definition, so Python calls it like any function written in C, with raw addresses.
// Invariant: the host's part of such a function runs inside a `try`, so no exception of the host crosses wasm frames, but
// for the one case where the interpreter has died in a call from within that part: there is nothing to return to then.
import { ApiArgumentError, GuestError, PolywsgiError } from '../../host/errors.ts'
import { wasm } from '../../host/plugin/web-assembly.ts'
import type { ExceptionClass, Pointer, PythonApi } from './capi.ts'

/** Takes borrowed references, returns a new one, or 0 with a Python exception set. */
export type HostFunctionDefinition = {
  readonly name: string
  /** With the signature in front, as CPython's own have it: `name(a, b)\n--\n\ntext`. */
  readonly doc: string
} & (
  | { readonly takes: 'one'; call(self: Pointer, argument: Pointer): Pointer }
  /** `args` is the address of exactly `count` pointers; a call with more or fewer is TypeError before it gets here. */
  | { readonly takes: 'positional'; readonly count: number; call(self: Pointer, args: Pointer): Pointer }
  /** `keywords` is 0 or a tuple of names, whose values follow the positional ones. */
  | { readonly takes: 'keywords'; call(self: Pointer, args: Pointer, count: number, keywords: Pointer): Pointer }
)

/** What the wasm function table gets. */
interface EntryPoint {
  readonly takes: HostFunctionDefinition['takes']
  call(self: Pointer, first: Pointer, count: number, keywords: Pointer): Pointer
}

/** METH_O; METH_FASTCALL; METH_FASTCALL | METH_KEYWORDS. */
const methodFlags = { one: 0x08, positional: 0x80, keywords: 0x82 }
const parameterCounts = { one: 2, positional: 3, keywords: 4 }

export class HostFunctions {
  readonly #api: PythonApi
  readonly #assertAlive: () => void

  /** @param assertAlive throws when the interpreter has died */
  constructor(api: PythonApi, assertAlive: () => void) {
    this.#api = api
    this.#assertAlive = assertAlive
  }

  /** One new reference per definition. The functions stay for the life of the interpreter. */
  define(definitions: readonly HostFunctionDefinition[], moduleName: string): Pointer[] {
    const api = this.#api
    const { c } = api
    const entries = asWasmFunctions(definitions.map((definition) => this.#guarded(this.#checked(definition))))
    const table = c.__indirect_function_table
    const firstSlot = table.grow(entries.length) as number
    const moduleText = api.newStr(moduleName)
    const functions = definitions.map((definition, index) => {
      table.set(firstSlot + index, entries[index])
      // struct PyMethodDef: name, function, flags, doc. CPython keeps the address, so it is never freed.
      const method = c.malloc(16)
      const fields = [
        api.newCString(definition.name),
        firstSlot + index,
        methodFlags[definition.takes],
        api.newCString(definition.doc),
      ]
      api.words.set(fields, method >> 2)
      return c.PyCFunction_NewEx(method, 0, moduleText)
    })
    c.Py_DecRef(moduleText)
    return functions
  }

  // A guest may find any of our functions and call it with anything; a missing argument would be read as a wild address.
  #checked(definition: HostFunctionDefinition): EntryPoint {
    if (definition.takes !== 'positional') return definition
    const { count: wanted, name, call } = definition
    const refuse = (count: number) => this.#api.raise('typeError', `${name}() takes ${wanted} arguments, got ${count}`)
    return { takes: 'positional', call: (self, args, count) => (count === wanted ? call(self, args) : refuse(count as number)) }
  }

  // The host may run other guests meanwhile, and these call back into this interpreter.
  #guarded({ takes, call }: EntryPoint): EntryPoint {
    return {
      takes,
      call: (self, first, count, keywords) => {
        const result = call(self, first, count, keywords)
        this.#assertAlive()
        return result
      },
    }
  }
}

/**
 * The host's part of a call: whatever it throws becomes a Python exception.
 * @param host must not call into the interpreter
 * @returns what `host` returns, or undefined with the exception set
 */
export const hostAnswer = <T extends NonNullable<unknown> | null>(api: PythonApi, host: () => T): T | undefined => {
  try {
    return host()
  } catch (error) {
    raiseHostError(api, error)
    return undefined
  }
}

/**
 * ApiArgumentError is TypeError or ValueError by its fault, a refusal is ValueError, what another guest raised is
 * RuntimeError, anything else OSError, as uWSGI raises for what goes wrong outside of Python.
 */
export const raiseHostError = (api: PythonApi, error: unknown): 0 =>
  api.raise(exceptionFor(error), error instanceof Error ? error.message : String(error))

const exceptionFor = (error: unknown): ExceptionClass => {
  if (error instanceof ApiArgumentError) return error.fault === 'type' ? 'typeError' : 'valueError'
  if (error instanceof GuestError) return 'runtimeError'
  return error instanceof PolywsgiError && error.code === 'API_REFUSED' ? 'valueError' : 'osError'
}

/**
 * A wasm function per definition, of the C signature that CPython will call it by: made by a module that imports the
 * JavaScript function and exports it again.
 */
const asWasmFunctions = (definitions: readonly EntryPoint[]): unknown[] => {
  const i32 = 0x7f
  const functionType = (parameters: number): number[] => [0x60, parameters, ...Array<number>(parameters).fill(i32), 1, i32]
  const types = [2, 3, 4].map(functionType)
  const name = (index: number): number[] => {
    const text = Buffer.from(`f${index}`, 'latin1')
    return [text.length, ...text]
  }
  const imports = definitions.map(({ takes }, index) => [1, 0x68, ...name(index), 0x00, parameterCounts[takes] - 2])
  const exports = definitions.map((_, index) => [...name(index), 0x00, ...leb128(index)])
  const bytes = [
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, types),
    ...section(2, imports),
    ...section(7, exports),
  ]
  const module = new wasm.Module(new Uint8Array(bytes))
  const host: Record<string, unknown> = Object.create(null)
  definitions.forEach((definition, index) => {
    host[`f${index}`] = definition.call
  })
  const instance = new wasm.Instance(module, { h: host })
  return definitions.map((_, index) => instance.exports[`f${index}`])
}

const section = (id: number, items: readonly (readonly number[])[]): number[] => {
  const content = [...leb128(items.length), ...items.flat()]
  return [id, ...leb128(content.length), ...content]
}

/** An unsigned integer in wasm's variable length form. */
const leb128 = (value: number): number[] => (value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb128(value >>> 7)])
