// The part of the WebAssembly JavaScript interface that bindings use, typed. TypeScript declares it only together with the
// DOM, which a server has not; declaring it globally would clash with whoever else does so.

/** A compiled module. It crosses threads by structured clone and takes its machine code along. */
export interface WasmModule {
  readonly [Symbol.toStringTag]: 'WebAssembly.Module'
}

export interface WasmMemory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

export interface WasmTable {
  readonly length: number
  get(index: number): unknown
  set(index: number, entry: unknown): void
  /** Returns the length before. */
  grow(slots: number): number
}

export interface WasmGlobal {
  readonly value: number
}

export type WasmExports = Readonly<Record<string, unknown>>
export type WasmImports = Readonly<Record<string, Readonly<Record<string, unknown>>>>

export interface WasmInstance {
  readonly exports: WasmExports
}

interface Namespace {
  readonly Memory: new (descriptor: { initial: number; maximum: number }) => WasmMemory
  readonly Module: {
    new (bytes: Uint8Array): WasmModule
    imports(module: WasmModule): { readonly module: string; readonly name: string; readonly kind: string }[]
  }
  readonly Instance: new (module: WasmModule, imports: WasmImports) => WasmInstance
  readonly Global: new (type: { value: 'i32'; mutable: boolean }, value: number) => WasmGlobal
  readonly RuntimeError: new (message: string) => Error
  /** What a wasm `throw` looks like to JavaScript frames on its way: no Error, carries no stack. */
  readonly Exception: new (
    ...args: never[]
  ) => object
  compile(bytes: Uint8Array): Promise<WasmModule>
}

export const wasm = (globalThis as unknown as { WebAssembly: Namespace }).WebAssembly

/** Bytes by which a memory grows. */
export const wasmPageSize = 65_536

/** `Exports` is the caller's knowledge of what the module exports; nothing checks it. */
export const instantiateWasm = <Exports>(module: WasmModule, imports: WasmImports): Exports =>
  new wasm.Instance(module, imports).exports as Exports
