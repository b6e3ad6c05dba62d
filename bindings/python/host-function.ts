// JavaScript functions as built-in Python functions, without a proxy in between: each gets a slot in the wasm function
// table and a C method definition, so Python calls it like any function written in C, with raw addresses.
// Invariant: the host's part of such a function runs inside a `try`, so no exception of the host crosses wasm frames, but
// for the one case where the interpreter has died in a call from within that part: there is nothing to return to then.
import { wasm } from '../../host/plugin/web-assembly.ts'
import type { Pointer, PythonApi } from './capi.ts'
import { functionType, leb128, section, waitingFunctions, wasmHeader, wasmName } from './core-glue.ts'
import type { Cores, Wait } from './cores.ts'
import { raiseHostError } from './raise.ts'

export { raiseHostError } from './raise.ts'

/**
 * Takes borrowed references, returns a new one, or 0 with a Python exception set. One that `mayWait` may return a promise, but only
 * while `Cores.canWait`: its core is suspended until that settles, the borrowed references stay valid, and the function that it
 * resolves to makes the result. It may never be called: the wait holds nothing that somebody has to give back.
 */
export type HostFunctionDefinition = {
  readonly name: string
  readonly mayWait?: true
  /** With the signature in front, as CPython's own have it: `name(a, b)\n--\n\ntext`. */
  readonly doc: string
} & (
  | { readonly takes: 'one'; call(self: Pointer, argument: Pointer): Pointer | Wait }
  /** `args` is the address of exactly `count` pointers; a call with more or fewer is TypeError before it gets here. */
  | { readonly takes: 'positional'; readonly count: number; call(self: Pointer, args: Pointer): Pointer | Wait }
  /** `keywords` is 0 or a tuple of names, whose values follow the positional ones. */
  | { readonly takes: 'keywords'; call(self: Pointer, args: Pointer, count: number, keywords: Pointer): Pointer | Wait }
)

/** What the wasm function table gets. */
interface EntryPoint {
  readonly takes: HostFunctionDefinition['takes']
  readonly mayWait?: boolean
  call(self: Pointer, first: Pointer, count: number, keywords: Pointer): Pointer | Wait
}

/** METH_O; METH_FASTCALL; METH_FASTCALL | METH_KEYWORDS. */
const methodFlags = { one: 0x08, positional: 0x80, keywords: 0x82 }
const parameterCounts = { one: 2, positional: 3, keywords: 4 }

export class HostFunctions {
  readonly #api: PythonApi
  readonly #assertAlive: () => void
  /** Absent with one core: nothing can be suspended then, and nothing is counted. */
  cores: Cores | undefined

  /** @param assertAlive throws when the interpreter has died */
  constructor(api: PythonApi, assertAlive: () => void) {
    this.#api = api
    this.#assertAlive = assertAlive
  }

  /** One new reference per definition. The functions stay for the life of the interpreter. */
  define(definitions: readonly HostFunctionDefinition[], moduleName: string): Pointer[] {
    const api = this.#api
    const { c } = api
    const entries = this.#entries(definitions)
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
    return {
      takes: 'positional',
      mayWait: definition.mayWait === true,
      call: (self, args, count) => (count === wanted ? call(self, args) : refuse(count as number)),
    }
  }

  /** Their wasm functions. */
  #entries(definitions: readonly HostFunctionDefinition[]): unknown[] {
    const { cores } = this
    const entries = definitions.map((definition) => this.#guarded(this.#checked(definition)))
    if (cores === undefined) return asWasmFunctions(entries)
    const waiting = definitions.flatMap(({ mayWait }, index) => (mayWait === true ? [index] : []))
    const plain = asWasmFunctions(entries.map((entry) => this.#counted(entry, cores)))
    const begins = waiting.map((index) => {
      const { takes, call } = entries[index]!
      return { parameters: parameterCounts[takes], begin: this.#suspendable(call, cores) }
    })
    waitingFunctions(begins, cores).forEach((wasmFunction, index) => {
      plain[waiting[index]!] = wasmFunction
    })
    return plain
  }

  /** Cores cannot be suspended below a host function: so these are counted. */
  #counted({ takes, call }: EntryPoint, cores: Cores): EntryPoint {
    return {
      takes,
      call: (self, first, count, keywords) => {
        cores.hostDepth += 1
        const result = call(self, first, count, keywords)
        cores.hostDepth -= 1
        return result
      },
    }
  }

  #suspendable(call: EntryPoint['call'], cores: Cores): (...args: number[]) => number {
    return (...args) => {
      cores.hostDepth += 1
      const result = (call as (...args: number[]) => Pointer | Wait)(...args)
      cores.hostDepth -= 1
      return typeof result === 'number' ? result : cores.suspend(result)
    }
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
 * A wasm function per definition, of the C signature that CPython will call it by: made by a module that imports the
 * JavaScript function and exports it again.
 */
const asWasmFunctions = (definitions: readonly EntryPoint[]): unknown[] => {
  const types = [2, 3, 4].map((parameters) => functionType(parameters, 1))
  const name = (index: number): number[] => wasmName(`f${index}`)
  const imports = definitions.map(({ takes }, index) => [1, 0x68, ...name(index), 0x00, parameterCounts[takes] - 2])
  const exports = definitions.map((_, index) => [...name(index), 0x00, ...leb128(index)])
  const bytes = [...wasmHeader, ...section(1, types), ...section(2, imports), ...section(7, exports)]
  const module = new wasm.Module(new Uint8Array(bytes))
  const host: Record<string, unknown> = Object.create(null)
  definitions.forEach((definition, index) => {
    host[`f${index}`] = definition.call
  })
  const instance = new wasm.Instance(module, { h: host })
  return definitions.map((_, index) => instance.exports[`f${index}`])
}
