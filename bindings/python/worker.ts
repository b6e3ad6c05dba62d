// Everything Python of one thread: the interpreter with its `uwsgi` module, its applications, what they have registered, and
// a mule's own program.
import { dirname, resolve } from 'node:path'
import type { FunctionOwner } from '../../host/api/guest-function.ts'
import { GuestFunction } from '../../host/api/guest-function.ts'
import type { GuestFile } from '../../host/plugin/guest-plugin.ts'
import type { Plugin, WorkerContext } from '../../host/plugin/plugin.ts'
import type { WsgiRequest } from '../../host/request/wsgi-request.ts'
import { Apps } from './app.ts'
import type { KeepFunction } from './arguments.ts'
import type { Pointer } from './capi.ts'
import { type GuestCode, runGuestCode } from './guest-code.ts'
import { Hooks } from './hooks.ts'
import { installApi } from './install.ts'
import { PluginFiles } from './plugin-files.ts'
import type { Interpreter } from './runtime.ts'
import { isPythonFile, parseModule, showFile, showWorkingDirectory } from './sources.ts'

/** What the hooks' context is needed for here. */
type Context = Pick<WorkerContext, 'log' | 'server' | 'stops' | 'pythonPath' | 'workers' | 'api' | 'memoryLimit'>

export class PythonWorker {
  readonly apps: Apps
  readonly hooks: Hooks
  readonly #interpreter: Interpreter
  readonly #guest: GuestCode
  readonly #context: Context
  readonly #keep: KeepFunction
  #pluginFiles: PluginFiles | undefined

  /**
   * To be called inside of an entry.
   * @param owner through whom the server calls functions that guests register
   */
  constructor(interpreter: Interpreter, context: Context, owner: FunctionOwner) {
    const guest = runGuestCode(interpreter, context)
    const { callbacks, spaces } = guest
    this.#keep = (callable) => new GuestFunction(owner, callbacks.keep(callable))
    const module = installApi(interpreter, context.api, this.#keep)
    const attribute = (name: string): Pointer => interpreter.api.c.PyObject_GetAttrString(module, interpreter.api.name(name))
    this.#interpreter = interpreter
    this.#context = context
    this.#guest = guest
    this.hooks = new Hooks(interpreter, { callbacks, spaces, loop: guest.loop, log: context.log, module })
    this.apps = new Apps(interpreter, {
      guest,
      hooks: this.hooks,
      workers: context.workers,
      log: context.log,
      thread: context.server.thread,
      identity: { version: attribute('version'), node: attribute('hostname') },
    })
  }

  /**
   * Runs a mule's program to its end: a file, or a module with or without a function of it.
   * @returns false when it is not Python's
   * @throws AppLoadError when there is no such file, GuestError when it raises
   */
  mule(program: string): boolean {
    const { runScript, knowsModule, runModule } = this.#guest
    if (isPythonFile(program)) {
      const path = resolve(program)
      showFile(this.#interpreter, path)
      this.#run(dirname(path), runScript, [path])
      return true
    }
    const named = parseModule(program)
    if (named === undefined) return false
    const { module, callable } = named
    const directory = showWorkingDirectory(this.#interpreter)
    if (callable === undefined && this.#run(directory, knowsModule, [module]) !== this.#interpreter.api.true) return false
    this.#run(directory, runModule, [module, callable ?? ''])
    return true
  }

  /**
   * A plugin's file. What they need of the interpreter is made for the first one.
   * @throws AppLoadError with Python's message, and its traceback as `details`
   */
  loadPlugin(file: string, language: Plugin): GuestFile {
    const { memoryLimit } = this.#context
    this.#pluginFiles ??= this.#interpreter.enter(
      () => new PluginFiles(this.#interpreter, this.#guest, { keep: this.#keep, memoryLimit }),
    )
    const loaded = this.#pluginFiles.load(file, language)
    // What it has set among the members of the `uwsgi` module is its own.
    this.#interpreter.enter(() => this.hooks.noteOwner())
    return loaded
  }

  /** The request that a task of the event loop works for at this moment. */
  get currentRequest(): WsgiRequest | undefined {
    return this.#guest.asyncRequests.current ?? this.#guest.calls.current?.request
  }

  /** Returns the object's address for a comparison with True; the reference is given back. */
  #run(directory: string, callable: Pointer, args: readonly string[]): Pointer {
    const { spaces, callbacks } = this.#guest
    return this.#interpreter.enter((api) => {
      const texts = args.map((argument) => api.newStr(argument))
      const result = callbacks.call(callable, spaces.of(directory), texts)
      api.c.Py_DecRef(result)
      return result
    })
  }

  /** Runs `uwsgi.atexit` and Python's atexit functions, and writes out what was printed last. */
  close(): void {
    this.apps.shutDown()
    this.hooks.atExit()
    if (this.#interpreter.death === undefined) {
      this.#interpreter.enter(({ c }) => {
        const result = c.PyObject_CallNoArgs(this.#guest.atExit)
        if (result === 0) this.#context.log.text(`python: at exit: ${this.#interpreter.takeException()}`)
        else c.Py_DecRef(result)
      })
    }
    this.#interpreter.flushOutput()
  }
}
