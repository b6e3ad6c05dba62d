// Boots CPython from Pyodide's wasm module: own instance, gated imports, capped memory, own file system, then CPython's own
// start-up. Pyodide's JavaScript and Python layers are left out on purpose: they are what hands host objects to guests, and
// most of the start-up time (1.0 s with them, 0.1 s without).
// Invariant: an exception that crosses wasm frames kills the interpreter; from then on every entry is refused.
import type { Log } from '../../host/api/context.ts'
import type { GuestAccess } from '../../host/api/guest-access.ts'
import { GuestError, PolywsgiError } from '../../host/errors.ts'
import { type WasmInstance, wasm } from '../../host/plugin/web-assembly.ts'
import { type Pointer, PythonApi } from './capi.ts'
import { Cores } from './cores.ts'
import type { EmscriptenFactory, EmscriptenModule } from './emscripten.ts'
import { FatalGuestError } from './errors.ts'
import { HostMounts, homePath, layOutFiles, limitMemoryFiles, StandardStreams, stdlibPath } from './files.ts'
import { gateImports } from './gate.ts'
import { exportsForGlue } from './glue-exports.ts'
import { type HostFunctionDefinition, HostFunctions } from './host-function.ts'
import { glueUrl, type PythonImage } from './image.ts'
import { Snapshot } from './snapshot.ts'

export interface RuntimeOptions {
  readonly image: PythonImage
  readonly access: GuestAccess
  readonly log: Log
  /** Bytes the interpreter's memory may grow to. */
  readonly memoryLimit: number
  /** How many requests may be suspended at the same time; absent or 1: none can be. */
  readonly cores?: number
}

/** The guest's environment, beside what it was given of the host's. */
const environment = { HOME: homePath, LANG: 'C.UTF-8', PATH: '/usr/bin:/bin', PWD: homePath, USER: 'python' }
/** Emscripten's own additions to it. */
const unwanted = { LOGNAME: undefined, _: undefined }

/**
 * Built-in modules that are not for guests: they read and write raw memory, call raw addresses, start processes, or exist
 * for CPython's own tests.
 */
const removedModules = /^(_ctypes|_posixsubprocess|_remote_debugging|_pyodide_core|_test.*|_xxtestfuzz|xxsubtype)$/

/**
 * How deep entries may nest: each takes some kilobytes of the thread's native stack, and the interpreter does not survive
 * its end.
 */
const mostEntries = 64

/** Memory grows by a fifth at a time, as Emscripten does it, so that a growing guest does not copy its heap each time. */
const growthFactor = 1.2
const pageBytes = 65_536

export class Interpreter {
  readonly api: PythonApi
  readonly mounts: HostMounts
  /** Undefined with one core. */
  readonly cores: Cores | undefined
  readonly #streams: StandardStreams
  readonly #hostFunctions: HostFunctions
  #death: FatalGuestError | undefined
  #isReasonKnown = false
  #depth = 0
  readonly #signals: SignalSource

  private constructor(
    api: PythonApi,
    parts: { mounts: HostMounts; streams: StandardStreams; signals: SignalSource } & RuntimeOptions,
  ) {
    const { mounts, streams, signals, cores = 1, memoryLimit } = parts
    this.api = api
    this.#signals = signals
    this.mounts = mounts
    this.#streams = streams
    this.#hostFunctions = new HostFunctions(api, () => this.assertAlive())
    this.cores = cores > 1 ? new Cores(this, cores, memoryLimit) : undefined
    this.#hostFunctions.cores = this.cores
  }

