// The part of the WebAssembly JavaScript interface that this binding uses, typed: TypeScript declares it only together with
// the DOM, which a server has not.

export interface WasmMemory {
  readonly buffer: ArrayBuffer
}

export interface WasmTable {
  grow(delta: number): number
  set(index: number, value: unknown): void
}

/** A compiled module: structured clone shares it between threads. */
export interface WasmModule {
  readonly [Symbol.toStringTag]: 'WebAssembly.Module'
}

export interface WasmInstance {
  readonly exports: Readonly<Record<string, unknown>>
}

interface Namespace {
  readonly Memory: new (descriptor: { initial: number; maximum: number }) => WasmMemory
  readonly Module: new (bytes: Uint8Array) => WasmModule
  readonly Instance: new (module: WasmModule, imports: unknown) => WasmInstance
  compile(bytes: Uint8Array): Promise<WasmModule>
}

export const wasm = (globalThis as unknown as { WebAssembly: Namespace }).WebAssembly
