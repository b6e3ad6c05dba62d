// The interpreter's WebAssembly module: read, given one more export, compiled. The master does this once; workers get
// the compiled module. Invariant: apart from that export the module is what the package ships.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { type WasmModule, wasm } from '../../host/plugin/web-assembly.ts'
import { contextModule } from './context-code.ts'

/** Name of the added export: the function table, through which the interpreter's rejection hook is set. */
export const tableExport = 'polywsgiTable'

const wasmSpecifier = '@jitl/quickjs-wasmfile-release-sync/wasm'
/** The interpreter declares 2 GB of memory at most. */
export const mostPages = 32768

const exportSection = 7
const tableKind = 1

/** Compiled modules; they cross threads by structured clone. */
export interface Image {
  readonly interpreter: WasmModule
  /** What async-context.ts puts beside it. */
  readonly context: WasmModule
}

/** Reads and compiles the interpreter: about 3 ms, since functions are compiled when first called. */
export const compileImage = async (): Promise<Image> => {
  const bytes = await readFile(createRequire(import.meta.url).resolve(wasmSpecifier))
  const [interpreter, context] = await Promise.all([wasm.compile(withTableExport(bytes)), wasm.compile(contextModule(mostPages))])
  return { interpreter, context }
}

/**
 * A copy of a module whose table 0 is exported too (WebAssembly binary format, 5.5.10).
 * @throws Error for bytes that are no module, or one without exports
 */
export const withTableExport = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => {
  if (bytes.length < 8 || Buffer.from(bytes.subarray(0, 4)).toString('latin1') !== '\0asm') {
    throw new Error('the interpreter file is not a WebAssembly module')
  }
  let offset = 8
  while (offset < bytes.length) {
    const id = bytes[offset]
    const size = readLeb(bytes, offset + 1)
    const end = size.end + size.value
    if (id === exportSection) {
      const count = readLeb(bytes, size.end)
      const name = Buffer.from(tableExport)
      const added = Buffer.concat([leb(name.length), name, Buffer.from([tableKind, 0])])
      const body = Buffer.concat([leb(count.value + 1), bytes.subarray(count.end, end), added])
      return new Uint8Array(
        Buffer.concat([bytes.subarray(0, offset), Buffer.from([exportSection]), leb(body.length), body, bytes.subarray(end)]),
      )
    }
    offset = end
  }
  throw new Error('the interpreter file has no exports')
}

const readLeb = (bytes: Uint8Array, start: number): { value: number; end: number } => {
  let value = 0
  let shift = 0
  let end = start
  for (;;) {
    const byte = bytes[end]
    if (byte === undefined || shift > 28) throw new Error('the interpreter file is cut or damaged')
    end += 1
    value |= (byte & 0x7f) << shift
    if ((byte & 0x80) === 0) return { value: value >>> 0, end }
    shift += 7
  }
}

const leb = (value: number): Buffer => {
  const bytes: number[] = []
  let rest = value
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
    rest >>>= 7
  } while (rest > 0)
  return Buffer.from(bytes)
}
