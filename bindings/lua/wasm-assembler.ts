// A small assembler for WebAssembly modules: just what the binding's companion modules need (WebAssembly core 3.0, binary
// format). A program is nested arrays of bytes, so that instructions read in the order in which they run.
// Invariant: imports are declared before anything defined, because both share one index space per kind.

export type Code = readonly (number | Code)[]

export const i32 = 0x7f
export const i64 = 0x7e
type ValueType = typeof i32 | typeof i64

/** Unsigned LEB128. */
export const uleb = (value: number): number[] => {
  const bytes: number[] = []
  let rest = value
  do {
    const low = rest & 0x7f
    rest >>>= 7
    bytes.push(rest === 0 ? low : low | 0x80)
  } while (rest !== 0)
  return bytes
}

/** Signed LEB128 of a 32-bit number. */
const sleb = (value: number): number[] => {
  const bytes: number[] = []
  let rest = value | 0
  for (;;) {
    const low = rest & 0x7f
    rest >>= 7
    // The last byte's bit 6 is the sign that a reader extends.
    if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) return [...bytes, low]
    bytes.push(low | 0x80)
  }
}

const blockVoid = 0x40
const end = 0x0b

export const local = {
  get: (index: number): Code => [0x20, uleb(index)],
  set: (index: number): Code => [0x21, uleb(index)],
  tee: (index: number): Code => [0x22, uleb(index)],
}
export const globalGet = (index: number): Code => [0x23, uleb(index)]
export const globalSet = (index: number): Code => [0x24, uleb(index)]
export const constant = (value: number): Code => [0x41, sleb(value)]
export const call = (func: number): Code => [0x10, uleb(func)]
export const callIndirect = (type: number, table: number): Code => [0x11, uleb(type), uleb(table)]
export const drop = 0x1a
export const return_ = 0x0f
/** Destination, source and length are on the stack. */
export const memoryCopy = [0xfc, 0x0a, 0, 0] as const
export const throw_ = (tag: number): Code => [0x08, uleb(tag)]

export const add = 0x6a
export const subtract = 0x6b
export const and = 0x71
export const or = 0x72
export const shiftRight = 0x76
export const shiftRightSigned = 0x75
export const equal = 0x46
export const notEqual = 0x47
export const lessSigned = 0x48
export const lessUnsigned = 0x49
export const greaterUnsigned = 0x4b
export const notEqual64 = 0x52
export const extendUnsigned = 0xad
/** Loads are declared unaligned (alignment exponent 0): vars lie at any address. */
export const load8 = [0x2d, 0, 0] as const
export const store8 = [0x3a, 0, 0] as const
export const load16 = [0x2f, 0, 0] as const
export const load32 = [0x28, 0, 0] as const
export const store32 = [0x36, 0, 0] as const
export const load64 = [0x29, 0, 0] as const

/** Leaves by `break_(0)` behind its end. */
export const block = (...body: Code): Code => [0x02, blockVoid, body, end]
/** Starts again by `break_(0)`. */
export const loop = (...body: Code): Code => [0x03, blockVoid, body, end]
export const if_ = (then: Code, otherwise?: Code): Code => [
  0x04,
  blockVoid,
  then,
  otherwise === undefined ? [] : [0x05, otherwise],
  end,
]
/** An `if` that leaves an i32. */
export const choose = (then: Code, otherwise: Code): Code => [0x04, i32, then, 0x05, otherwise, end]
export const break_ = (depth: number): Code => [0x0c, uleb(depth)]
export const breakIf = (depth: number): Code => [0x0d, uleb(depth)]
/** Runs the body; an exception with this tag leaves by `break_(0)` as seen from around the `tryCatch`. */
export const tryCatch = (tag: number, ...body: Code): Code => [0x1f, blockVoid, 1, 0x00, uleb(tag), uleb(0), body, end]

export const flatten = (code: Code): number[] => code.flatMap((item) => (typeof item === 'number' ? [item] : flatten(item)))
const vector = (items: readonly Code[]): Code => [uleb(items.length), items]
const text = (value: string): Code => [uleb(value.length), [...Buffer.from(value, 'latin1')]]
const section = (id: number, items: readonly Code[]): Code => {
  if (items.length === 0) return []
  const bytes = flatten(vector(items))
  return [id, uleb(bytes.length), bytes]
}

const kinds = { func: 0, table: 1, memory: 2, global: 3, tag: 4 } as const

export class ModuleBuilder {
  readonly #types: Code[] = []
  readonly #typeIndexes = new Map<string, number>()
  readonly #imports: Code[] = []
  readonly #functions: Code[] = []
  readonly #bodies: Code[] = []
  readonly #tables: Code[] = []
  readonly #tags: Code[] = []
  readonly #globals: Code[] = []
  readonly #exports: Code[] = []
  readonly #counts = { func: 0, table: 0, memory: 0, global: 0, tag: 0 }

  type(params: readonly ValueType[], results: readonly ValueType[]): number {
    const key = `${params}>${results}`
    const known = this.#typeIndexes.get(key)
    if (known !== undefined) return known
    this.#types.push([0x60, vector(params.map((type) => [type])), vector(results.map((type) => [type]))])
    this.#typeIndexes.set(key, this.#types.length - 1)
    return this.#types.length - 1
  }

  importFunction(module: string, name: string, params: readonly ValueType[], results: readonly ValueType[]): number {
    return this.#import(module, name, 'func', uleb(this.type(params, results)))
  }

  importMemory(module: string, name: string): number {
    return this.#import(module, name, 'memory', [0, 1])
  }

  importTable(module: string, name: string): number {
    return this.#import(module, name, 'table', [0x70, 0, 1])
  }

  importTag(module: string, name: string): number {
    return this.#import(module, name, 'tag', [0, uleb(this.type([], []))])
  }

  #import(module: string, name: string, kind: keyof typeof kinds, description: Code): number {
    this.#imports.push([text(module), text(name), kinds[kind], description])
    return this.#counts[kind]++
  }

  /** A table of function references with `size` empty places. */
  defineTable(name: string, size: number): number {
    this.#tables.push([0x70, 0, uleb(size)])
    return this.#export(name, 'table')
  }

  defineTag(name: string): number {
    this.#tags.push([0, uleb(this.type([], []))])
    return this.#export(name, 'tag')
  }

  /** A mutable i32, 0 at first, that JavaScript sets through `exports[name].value`. */
  defineGlobal(name: string): number {
    this.#globals.push([i32, 1, constant(0), end])
    return this.#export(name, 'global')
  }

  /** Parameters are the first locals; `locals` more i32 follow them. */
  defineFunction(name: string, params: readonly ValueType[], results: readonly ValueType[], locals: number, body: Code): number {
    this.#functions.push(uleb(this.type(params, results)))
    const bytes = flatten([locals === 0 ? [0] : [1, uleb(locals), i32], body, end])
    this.#bodies.push([uleb(bytes.length), bytes])
    return this.#export(name, 'func')
  }

  #export(name: string, kind: keyof typeof kinds): number {
    this.#exports.push([text(name), kinds[kind], uleb(this.#counts[kind])])
    return this.#counts[kind]++
  }

  bytes(): Uint8Array {
    return Uint8Array.from(
      flatten([
        [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
        section(1, this.#types),
        section(2, this.#imports),
        section(3, this.#functions),
        section(4, this.#tables),
        section(13, this.#tags),
        section(6, this.#globals),
        section(7, this.#exports),
        section(10, this.#bodies),
      ]),
    )
  }
}
