// One QuickJS interpreter in one WebAssembly instance of our own: memory with a cap, views of it, calls in both directions
// as bare numbers. Calls nest: a host function may call into the guest while frames of the guest wait below it. Invariants:
// nothing a host function throws passes through the interpreter's frames (they would never be unwound), unless the
// interpreter is lost already; after `dead` is set nothing enters it any more, and nothing returns into it.
import { randomInt } from 'node:crypto'
import { resourceLimits } from 'node:worker_threads'
import loadEmscripten from '@jitl/quickjs-wasmfile-release-sync/emscripten-module'
import {
  type WasmImports,
  type WasmInstance,
  type WasmMemory,
  type WasmModule,
  type WasmTable,
  wasm,
} from '../../host/plugin/web-assembly.ts'
import { FatalGuestError, GuestThrow } from './errors.ts'
import type { Pointer, QuickJs } from './ffi.ts'
import { Tag } from './layout.ts'
import { type Image, mostPages, tableExport } from './wasm-image.ts'

export type { Pointer } from './ffi.ts'

/** A host function: gets arguments as `argc` 8-byte values at `argv`, returns a value on the heap, 0 for undefined. */
export type RawFunction = (argc: number, argv: Pointer) => Pointer

export interface EngineOptions {
  /** Bytes of memory the interpreter may have; below 24 MB it gets 24, of which it needs 6 for itself. */
  readonly memoryLimit: number
  /** Called with an error of a host function that is no refusal but a fault of ours. */
  onHostFault(error: unknown): void
}

const pageSize = 65536
// The module declares 16 MB to start with; its C stack of 5 MB is part of them.
const initialPages = 256
const leastPages = 384

// Bytes of the interpreter's own stack for each megabyte that the thread has. With more, deep recursion (worst in its
// parser) meets the end of the thread's stack first, and the host's RangeError flies through C frames: the interpreter
// would be lost. Measured with threads of 1, 2, 4 and 8 MB.
const stackPerMegabyte = 32 * 1024
const mostStackMegabytes = 8

/** For the thread this runs in. A process's main thread has about 1 MB. */
export const maxStackSize = stackPerMegabyte * Math.min(Math.max(resourceLimits.stackSizeMb ?? 1, 1), mostStackMegabytes)

// A function that calls itself through the API takes 5 KB of the thread's stack per round in here. The rest of the share is
// for interpreters of other languages, which may lie between two rounds and do not notice the end of that stack either.
const nestedPerMegabyte = 8

/** How many calls into the guest may be nested, each made while the one before it waits for a host function. */
export const mostNested = nestedPerMegabyte * Math.min(Math.max(resourceLimits.stackSizeMb ?? 1, 1), mostStackMegabytes)

/** As many as RPC has, and the function itself. */
export const maxArguments = 260

// quickjs.h: JS_EVAL_FLAG_STRICT.
const evalStrict = 1 << 3

/**
 * QuickJS seeds `Math.random` with the time of the context's making, which it gets in milliseconds: threads that start in the same one
 * would draw the same numbers, and a guest could guess those of others.
 * @param make synchronous; asks for the time for nothing else
 */
const withRandomDate = <T>(make: () => T): T => {
  const { now } = Date
  Date.now = () => randomInt(2 ** 43)
  try {
    return make()
  } finally {
    Date.now = now
  }
}

