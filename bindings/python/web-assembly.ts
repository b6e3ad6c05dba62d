// The part of the WebAssembly JavaScript interface that this binding uses, typed: TypeScript declares it only together with
// a browser's or a web worker's globals, which this program does not have.

export interface WasmMemory {
  readonly buffer: ArrayBuffer
}

export interface WasmTable {
  /** Returns the length before. */
  grow(slots: number): number
  set(index: number, entry: unknown): void
}

export interface WasmGlobal {
  readonly value: number
}

/** A compiled module: structured clone shares it between threads. */
export interface WasmModule {
  readonly [Symbol.toStringTag]: 'WebAssembly.Module'
}

export type WasmExports = Readonly<Record<string, unknown>>
export type WasmImports = Readonly<Record<string, Readonly<Record<string, unknown>>>>

export interface WasmInstance {
  readonly exports: WasmExports
}

interface Namespace {
  readonly Module: {
    new (bytes: Uint8Array): WasmModule
    imports(module: WasmModule): { readonly module: string; readonly name: string; readonly kind: string }[]
  }
  readonly Instance: new (module: WasmModule, imports: WasmImports) => WasmInstance
  readonly Global: new (type: { value: 'i32'; mutable: boolean }, value: number) => WasmGlobal
  compile(bytes: Uint8Array): Promise<WasmModule>
}

export const wasm = (globalThis as unknown as { WebAssembly: Namespace }).WebAssembly
