// The part of the WebAssembly JavaScript interface that this binding uses, typed. TypeScript declares it only together with
// the DOM, which a server program does not load; declaring it globally would clash with whoever else does so.

/** A compiled module. It crosses threads by structured clone and takes its machine code along. */
export interface WasmModule {
  readonly wasmModuleBrand: unique symbol
}

export interface WasmMemory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

export interface WasmTable {
  readonly length: number
  get(index: number): unknown
  set(index: number, value: unknown): void
  grow(by: number): number
}

type Imports = Record<string, Record<string, unknown>>

interface WasmInstance {
  readonly exports: unknown
}

interface WebAssemblyNamespace {
  readonly Module: new (bytes: Uint8Array) => WasmModule
  readonly Instance: new (module: WasmModule, imports: Imports) => WasmInstance
  readonly RuntimeError: new (message: string) => Error
  /** What a wasm `throw` looks like to JavaScript frames on its way: no Error, carries no stack. */
  readonly Exception: new (
    ...args: never[]
  ) => object
}

const { Module, Instance, RuntimeError, Exception } = (globalThis as unknown as { WebAssembly: WebAssemblyNamespace }).WebAssembly

export const WasmException = Exception
export const WasmRuntimeError = RuntimeError

/** Compiles in this thread; V8 compiles the functions of small modules when they are first called. */
export const compileWasm = (bytes: Uint8Array): WasmModule => new Module(bytes)

/** `Exports` is the caller's knowledge of what the module exports; nothing checks it. */
export const instantiateWasm = <Exports>(module: WasmModule, imports: Imports): Exports =>
  new Instance(module, imports).exports as Exports

export const wasmPageSize = 65_536