  /** @throws PolywsgiError CONFIG_BAD_VALUE for too small a memory limit, PLUGIN_LOAD when CPython does not start */
  static async boot(options: RuntimeOptions): Promise<Interpreter> {
    const { instance, module, setApi, signals } = await instantiate(options)
    const api = new PythonApi(instance.exports)
    setApi(api)
    if (api.bytes.length > options.memoryLimit) {
      const [limit, needed] = [options.memoryLimit, api.bytes.length].map((bytes) => `${Math.ceil(bytes / 2 ** 20)} MiB`)
      throw new PolywsgiError(
        'CONFIG_BAD_VALUE',
        `python: a memory limit of ${limit} is too little: the interpreter starts with ${needed}`,
      )
    }
    const streams = new StandardStreams(module, options.log)
    Snapshot.open(options.image.snapshot).start(api, module, () => {
      removeModules(api)
      startPython(api)
    })
    limitMemoryFiles(module)
    const mounts = new HostMounts(module, options.access.openFiles())
    mountRoots(mounts, options)
    return new Interpreter(api, { mounts, streams, signals, ...options })
  }

  /** Undefined while the interpreter lives. */
  get death(): FatalGuestError | undefined {
    return this.#death
  }

  /**
   * From now on running code asks for signals, once in some fifty instructions that call or loop.
   * @param check the number of one that has come, or 0; called from within that code
   */
  watchSignals(check: () => number): void {
    this.#signals.check = check
    this.api.words[this.api.symbol('Py_EMSCRIPTEN_SIGNAL_HANDLING') >> 2] = 1
  }