export class Engine {
  readonly ffi: QuickJs
  readonly memory: WasmMemory
  readonly table: WasmTable
  /** For async-context.ts. */
  readonly contextImage: WasmModule
  readonly runtime: Pointer
  readonly context: Pointer
  readonly undefinedValue: Pointer
  readonly memoryLimit: number
  /** Source of the module called `name`, as a C string that the interpreter frees. Set by the module loader. */
  loadModule: (name: string) => Pointer = () => 0
  /** Absolute name of what `base` imports as `name`, as a C string that the interpreter frees. Must not throw. */
  normalizeModule: (base: string, name: string) => Pointer = (_base, name) => this.cString(name)
  shouldInterrupt: () => boolean = () => false
  /** Makes a guest error of a refusal; set once the guest glue runs. */
  makeGuestError: (error: GuestThrow) => Pointer = () => 0
  /** Thrown where no error can be made, for want of memory or stack: a call that failed must never look like one that did not. */
  readonly #lastResort: Pointer
  /** Called when the interpreter is lost. */
  readonly onDeath = new Set<(error: FatalGuestError) => void>()

  readonly #functions: RawFunction[] = []
  readonly #onHostFault: (error: unknown) => void
  readonly #cells: Pointer
  readonly #argv: Pointer
  #u8 = new Uint8Array(0)
  #i32 = new Int32Array(0)
  #u32 = new Uint32Array(0)
  #dead: FatalGuestError | undefined
  #growths = 0
  #depth = 0

  private constructor(ffi: QuickJs, memory: WasmMemory, table: WasmTable, contextImage: WasmModule, options: EngineOptions) {
    this.ffi = ffi
    this.memory = memory
    this.table = table
    this.contextImage = contextImage
    this.memoryLimit = options.memoryLimit
    this.#onHostFault = options.onHostFault
    ffi.callbacks = {
      callFunction: (_asyncify: unknown, _context: Pointer, _self: Pointer, argc: number, argv: Pointer, id: number) =>
        this.#callHost(id, argc, argv),
      freeHostRef: () => {},
      shouldInterrupt: () => (this.shouldInterrupt() ? 1 : 0),
      loadModuleSource: (_asyncify: unknown, _runtime: Pointer, _context: Pointer, name: string) => this.#loadModule(name),
      normalizeModule: (_asyncify: unknown, _runtime: Pointer, _context: Pointer, base: string, name: string) =>
        this.normalizeModule(base, name),
    }
    this.runtime = ffi._QTS_NewRuntime()
    this.context = withRandomDate(() => ffi._QTS_NewContext(this.runtime, 0))
    ffi._QTS_RuntimeSetMaxStackSize(this.runtime, maxStackSize)
    this.undefinedValue = ffi._QTS_GetUndefined()
    this.#cells = ffi._malloc(maxArguments * 8)
    this.#argv = ffi._malloc(maxArguments * 4)
    this.#lastResort = this.evaluate("new RangeError('out of memory or stack')", 'polywsgi:engine.js')
  }

  /** @param image what `compileImage` made */
  static async create(image: Image, options: EngineOptions): Promise<Engine> {
    const pages = Math.floor(options.memoryLimit / pageSize)
    const maximum = Math.min(Math.max(pages, leastPages), mostPages)
    const memory = new wasm.Memory({ initial: initialPages, maximum })
    let table: WasmTable | undefined
    // The package's declarations name WebAssembly's types, which TypeScript has only together with the DOM.
    const load = loadEmscripten as unknown as (options: object) => Promise<QuickJs>
    const ffi = await load({
      wasmMemory: memory,
      instantiateWasm: (imports: WasmImports, onSuccess: (instance: WasmInstance) => void) => {
        const instance = new wasm.Instance(image.interpreter, imports)
        table = instance.exports[tableExport] as WasmTable
        onSuccess(instance)
        return instance.exports
      },
      // What the C library would print on stderr when it aborts; the error that follows says the same.
      print: () => {},
      printErr: () => {},
    })
    return new Engine(ffi, memory, table!, image.context, { ...options, memoryLimit: maximum * pageSize })
  }

