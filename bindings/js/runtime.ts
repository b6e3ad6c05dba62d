// One guest JavaScript world, ready to load apps: interpreter, host functions, glue, API. There is one per worker and it
// is never taken down in service: a worker that ends takes it along.
import { randomFillSync, randomUUID } from 'node:crypto'
import type { BoundApi } from '../../host/api/bind.ts'
import type { Log } from '../../host/api/context.ts'
import type { FunctionOwner } from '../../host/api/guest-function.ts'
import type { GuestStops } from '../../host/api/guest-stops.ts'
import { AsyncContext } from './async-context.ts'
import { Collector } from './collector.ts'
import { Converter, verifyLayout } from './convert.ts'
import { Engine, type Pointer, type RawFunction } from './engine.ts'
import { GuestThrow } from './errors.ts'
import { type FilesParts, fileFunctions } from './files.ts'
import { FunctionTable } from './functions.ts'
import { glueFiles, lazyGlueFiles } from './glue.ts'
import { packetFunctions } from './host-packet.ts'
import { textFunctions, wantText } from './host-text.ts'
import { installApi } from './install.ts'
import { Interruption } from './interruption.ts'
import { ModuleLoader } from './modules.ts'
import { Rejections } from './rejections.ts'
import { RequestTable } from './requests.ts'
import { Suspension } from './suspend.ts'
import type { Image } from './wasm-image.ts'

export interface RuntimeOptions {
  readonly image: Image
  /** Bytes. */
  readonly memoryLimit: number
  readonly log: Log
  readonly api: BoundApi
  readonly stops: GuestStops
  /** Who runs the functions that guests give to the API: the plugin. */
  readonly owner: FunctionOwner
  /** Directories, beside that of an app, from which modules may be imported. */
  readonly sharedDirectories: readonly string[]
  /** What guests may have of the machine. */
  readonly access: Pick<FilesParts, 'files' | 'environment'>
}

export class Runtime {
  readonly engine: Engine
  readonly converter: Converter
  readonly collector: Collector
  readonly suspension: Suspension
  readonly modules: ModuleLoader
  readonly requests: RequestTable
  readonly functions: FunctionTable
  readonly interruption: Interruption
  readonly owner: FunctionOwner
  readonly log: Log
  readonly #options: RuntimeOptions
  /** Called by the glue when an app was mounted or failed to be. */
  onMounted: (id: number, kind: number, index: number) => void = () => {}
  onMountFailed: (id: number, description: string) => void = () => {}
  readonly #entries = new Map<string, Pointer>()
  #entriesObject: Pointer = 0

  private constructor(engine: Engine, options: RuntimeOptions) {
    this.engine = engine
    this.#options = options
    this.log = options.log
    this.owner = options.owner
    this.converter = new Converter(engine)
    this.collector = new Collector(engine, this.converter)
    const { cpu } = options.stops
    const context = new AsyncContext(engine, cpu !== undefined)
    this.suspension = new Suspension(engine, this.converter, context, (name) => this.entry(name), cpu)
    this.modules = new ModuleLoader(engine, this.converter, options.sharedDirectories, options.access.files)
    this.requests = new RequestTable(this.converter, this.suspension, options.log)
    this.functions = new FunctionTable(this, engine)
    const stack = (): string => this.#textBy('currentStack') ?? ''
    this.interruption = new Interruption(engine, options.stops, this.suspension, this.requests, stack)
    this.requests.isOfStopped = (description) => this.interruption.errorOf(description) !== undefined
  }

  static async boot(options: RuntimeOptions): Promise<Runtime> {
    const engine = await Engine.create(options.image, {
      memoryLimit: options.memoryLimit,
      onHostFault: (error) =>
        options.log.text(`javascript: internal error: ${error instanceof Error ? error.stack : String(error)}`),
    })
    const runtime = new Runtime(engine, options)
    runtime.#boot(options.api)
    return runtime
  }

