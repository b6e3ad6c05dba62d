// Python's applications in one thread: loading them, and calling them by WSGI.
// Invariant: a request is one entry into the interpreter; everything it does with the host goes through wsgi-calls.ts.
import { dirname, resolve } from 'node:path'
import type { Log, ThreadIdentity } from '../../host/api/context.ts'
import { AppLoadError, GuestError } from '../../host/errors.ts'
import type { AppMount } from '../../host/plugin/app.ts'
import type { RequestResult } from '../../host/plugin/plugin.ts'
import type { WsgiRequest } from '../../host/request/wsgi-request.ts'
import type { Pointer, PythonApi } from './capi.ts'
import type { Cores } from './cores.ts'
import { EnvironBuilder } from './environ.ts'
import { FatalGuestError } from './errors.ts'
import { stopError } from './event-loop.ts'
import type { GuestCode } from './guest-code.ts'
import { exitSeconds, type Hooks } from './hooks.ts'
import type { Interpreter } from './runtime.ts'
import { isPythonFile, isRegularFile, parseModule, showFile, showWorkingDirectory } from './sources.ts'
import type { Call } from './wsgi-calls.ts'

/** The plugin's handle of a loaded application. */
export class PythonApp {
  readonly apps: Apps
  /** The interface it is written for, as guest/app_kinds.py names it. */
  readonly kind: string
  /** The handler of the application, of guest/wsgi.py, asgi.py or async_wsgi.py, and guest/loader.py's space that it lives in. */
  readonly handler: Pointer
  readonly space: Pointer

  constructor(apps: Apps, kind: string, handler: Pointer, space: Pointer) {
    this.apps = apps
    this.kind = kind
    this.handler = handler
    this.space = space
  }
}

/** Interfaces that are treated apart here, as guest/app_kinds.py names them. */
const wsgi = 'WSGI'
const asgi = 'ASGI'

/** A body that came whole goes into the interpreter in one piece up to this size; a larger one is read as it is needed. */
const wholeBodySize = 4 * 1024 * 1024

export class Apps {
  readonly hooks: Hooks
  readonly #interpreter: Interpreter
  readonly #guest: GuestCode
  readonly #environs: EnvironBuilder
  readonly #log: Log
  readonly #thread: ThreadIdentity
  /** Applications whose lifespan has begun. */
  readonly #started: PythonApp[] = []
  #serial = 0

  /** @param identity the bytes that environs show as `uwsgi.version` and `uwsgi.node` */
  constructor(
    interpreter: Interpreter,
    parts: {
      guest: GuestCode
      hooks: Hooks
      workers: number
      log: Log
      thread: ThreadIdentity
      identity: { version: Pointer; node: Pointer }
    },
  ) {
    const { api } = interpreter
    const { guest, hooks, workers, log, thread, identity } = parts
    this.#log = log
    this.#thread = thread
    this.#interpreter = interpreter
    this.#guest = guest
    this.hooks = hooks
    const multiprocess = workers > 1 ? api.true : api.false
    const hasCores = interpreter.cores === undefined ? api.false : api.true
    const template = interpreter.callOwn(guest.makeTemplate, [multiprocess, identity.version, identity.node, hasCores])
    this.#environs = new EnvironBuilder(api, template)
  }

  /** @throws AppLoadError with the Python traceback as details; returns undefined for what is no Python app */
  async mount({ source, callable }: AppMount): Promise<PythonApp | undefined> {
    const isFile = source.startsWith('/') || isPythonFile(source) || (await isRegularFile(source))
    if (isFile) {
      const path = resolve(source)
      showFile(this.#interpreter, path)
      return await this.#startUp(this.#load(true, path, path, callable, dirname(path)), path)
    }
    const named = parseModule(source)
    if (named === undefined) return undefined
    const directory = showWorkingDirectory(this.#interpreter)
    return await this.#startUp(this.#load(false, source, named.module, callable ?? named.callable, directory), source)
  }

  /** @throws FatalGuestError when the interpreter dies */
  request(request: WsgiRequest, app: PythonApp): RequestResult | Promise<RequestResult> {
    const { calls } = this.#guest
    const outer = calls.current
    this.#serial = (this.#serial + 1) & 0x3fffffff
    const call: Call = { request, serial: this.#serial }
    if (app.kind !== wsgi) return this.#asyncRequest(call, app)
    const { cores } = this.#interpreter
    if (cores !== undefined) return this.#onCore(cores, call, app)
    calls.current = call
    try {
      return this.#interpreter.enter((api) => this.#guest.spaces.within(app.space, () => this.#handle(api, call, app.handler)))
    } finally {
      calls.current = outer
    }
  }

  /** On a core of its own, which can be suspended: a promise when it was. */
  #onCore(cores: Cores, call: Call, { handler, space }: PythonApp): RequestResult | Promise<RequestResult> {
    const { calls, spaces } = this.#guest
    const { request } = call
    return cores.enter<RequestResult>({
      callable: handler,
      begin: () => {
        calls.current = call
        spaces.enter(space)
      },
      args: () => [this.#environ(call)],
      finish: (result) => this.#outcome(result),
      onWait: (cancel) => {
        request.onCancel = cancel === undefined ? undefined : (error) => cancel(error.message)
      },
    })
  }

  #asyncRequest(call: Call, { handler, space }: PythonApp): RequestResult | Promise<RequestResult> {
    const { spaces, asyncRequests } = this.#guest
    const { vars, coreId } = call.request
    const app = {
      handler,
      enter: () => spaces.enter(space),
      environ: () => this.#environs.build(vars, coreId, 0),
    }
    if (this.#interpreter.cores !== undefined) return asyncRequests.begin(call, app, this.#environs)
    return this.#interpreter.enter(() => spaces.within(space, () => asyncRequests.begin(call, app, this.#environs)))
  }

  /** Runs the applications' shutdown at the end of the thread, and ends what still runs in the event loop. */
  shutDown(): void {
    const { loop, spaces, callbacks } = this.#guest
    if (this.#interpreter.death !== undefined) return
    for (const { handler, space } of this.#started.splice(0)) {
      this.#drive('the application has not shut down', () => this.#callMethod(handler, space, 'shutdown', (result) => result))
    }
    if (!loop.isUsed) return
    this.#drive('tasks have not ended', () => {
      const finish = loop.guestMember('coroutines', 'finish')
      const running = callbacks.callLater(finish, spaces.active, [], (result) => result)
      this.#interpreter.api.c.Py_DecRef(finish)
      return running
    })
  }

  /** Runs the event loop until something has ended. */
  #drive(complaint: string, begin: () => unknown): void {
    this.#interpreter.enter(() => {
      const running = begin()
      if (!(running instanceof Promise)) return
      running.catch(() => {})
      if (!this.#guest.loop.driveLast(exitSeconds)) this.#log.text(`python: ${complaint} in ${exitSeconds} seconds`)
    })
  }