  /** Views of the memory, valid until the next call into the interpreter: that may move it. */
  get u8(): Uint8Array {
    if (this.#u8.length === 0) this.#renewViews()
    return this.#u8
  }

  get i32(): Int32Array {
    if (this.#i32.length === 0) this.#renewViews()
    return this.#i32
  }

  get u32(): Uint32Array {
    if (this.#u32.length === 0) this.#renewViews()
    return this.#u32
  }

  /** How often the memory had to grow. */
  get growths(): number {
    return this.#growths
  }

  get dead(): FatalGuestError | undefined {
    return this.#dead
  }

  /** How many calls into the guest are under way, one inside the other. */
  get depth(): number {
    return this.#depth
  }

  // A memory that has grown leaves views of length 0 behind.
  #renewViews(): void {
    this.#growths += 1
    this.#u8 = new Uint8Array(this.memory.buffer)
    this.#i32 = new Int32Array(this.memory.buffer)
    this.#u32 = new Uint32Array(this.memory.buffer)
  }

  /** @throws GuestThrow RangeError when the memory is used up */
  allocate(size: number): Pointer {
    const address = this.ffi._malloc(size === 0 ? 1 : size)
    if (address === 0) throw this.outOfMemory()
    return address
  }

  outOfMemory(): GuestThrow {
    return new GuestThrow('RangeError', `out of memory: the interpreter may use ${this.memoryLimit >>> 20} MB`)
  }

  /** The text as a NUL-terminated C string, which the caller (or the C function it goes to) frees. */
  cString(text: string): Pointer {
    const bytes = Buffer.from(text, 'utf8')
    const address = this.allocate(bytes.length + 1)
    this.u8.set(bytes, address)
    this.u8[address + bytes.length] = 0
    return address
  }

  /** A guest function that calls `raw`. It lives as long as the interpreter. */
  newFunction(name: string, raw: RawFunction): Pointer {
    const id = this.#functions.push(raw) - 1
    const nameAddress = this.cString(name)
    const fn = this.ffi._QTS_NewFunction(this.context, nameAddress, 0, 0, id)
    this.ffi._free(nameAddress)
    return fn
  }

  setProperty(object: Pointer, name: string, value: Pointer): void {
    const nameAddress = this.cString(name)
    const key = this.ffi._QTS_NewString(this.context, nameAddress)
    this.ffi._free(nameAddress)
    this.ffi._QTS_SetProp(this.context, object, key, value)
    this.free(key)
  }

  getProperty(object: Pointer, name: string): Pointer {
    const nameAddress = this.cString(name)
    const key = this.ffi._QTS_NewString(this.context, nameAddress)
    this.ffi._free(nameAddress)
    const value = this.ffi._QTS_GetProp(this.context, object, key)
    this.free(key)
    return value
  }

  /** Runs a script. The result may be an exception. */
  evaluate(source: string, file: string, isStrict = true): Pointer {
    const code = this.cString(source)
    const fileAddress = this.cString(file)
    const flags = isStrict ? evalStrict : 0
    try {
      return this.enter(() => this.ffi._QTS_Eval(this.context, code, Buffer.byteLength(source), fileAddress, 0, flags))
    } finally {
      this.ffi._free(fileAddress)
      this.ffi._free(code)
    }
  }

  setInt(index: number, value: number): void {
    const cell = this.#cells + index * 8
    this.i32[cell >> 2] = value
    this.i32[(cell >> 2) + 1] = Tag.int
    this.u32[(this.#argv >> 2) + index] = cell
  }

  setValue(index: number, value: Pointer): void {
    this.u32[(this.#argv >> 2) + index] = value
  }

  /**
   * Calls a guest function with the first `argc` arguments as `setInt` and `setValue` left them. The result is a value on
   * the heap, possibly an exception.
   * @throws FatalGuestError when the interpreter was lost, GuestThrow when there was no memory for the result
   */
  call(fn: Pointer, argc: number): Pointer {
    if (this.#dead !== undefined) throw this.#dead
    let result: Pointer
    this.#depth += 1
    try {
      // The cells are copied before any of the guest's code runs, which may set them anew.
      result = this.ffi._QTS_Call(this.context, fn, this.undefinedValue, argc, this.#argv)
    } catch (error) {
      throw this.#die(error)
    } finally {
      this.#depth -= 1
    }
    if (result === 0) throw this.outOfMemory()
    return result
  }

  /** The same for anything else that may run guest code: what it throws means that the interpreter is lost. */
  enter(run: () => Pointer): Pointer {
    if (this.#dead !== undefined) throw this.#dead
    let result: Pointer
    this.#depth += 1
    try {
      result = run()
    } catch (error) {
      throw this.#die(error)
    } finally {
      this.#depth -= 1
    }
    if (result === 0) throw this.outOfMemory()
    return result
  }

  isFunction(value: Pointer): boolean {
    if (this.i32[(value >> 2) + 1] !== Tag.object) return false
    const name = this.ffi._QTS_Typeof(this.context, value)
    const isFunction = this.ffi.UTF8ToString(name) === 'function'
    this.ffi._free(name)
    return isFunction
  }

  /** A value on the heap that keeps what `value` holds alive. */
  duplicate(value: Pointer): Pointer {
    const copy = this.ffi._QTS_DupValuePointer(this.context, value)
    if (copy === 0) throw this.outOfMemory()
    return copy
  }

  isException(value: Pointer): boolean {
    return this.i32[(value >> 2) + 1] === Tag.exception
  }

  /** The error of an exception, which is thereby over. Frees `exception`. */
  takeException(exception: Pointer): Pointer {
    const error = this.ffi._QTS_ResolveException(this.context, exception)
    this.ffi._free(exception)
    return error
  }

  free(value: Pointer): void {
    if (value === 0) return
    const tag = this.i32[(value >> 2) + 1]!
    // Small integers, booleans, null and undefined own nothing: only their 8 bytes are to be given back.
    if (tag >= Tag.int && tag <= Tag.undefined) this.ffi._free(value)
    else this.ffi._QTS_FreeValuePointer(this.context, value)
  }

  #callHost(id: number, argc: number, argv: Pointer): Pointer {
    let result: Pointer
    try {
      result = this.#functions[id]!(argc, argv)
    } catch (error) {
      if (this.#dead !== undefined) throw this.#dead
      return this.#throwIntoGuest(error)
    }
    // Lost in a call inside this one, of which another language's interpreter has made an error of its own and gone on.
    if (this.#dead !== undefined) throw this.#dead
    return result
  }

  #loadModule(name: string): Pointer {
    try {
      return this.loadModule(name)
    } catch (error) {
      // The interpreter takes 0 as "there is an exception"; the value that stands for it is of no use here.
      const thrown = this.#throwIntoGuest(error)
      if (thrown !== 0) this.ffi._free(thrown)
      return 0
    }
  }

  /** What the guest is told of an error of a host function; a fault of ours is reported and stays nameless. */
  refusalOf(error: unknown): GuestThrow {
    if (error instanceof GuestThrow) return error
    if (error instanceof RangeError && error.message.includes('call stack')) return new GuestThrow('RangeError', 'stack overflow')
    this.#onHostFault(error)
    return new GuestThrow('Error', 'internal error of the server')
  }

  #throwIntoGuest(error: unknown): Pointer {
    const refusal = this.refusalOf(error)
    try {
      const made = this.makeGuestError(refusal)
      if (made === 0 || this.isException(made)) return made
      const thrown = this.ffi._QTS_Throw(this.context, made)
      this.free(made)
      return thrown
    } catch (unmade) {
      if (this.#dead !== undefined) throw unmade
      return this.ffi._QTS_Throw(this.context, this.#lastResort)
    }
  }

  #die(cause: unknown): FatalGuestError {
    if (this.#dead === undefined) {
      this.#dead = cause instanceof FatalGuestError ? cause : new FatalGuestError(cause)
      for (const listener of this.onDeath) listener(this.#dead)
    }
    return this.#dead
  }
}