  #boot(api: BoundApi): void {
    verifyLayout(this.engine, this.converter)
    this.#runGlue()
    this.suspension.relieve = () => this.collector.collect()
    this.suspension.onJobError = (error) => {
      const description = this.describe(error)
      this.engine.free(error)
      if (this.interruption.errorOf(description) === undefined) this.log.text(`uncaught error: ${description}`)
    }
    this.engine.onDeath.add((error) => this.requests.rejectAll(error))
    this.engine.makeGuestError = (error) => this.#makeError(error)
    installApi(this, api)
    const rejections = new Rejections(this.engine, this.suspension, (reason) => {
      const description = this.describe(reason)
      if (this.interruption.errorOf(description) === undefined) this.log.text(`unhandled promise rejection: ${description}`)
    })
    // They are found by what it changes.
    this.interruption.begin()
    rejections.onDropped = (count) => this.log.text(`unhandled promise rejection: ${count} more`)
    this.suspension.onTurnEnd.add(() => this.collector.check())
  }

  #runGlue(): void {
    const { engine } = this
    const host = engine.ffi._QTS_NewObject(engine.context)
    const lib = engine.ffi._QTS_NewObject(engine.context)
    const functions: Record<string, RawFunction> = {
      ...textFunctions(this.converter),
      ...packetFunctions(this.converter),
      ...this.suspension.functions(),
      ...this.modules.functions(),
      ...this.requests.functions(),
      ...this.functions.functions(),
      ...fileFunctions(this.converter, { ...this.#options.access, memoryLimit: this.#options.memoryLimit }),
      ...this.#hostFunctions(),
    }
    for (const [name, raw] of Object.entries(functions)) {
      const fn = engine.newFunction(name, raw)
      engine.setProperty(host, name, fn)
      engine.free(fn)
    }
    for (const { file, source } of glueFiles) {
      const run = this.#checked(engine.evaluate(source, file), file)
      engine.setValue(0, host)
      engine.setValue(1, lib)
      engine.free(this.#checked(engine.call(run, 2), file))
      engine.free(run)
    }
    this.#entriesObject = engine.getProperty(lib, 'entries')
    engine.free(lib)
    engine.free(host)
    for (const [index, { defines }] of lazyGlueFiles.entries()) {
      this.callEntry('declareLazy', [this.converter.int32(index), this.converter.newText(defines.join(' '))])
    }
  }

  // An error of the glue itself, before the glue can describe one: only a build can be wrong so.
  #checked(value: Pointer, file: string): Pointer {
    if (!this.engine.isException(value)) return value
    const error = this.engine.takeException(value)
    const [message, stack] = ['message', 'stack'].map((name) => this.converter.text(this.engine.getProperty(error, name)))
    throw new Error(`${file}: ${message}\n${stack}`)
  }

  /** A function of the glue that is made for the host: a member of `lib.entries`, once the file that adds it has run. */
  entry(name: string): Pointer {
    let entry = this.#entries.get(name)
    if (entry === undefined) {
      entry = this.engine.getProperty(this.#entriesObject, name)
      this.#entries.set(name, entry)
    }
    return entry
  }

  /**
   * Calls a function of the glue and frees the arguments. For all but the hot paths.
   * @throws Error with the guest's description when the glue threw
   */
  callEntry(name: string, args: readonly Pointer[]): void {
    for (const [index, arg] of args.entries()) this.engine.setValue(index, arg)
    const result = this.engine.call(this.entry(name), args.length)
    for (const arg of args) this.engine.free(arg)
    if (this.engine.isException(result)) {
      const error = this.engine.takeException(result)
      const description = this.describe(error)
      this.engine.free(error)
      throw new Error(description)
    }
    this.engine.free(result)
  }

  /** What was thrown, as text: name and message, then the guest's stack. Does not take the value over. */
  describe(thrown: Pointer): string {
    // Not even a place for the error was left.
    if (thrown === 0) return this.engine.outOfMemory().message
    return this.#textBy('describe', thrown) ?? 'an error that could not be described: out of memory or stack'
  }

  /** A value as the console prints it inside others. Does not take it over. */
  inspect(value: Pointer): string {
    return this.#textBy('inspect', value) ?? 'something unprintable'
  }

  #textBy(entry: string, value?: Pointer): string | undefined {
    try {
      if (value !== undefined) this.engine.setValue(0, value)
      const result = this.engine.call(this.entry(entry), value === undefined ? 0 : 1)
      const text = this.engine.isException(result) ? undefined : this.converter.text(result)
      this.engine.free(this.engine.isException(result) ? this.engine.takeException(result) : result)
      return text
    } catch (error) {
      if (error instanceof GuestThrow) return error.message
      throw error
    }
  }

  #makeError(error: GuestThrow): Pointer {
    const values = [error.kind, error.message, error.code].map((text) => this.converter.newText(text))
    for (const [index, value] of values.entries()) this.engine.setValue(index, value)
    const made = this.engine.call(this.entry('newError'), 3)
    for (const value of values) this.engine.free(value)
    return made
  }

  #hostFunctions(): Record<string, RawFunction> {
    const { converter } = this
    const { ffi, context } = this.engine
    return {
      log: (_argc, argv) => {
        this.log.text(wantText(converter.text(argv)))
        return 0
      },
      now: () => converter.float(performance.now()),
      random: (_argc, argv) => {
        const length = Math.min(Math.max(converter.int(argv) ?? 0, 0), 65536)
        return converter.newBuffer(randomFillSync(new Uint8Array(length)))
      },
      uuid: () => converter.newText(randomUUID()),
      /** 0 pending, 1 fulfilled, 2 rejected, -1 for what is no promise. */
      promiseState: (_argc, argv) => converter.int32(ffi._QTS_PromiseState(context, argv)),
      promiseResult: (_argc, argv) => ffi._QTS_PromiseResult(context, argv),
      loadGlue: (_argc, argv) => {
        const { file, source } = lazyGlueFiles[converter.int(argv)!]!
        return this.engine.evaluate(source, file)
      },
      mounted: (_argc, argv) => {
        this.onMounted(converter.int(argv)!, converter.int(argv + 8)!, converter.int(argv + 16)!)
        return 0
      },
      mountFailed: (_argc, argv) => {
        this.onMountFailed(converter.int(argv)!, converter.text(argv + 8) ?? '')
        return 0
      },
    }
  }
}