  /** Runs an ASGI application's startup where there will be requests. @throws AppLoadError when that fails */
  async #startUp(app: PythonApp, name: string): Promise<PythonApp> {
    if (app.kind === wsgi) return app
    this.#guest.asyncRequests.setUp()
    let lifespan = ''
    if (app.kind === asgi && this.#thread.kind === 'worker') {
      const { api } = this.#interpreter
      try {
        lifespan = await this.#interpreter.enter(() =>
          this.#callMethod(app.handler, app.space, 'startup', (result) => api.strText(result) ?? ''),
        )
      } catch (error) {
        if (!(error instanceof GuestError) || error instanceof FatalGuestError) throw error
        throw new AppLoadError(`cannot load ${name}: its startup failed: ${error.message}`, error.traceback)
      }
      this.#started.push(app)
    }
    // Every thread loads the same apps: the first one says so for all.
    if (this.#thread.number === 1) {
      this.#log.text(`python: ${name} is an ${app.kind} application${lifespan}`)
    }
    return app
  }

  #callMethod<T>(handler: Pointer, space: Pointer, name: string, read: (result: Pointer) => T): T | Promise<T> {
    const { api } = this.#interpreter
    const method = api.c.PyObject_GetAttrString(handler, api.name(name))
    try {
      return this.#guest.callbacks.callLater(method, space, [], read)
    } finally {
      api.c.Py_DecRef(method)
    }
  }

  #handle(api: PythonApi, call: Call, handler: Pointer): RequestResult {
    const { c } = api
    const environ = this.#environ(call)
    const result = environ === 0 ? 0 : c.PyObject_CallOneArg(handler, environ)
    if (environ !== 0) c.Py_DecRef(environ)
    return this.#outcome(result)
  }

  /** @param result of a handler; 0 with an exception set @throws PolywsgiError HARAKIRI when the host has stopped it */
  #outcome(result: Pointer): RequestResult {
    if (result === 0) {
      this.#guest.calls.fail(new GuestError('python', this.#interpreter.takeException(), ''))
      return -1
    }
    // True and False are immortal: this reference needs no release.
    const { api } = this.#interpreter
    if (result === api.true) return 0
    if (result === api.false) return -1
    const error = stopError(api, result)
    api.c.Py_DecRef(result)
    throw error
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
    const input = c.PyObject_CallOneArg(isWhole ? this.#guest.bytesIo : this.#guest.openBody, argument)
    c.Py_DecRef(argument)
    if (input === 0) return 0
    try {
      return this.#environs.build(request.vars, request.coreId, input)
    } finally {
      c.Py_DecRef(input)
    }
  }

  #load(isFile: boolean, name: string, source: string, callable: string | undefined, directory: string): PythonApp {
    return this.#interpreter.enter((api) => {
      const { c } = api
      const space = this.#guest.spaces.of(directory)
      this.#guest.spaces.enter(space)
      const args = [isFile ? api.true : api.false, api.newStr(source), api.newStr(callable ?? '')]
      const result = this.#interpreter.callOwn(this.#guest.load, args)
      for (const argument of args.slice(1)) c.Py_DecRef(argument)
      this.hooks.noteOwner()
      const handler = c.PyTuple_GetItem(result, 1)
      if (c.PyCallable_Check(handler) !== 0) {
        c.Py_IncRef(handler)
        return new PythonApp(this, api.strText(c.PyTuple_GetItem(result, 0)) ?? wsgi, handler, space)
      }
      const [summary, traceback] = [0, 1].map((index) =>
        Buffer.from(api.bytesView(c.PyTuple_GetItem(result, index)) ?? []).toString('utf8'),
      )
      c.Py_DecRef(result)
      throw new AppLoadError(`cannot load ${name}: ${summary}`, traceback)
    })
  }
}
