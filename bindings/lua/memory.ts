// The memory of one interpreter as the host sees it: its limit, blocks outside of Lua's garbage collection, strings on their way
// out. Invariant: the views are those of the whole memory, renewed whenever it has grown.
import { wasmPageSize } from '../../host/plugin/web-assembly.ts'
import { latin1Text } from '../../protocol/latin1.ts'
import { type LuaExports, maximumPages, type Pointer } from './glue.ts'
import { stopWordsAt } from './stop-checks.ts'

const maximumGrowth = 16 * 1024 * 1024

export abstract class InterpreterMemory {
  abstract readonly lua: LuaExports
  bytes: Uint8Array = new Uint8Array(0)
  words: Uint32Array = new Uint32Array(0)
  view: DataView = new DataView(new ArrayBuffer(0))
  /** Where lua_tolstring leaves a length. */
  lengthOut: Pointer = 0
  readonly #pageLimit: number

  /** @param limit in bytes, rounded down to pages */
  constructor(limit: number) {
    this.#pageLimit = Math.min(Math.floor(limit / wasmPageSize), maximumPages)
  }

  growTo(size: number): boolean {
    const oldPages = this.bytes.length / wasmPageSize
    const needed = Math.ceil(size / wasmPageSize)
    if (needed > this.#pageLimit) {
      // From here on each step of the guest's may collect all garbage: it is asked at every one whether it is to be stopped.
      this.words[stopWordsAt.countdown >>> 2] = 0
      return false
    }
    // A quarter more, since every growth detaches all views; but no more than 16 MiB that nobody asked for.
    const reserve = Math.min(Math.ceil(oldPages / 4), maximumGrowth / wasmPageSize)
    try {
      this.lua.memory.grow(Math.min(needed + reserve, this.#pageLimit) - oldPages)
    } catch {
      // The engine has none to give: for Lua the same as the limit.
      return false
    }
    this.renewViews()
    return true
  }

  protected renewViews(): void {
    this.bytes = new Uint8Array(this.lua.memory.buffer)
    this.words = new Uint32Array(this.lua.memory.buffer)
    this.view = new DataView(this.lua.memory.buffer)
  }

  /** Memory outside of Lua's garbage collection. @throws Error when there is none */
  allocate(size: number): Pointer {
    const address = this.lua.malloc(size)
    if (address === 0) throw new Error(`no memory for ${size} bytes in the Lua interpreter`)
    return address
  }

  /** For strings that C keeps. */
  newCString(text: string): Pointer {
    const bytes = Buffer.from(`${text}\0`)
    const pointer = this.allocate(bytes.length)
    this.bytes.set(bytes, pointer)
    return pointer
  }

  withCString<T>(text: string, use: (pointer: Pointer) => T): T {
    const pointer = this.newCString(text)
    try {
      return use(pointer)
    } finally {
      this.lua.free(pointer)
    }
  }

  /** The string at `index` as Latin-1 text. The value must be a string: a number would be converted, which allocates. */
  latin1At(L: Pointer, index: number): string {
    const start = this.lua.lua_tolstring(L, index, this.lengthOut)
    return latin1Text(this.bytes, start, start + this.view.getUint32(this.lengthOut, true))
  }

  /** The bytes of the string at `index`, valid until Lua runs again or the value leaves the stack. */
  bytesAt(L: Pointer, index: number): Uint8Array {
    const start = this.lua.lua_tolstring(L, index, this.lengthOut)
    return this.bytes.subarray(start, start + this.view.getUint32(this.lengthOut, true))
  }

  /** A copy of the bytes at `index`, which also takes a number: inside host functions only. */
  copyAt(L: Pointer, index: number): Uint8Array {
    const start = this.lua.lua_tolstring(L, index, this.lengthOut)
    return this.bytes.slice(start, start + this.view.getUint32(this.lengthOut, true))
  }
}