  /** Notes that an exception came through wasm frames. Returns what to throw. */
  died(cause: unknown): FatalGuestError {
    if (!this.#isReasonKnown) {
      this.#isReasonKnown = true
      this.#death = cause instanceof FatalGuestError ? cause : new FatalGuestError(cause)
      this.cores?.abandon(this.#death)
    }
    return this.#death as FatalGuestError
  }

  /** Refuses every entry from now on: the interpreter has died, of what will be known in a moment. */
  failing(): void {
    this.#death ??= new FatalGuestError(new Error('a request has brought it down'))
  }

  /** @throws FatalGuestError when the interpreter is dead */
  assertAlive(): void {
    if (this.#death !== undefined) throw this.#death
  }

  /** True while Python code runs, or waits for the host. */
  get isEntered(): boolean {
    return this.#depth > 0
  }

  /** True while Python code of an outer entry waits for the host, which enters again. */
  get isNested(): boolean {
    return this.#depth > 1
  }

  /**
   * Runs `work`, which calls into the interpreter, as one entry. Entries nest: a host function that Python has called may
   * run another guest, and that one call a function of Python.
   * @throws FatalGuestError when the interpreter dies of it, or is dead already; GuestError when entries nest too deep
   */
  enter<T>(work: (api: PythonApi) => T): T {
    if (this.#death !== undefined) throw this.#death
    this.beginStretch()
    try {
      return work(this.api)
    } catch (cause) {
      // Our own errors are thrown outside of wasm frames, after the call into the interpreter has returned.
      if (cause instanceof PolywsgiError) throw cause
      throw this.died(cause)
    } finally {
      this.#depth -= 1
    }
  }

  /** Counts an entry, from its begin or from where it goes on. @throws GuestError when entries nest too deep */
  beginStretch(): void {
    if (this.#depth === mostEntries) throw new GuestError('python', 'calls into Python are nested too deep', '')
    this.#depth += 1
  }

  /** To its end, or to where it is suspended. */
  endStretch(): void {
    this.#depth -= 1
  }

  /** Gives back a reference from outside of any entry, or within one: Python code may run at the end of the object. */
  giveBack(object: Pointer): void {
    if (this.#death !== undefined) return
    try {
      this.api.c.Py_DecRef(object)
    } catch (cause) {
      throw this.died(cause)
    }
  }

  /** JavaScript functions as built-in Python functions, one per definition. */
  hostFunctions(definitions: readonly HostFunctionDefinition[], moduleName: string): Pointer[] {
    return this.#hostFunctions.define(definitions, moduleName)
  }

  /**
   * Executes one of our own guest files in a namespace of its own and returns that namespace, a dict.
   * @param globals what the file finds there beside the built-ins; the references are given away
   */
  runGuestFile(name: string, source: string, globals: Readonly<Record<string, Pointer>> = {}): Pointer {
    const { api } = this
    const { c } = api
    const namespace = c.PyDict_New()
    c.PyDict_SetItemString(namespace, api.name('__builtins__'), c.PyEval_GetBuiltins())
    this.#setItem(namespace, '__name__', api.newStr(`polywsgi.${name}`))
    for (const [key, value] of Object.entries(globals)) this.#setItem(namespace, key, value)
    const text = api.newCString(source)
    const fileName = api.newCString(`${guestFilePrefix}${name}.py`)
    const code = c.Py_CompileString(text, fileName, fileInput)
    c.free(text)
    c.free(fileName)
    const result = code === 0 ? 0 : c.PyEval_EvalCode(code, namespace, namespace)
    if (result === 0) throw new Error(`guest file ${name}.py: ${this.takeException()}`)
    c.Py_DecRef(code)
    c.Py_DecRef(result)
    return namespace
  }

  /** Calls one of our own guest functions, which do not raise. The arguments are borrowed, the result is a new reference. */
  callOwn(callable: Pointer, args: readonly Pointer[]): Pointer {
    const { c } = this.api
    const array = c.malloc(Math.max(4, args.length * 4))
    if (array === 0) throw this.died(new Error('out of memory'))
    this.api.words.set(args, array >> 2)
    const result = c.PyObject_Vectorcall(callable, array, args.length, 0)
    c.free(array)
    if (result === 0) throw this.died(new Error(`a guest function failed: ${this.takeException()}`))
    return result
  }

  /** A name of a namespace that `runGuestFile` made (borrowed; the namespace lives as long as the interpreter). */
  lookUp(namespace: Pointer, name: string): Pointer {
    const found = this.api.c.PyDict_GetItemString(namespace, this.api.name(name))
    if (found === 0) throw new Error(`the guest file does not define ${name}`)
    return found
  }

  /** Clears the pending Python exception and returns what `str()` says of it. For exceptions that no guest file handled. */
  takeException(): string {
    const { api } = this
    const { c } = api
    const exception = c.PyErr_GetRaisedException()
    if (exception === 0) return 'no exception set'
    const text = c.PyObject_Str(exception)
    const message = text === 0 ? undefined : api.strText(text)
    c.PyErr_Clear()
    if (text !== 0) c.Py_DecRef(text)
    const isMemoryError = api.typeOf(exception) === api.exception('memoryError')
    c.Py_DecRef(exception)
    return message || (isMemoryError ? 'out of memory' : 'an exception without a message')
  }

  /** Writes out what guests have printed without ending the line. */
  flushOutput(): void {
    this.#streams.flush()
  }

  #setItem(namespace: Pointer, key: string, value: Pointer): void {
    this.api.c.PyDict_SetItemString(namespace, this.api.name(key), value)
    this.api.c.Py_DecRef(value)
  }
}

interface SignalSource {
  check(): number
}

/** How tracebacks name our own files; frames of these are taken out before anybody sees them. */
export const guestFilePrefix = '<polywsgi>/'
/** Py_file_input: what Py_CompileString is to expect. */
const fileInput = 257

const instantiate = async (options: RuntimeOptions) => {
  const { access, image, log, memoryLimit } = options
  const { default: create } = (await import(glueUrl())) as { default: EmscriptenFactory }
  let api: PythonApi | undefined
  let instance: WasmInstance | undefined
  const signals: SignalSource = { check: () => 0 }
  let glue: EmscriptenModule | undefined
  const growMemory = (wanted: number): boolean => {
    if (glue === undefined || wanted > memoryLimit) return false
    const eager = Math.min(memoryLimit, Math.max(wanted, glue.HEAP8.length * growthFactor))
    const size = Math.max(wanted, Math.floor(eager / pageBytes) * pageBytes)
    if (glue.growMemory(size) === undefined) return false
    api?.renewViews()
    return true
  }
  const module = await create({
    noInitialRun: true,
    thisProgram: executable,
    arguments: [],
    // What Pyodide's JavaScript layer reads while the glue is evaluated. The lock file is only for installing packages.
    API: { config: { env: {}, jsglobals: {} }, runtimeEnv: {}, lockFilePromise: new Promise(() => {}) },
    preRun: [
      (started) => {
        glue = started
        Object.assign(started.ENV, environment, unwanted, Object.fromEntries(access.environment))
        layOutFiles(started, image.stdlib)
      },
    ],
    print: (line) => log.text(line),
    printErr: (line) => log.text(line),
    locateFile: (name) => name,
    instantiateWasm: (imports, done) => {
      instance = new wasm.Instance(
        image.module,
        gateImports(image.module, imports, { growMemory, checkSignals: () => signals.check() }),
      )
      done({ exports: exportsForGlue(instance.exports) }, image.module)
      return {}
    },
  })
  if (instance === undefined) throw new PolywsgiError('PLUGIN_LOAD', 'python: Pyodide was not instantiated')
  const setApi = (value: PythonApi): void => {
    api = value
  }
  return { instance, module, setApi, signals }
}

const mountRoots = (mounts: HostMounts, { access, log }: RuntimeOptions): void => {
  for (const root of access.roots) {
    try {
      mounts.addRoot(root)
    } catch (error) {
      log.text(`python: ${root} cannot be shown: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}

const executable = '/usr/bin/python3'

/** Takes the removed modules out of the table of built-in ones, which CPython copies when it starts. */
const removeModules = (api: PythonApi): void => {
  const table = api.words[api.symbol('PyImport_Inittab') >> 2]! >> 2
  let kept = table
  // Entries of two words, name and init function; a NULL name ends the table.
  for (let entry = table; ; entry += 2) {
    const name = api.words[entry]!
    if (name === 0) break
    const end = api.bytes.indexOf(0, name)
    if (removedModules.test(Buffer.from(api.bytes.subarray(name, end)).toString('latin1'))) continue
    api.words[kept] = name
    api.words[kept + 1] = api.words[entry + 1]!
    kept += 2
  }
  api.words[kept] = 0
  api.words[kept + 1] = 0
}

/** PEP 741: CPython's start-up by named options. */
const startPython = (api: PythonApi): void => {
  const { c } = api
  const config = c.PyInitConfig_Create()
  const check = (status: number): void => {
    if (status === 0) return
    c.PyInitConfig_GetError(config, api.out)
    const message = api.words[api.out >> 2]!
    const end = message === 0 ? 0 : api.bytes.indexOf(0, message)
    const reason = message === 0 ? 'unknown error' : Buffer.from(api.bytes.subarray(message, end)).toString('utf8')
    throw new PolywsgiError('PLUGIN_LOAD', `python: the interpreter does not start: ${reason}`)
  }
  const withCString = (text: string, use: (address: Pointer) => number): void => {
    const address = api.newCString(text)
    check(use(address))
    c.free(address)
  }
  const numbers = { isolated: 1, use_environment: 0, utf8_mode: 1, write_bytecode: 0, user_site_directory: 0, site_import: 1 }
  for (const [name, value] of Object.entries({ ...numbers, install_signal_handlers: 1 })) {
    withCString(name, (address) => c.PyInitConfig_SetInt(config, address, BigInt(value)))
  }
  for (const [name, value] of Object.entries({ home: '/', executable, program_name: 'python3' })) {
    withCString(name, (nameAt) => {
      const valueAt = api.newCString(value)
      const status = c.PyInitConfig_SetStr(config, nameAt, valueAt)
      c.free(valueAt)
      return status
    })
  }
  for (const [name, value] of Object.entries({ module_search_paths: stdlibPath, argv: 'uwsgi' })) {
    withCString(name, (nameAt) => {
      const valueAt = api.newCString(value)
      api.words[api.out >> 2] = valueAt
      const status = c.PyInitConfig_SetStrList(config, nameAt, 1, api.out)
      c.free(valueAt)
      return status
    })
  }
  check(c.Py_InitializeFromInitConfig(config))
  c.PyInitConfig_Free(config)
}
