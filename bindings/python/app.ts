// Python's applications in one worker: loading them, and calling them by WSGI.
// Invariant: a request enters the interpreter once; everything it does with the host goes through wsgi-calls.ts.
import { statSync } from 'node:fs'
import { lstat, realpath, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { AppLoadError, GuestError, PolywsgiError } from '../../host/errors.ts'
import type { AppMount } from '../../host/plugin/app.ts'
import type { RequestResult, WorkerContext } from '../../host/plugin/plugin.ts'
import type { WsgiRequest } from '../../host/request/wsgi-request.ts'
import { blockingFunctions } from './blocking.ts'
import type { Pointer } from './capi.ts'
import { EnvironBuilder } from './environ.ts'
import { FatalGuestError } from './errors.ts'
import errorsSource from './guest/errors.py?raw'
import loaderSource from './guest/loader.py?raw'
import setupSource from './guest/setup.py?raw'
import wsgiSource from './guest/wsgi.py?raw'
import type { Interpreter } from './runtime.ts'
import { type Call, WsgiCalls } from './wsgi-calls.ts'

/** The plugin's handle of a loaded application. */
export class PythonApp {
  readonly worker: PythonWorker
  /** guest/wsgi.py's handler of the application, and guest/loader.py's space that it lives in. */
  readonly handler: Pointer
  readonly space: Pointer

  constructor(worker: PythonWorker, handler: Pointer, space: Pointer) {
    this.worker = worker
    this.handler = handler
    this.space = space
  }
}

/** A body that came whole goes into the interpreter in one piece up to this size; a larger one is read as it is needed. */
const wholeBodySize = 4 * 1024 * 1024
/** `package.module` or `package.module:callable`. */
const modulePattern = /^([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)(?::([A-Za-z_]\w*))?$/

/** What the hooks' context is needed for here. */
type Context = Pick<WorkerContext, 'log' | 'pythonPath' | 'workers'>

export class PythonWorker {
  readonly #interpreter: Interpreter
  readonly #context: Context
  readonly #calls: WsgiCalls
  readonly #environs: EnvironBuilder
  readonly #load: Pointer
  readonly #activate: Pointer
  readonly #atExit: Pointer
  readonly #openBody: Pointer
  readonly #bytesIo: Pointer
  readonly #pythonPath: Pointer
  #activeSpace: Pointer = 0
  #serial = 0

  /** @param identity the bytes that environs show as `uwsgi.version` and `uwsgi.node` */
  constructor(interpreter: Interpreter, context: Context, identity: { version: Pointer; node: Pointer }) {
    const { api } = interpreter
    const { c } = api
    this.#interpreter = interpreter
    this.#context = context
    const look = (namespace: Pointer, name: string): Pointer => {
      const found = interpreter.lookUp(namespace, name)
      c.Py_IncRef(found)
      return found
    }
    const functions = (definitions: Parameters<Interpreter['hostFunctions']>[0]): Record<string, Pointer> => {
      const pointers = interpreter.hostFunctions(definitions, 'polywsgi')
      return Object.fromEntries(definitions.map(({ name }, index) => [name, pointers[index]!]))
    }
    const { sleep, ...derivations } = functions(blockingFunctions(api))
    const setup = interpreter.runGuestFile('setup', setupSource, { host_sleep: sleep!, ...derivations })
    const errors = interpreter.runGuestFile('errors', errorsSource)
    this.#calls = new WsgiCalls(api, context.log)
    const wsgi = interpreter.runGuestFile('wsgi', wsgiSource, {
      ...functions(this.#calls.definitions()),
      describe: look(errors, 'describe'),
    })
    this.#calls.setClientGone(look(wsgi, 'ClientGone'))
    const loader = interpreter.runGuestFile('loader', loaderSource, {
      describe: look(errors, 'describe'),
      make_handler: look(wsgi, 'make_handler'),
    })
    this.#load = look(loader, 'load')
    this.#activate = look(loader, 'activate')
    this.#atExit = look(setup, 'at_exit')
    this.#openBody = look(wsgi, 'open_body')
    const io = c.PyImport_ImportModule(api.name('_io'))
    this.#bytesIo = c.PyObject_GetAttrString(io, api.name('BytesIO'))
    const multiprocess = context.workers > 1 ? api.true : api.false
    this.#environs = new EnvironBuilder(
      api,
      this.#call(look(wsgi, 'make_template'), [multiprocess, identity.version, identity.node]),
    )
    this.#pythonPath = this.#mountPythonPath()
  }

  /** @throws AppLoadError with the Python traceback as details; returns undefined for what is no Python app */
  async mount(mount: AppMount): Promise<PythonApp | undefined> {
    const { source } = mount
    const isFile = source.startsWith('/') || /\.(py|wsgi)$/.test(source) || (await isRegularFile(source))
    if (isFile) {
      const path = resolve(source)
      await this.#showFile(path)
      return this.#loadApp(true, path, path, mount.callable, dirname(path))
    }
    const [, module, callable] = modulePattern.exec(source) ?? []
    if (module === undefined) return undefined
    const directory = process.cwd()
    try {
      this.#interpreter.mounts.add(directory)
    } catch {
      // The working directory is one that cannot be shown; the module may still be on the Python path.
    }
    return this.#loadApp(false, source, module, mount.callable ?? callable, directory)
  }

  /** @throws FatalGuestError when the interpreter dies */
  request(request: WsgiRequest, app: PythonApp): RequestResult {
    const interpreter = this.#interpreter
    if (interpreter.death !== undefined) throw interpreter.death
    const { c } = interpreter.api
    const calls = this.#calls
    const outer = calls.current
    this.#serial = (this.#serial + 1) & 0x3fffffff
    const call: Call = { request, serial: this.#serial }
    calls.current = call
    try {
      if (app.space !== this.#activeSpace) this.#enterSpace(app.space)
      const environ = this.#environ(call)
      const result = environ === 0 ? 0 : c.PyObject_CallOneArg(app.handler, environ)
      if (environ !== 0) c.Py_DecRef(environ)
      if (result === 0) {
        calls.fail(new GuestError('python', this.#interpreter.takeException(), ''))
        return -1
      }
      // True and False are immortal: this reference needs no release.
      return result === interpreter.api.true ? 0 : -1
    } catch (cause) {
      throw cause instanceof PolywsgiError ? cause : interpreter.died(cause)
    } finally {
      calls.current = outer
    }
  }

  /** Runs Python's atexit functions and writes out what was printed last. */
  close(): void {
    if (this.#interpreter.death === undefined) {
      this.#interpreter.enter(({ c }) => {
        const result = c.PyObject_CallNoArgs(this.#atExit)
        if (result === 0) this.#context.log.text(`python: at exit: ${this.#interpreter.takeException()}`)
        else c.Py_DecRef(result)
      })
    }
    this.#interpreter.flushOutput()
  }

  /** A new environ, or 0 with an exception set. */
  #environ({ request, serial }: Call): Pointer {
    const { api } = this.#interpreter
    const { c } = api
    const { body } = request
    if (body.contentLength === 0) return this.#environs.build(request.vars, request.coreId, 0)
    const { whole } = body
    const isWhole = whole !== undefined && whole.length <= wholeBodySize
    const argument = isWhole ? api.newBytes(whole) : c.PyLong_FromLong(serial)
    if (argument === 0) return 0
    const input = c.PyObject_CallOneArg(isWhole ? this.#bytesIo : this.#openBody, argument)
    c.Py_DecRef(argument)
    if (input === 0) return 0
    try {
      return this.#environs.build(request.vars, request.coreId, input)
    } finally {
      c.Py_DecRef(input)
    }
  }

  #enterSpace(space: Pointer): void {
    const { c } = this.#interpreter.api
    const result = c.PyObject_CallOneArg(this.#activate, space)
    if (result === 0) throw new Error(`the modules of the app cannot be put in place: ${this.#interpreter.takeException()}`)
    c.Py_DecRef(result)
    this.#activeSpace = space
  }

  #loadApp(isFile: boolean, name: string, source: string, callable: string | undefined, directory: string): PythonApp {
    return this.#interpreter.enter((api) => {
      const { c } = api
      const args = [isFile ? api.true : api.false, api.newStr(source), api.newStr(callable ?? ''), api.newStr(directory)]
      const result = this.#call(this.#load, [...args, this.#pythonPath])
      for (const argument of args.slice(1)) c.Py_DecRef(argument)
      const item = (index: number): Pointer => c.PyTuple_GetItem(result, index)
      if (item(0) === api.none) {
        const [summary, traceback] = [1, 2].map((index) => Buffer.from(api.bytesView(item(index)) ?? []).toString('utf8'))
        c.Py_DecRef(result)
        // The attempt has put its own modules in place: the next request is to put its app's back.
        this.#activeSpace = 0
        throw new AppLoadError(`cannot load ${name}: ${summary}`, traceback)
      }
      const [space, handler] = [item(0), item(1)]
      c.Py_IncRef(space)
      c.Py_IncRef(handler)
      c.Py_DecRef(result)
      // What loading has put in place stays in place.
      this.#activeSpace = space
      return new PythonApp(this, handler, space)
    })
  }

  /** Makes the file's directory visible to the guest; that of its target too when the file is a link. */
  async #showFile(path: string): Promise<void> {
    const status = await stat(path).catch((cause: NodeJS.ErrnoException) => {
      const reason = cause.code === 'ENOENT' ? 'no such file' : cause.message
      throw new AppLoadError(`cannot load ${path}: ${reason}`, '', { cause })
    })
    if (!status.isFile()) throw new AppLoadError(`cannot load ${path}: it is not a file`)
    try {
      this.#interpreter.mounts.add(dirname(path))
      if ((await lstat(path)).isSymbolicLink()) this.#interpreter.mounts.add(dirname(await realpath(path)))
    } catch (cause) {
      throw new AppLoadError(`cannot load ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, '', { cause })
    }
    this.#interpreter.mounts.enter(process.cwd())
  }

  #mountPythonPath(): Pointer {
    const { api, mounts } = this.#interpreter
    const list = api.c.PyList_New(0)
    for (const entry of this.#context.pythonPath) {
      const directory = resolve(entry)
      try {
        if (!statSync(directory).isDirectory()) throw new Error(`${directory} is not a directory`)
        mounts.add(directory)
      } catch (error) {
        this.#context.log.text(
          `python: pythonpath ${entry} is left out: ${error instanceof Error ? error.message : String(error)}`,
        )
        continue
      }
      const text = api.newStr(directory)
      api.c.PyList_Append(list, text)
      api.c.Py_DecRef(text)
    }
    return list
  }

  /** Calls one of our own guest functions, which do not raise. */
  #call(callable: Pointer, args: readonly Pointer[]): Pointer {
    const { api } = this.#interpreter
    const array = api.c.malloc(Math.max(4, args.length * 4))
    api.words.set(args, array >> 2)
    const result = api.c.PyObject_Vectorcall(callable, array, args.length, 0)
    api.c.free(array)
    if (result === 0) throw new FatalGuestError(`a guest function failed: ${this.#interpreter.takeException()}`)
    return result
  }
}

const isRegularFile = async (path: string): Promise<boolean> =>
  await stat(path).then(
    (status) => status.isFile(),
    () => false,
  )
