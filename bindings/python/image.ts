// What the master prepares once for all workers: Pyodide's wasm, compiled, the standard library as a zip of .pyc in shared memory, and
// room for what CPython's start leaves in memory. All three are cloned into a worker without being copied.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { PolywsgiError } from '../../host/errors.ts'
import { type WasmModule, wasm } from '../../host/plugin/web-assembly.ts'
import { Snapshot } from './snapshot.ts'

export interface PythonImage {
  readonly module: WasmModule
  readonly stdlib: SharedArrayBuffer
  /** Of a `Snapshot`, which the first worker takes. */
  readonly snapshot: SharedArrayBuffer
}

/** Finds a file of this package or of a dependency by its import specifier. */
type Resolve = (specifier: string) => string

const fromHere: Resolve = createRequire(import.meta.url).resolve

/** The URL of Pyodide's Emscripten glue, whose default export makes an instance. */
export const glueUrl = (): string => pathToFileURL(fromHere('pyodide/pyodide.asm.mjs')).href

/** @throws PolywsgiError PLUGIN_LOAD when the package was not built */
export const loadImage = async (resolve: Resolve = fromHere): Promise<PythonImage> => {
  const [module, zip] = await Promise.all([
    readFile(resolve('pyodide/pyodide.asm.wasm')).then((bytes) => wasm.compile(bytes)),
    readStdlib(resolve),
  ])
  const stdlib = new SharedArrayBuffer(zip.length)
  new Uint8Array(stdlib).set(zip)
  return { module, stdlib, snapshot: Snapshot.create().handle }
}

const readStdlib = async (resolve: Resolve): Promise<Uint8Array> => {
  let path: string
  try {
    path = resolve('#python-stdlib')
  } catch (cause) {
    throw new PolywsgiError('PLUGIN_LOAD', missing, { cause })
  }
  if (!existsSync(path)) throw new PolywsgiError('PLUGIN_LOAD', missing)
  return await readFile(path)
}

const missing = "python: the compiled standard library dist/python-stdlib.zip is missing: run 'npm run build'"
