// Requests that tasks of the main loop serve: ASGI (guest/asgi.py) and asynchronous WSGI (guest/async_wsgi.py).
// Invariant: a request is known here, by its serial number, from its entry to its end; whatever a task does for one that is
// not is refused.
import type { Log } from '../../host/api/context.ts'
import { ClientError, GuestError } from '../../host/errors.ts'
import type { RequestResult } from '../../host/plugin/plugin.ts'
import { reasonPhrase } from '../../host/request/status.ts'
import type { WsgiRequest } from '../../host/request/wsgi-request.ts'
import type { Pointer, PythonApi } from './capi.ts'
import type { Cores } from './cores.ts'
import { type EventLoop, guestErrorOf } from './event-loop.ts'
import type { HostMounts } from './files.ts'
import { type HostFunctionDefinition, raiseHostError } from './host-function.ts'
import type { Interpreter } from './runtime.ts'
import { type Call, handFileOver } from './wsgi-calls.ts'

interface AsyncCall extends Call {
  /** Settles the promise that the request hook has returned; undefined while the hook runs. */
  settle: ((result: RequestResult) => void) | undefined
  reject: ((error: Error) => void) | undefined
  /** Ends the plain call in which its task is suspended, if it is. */
  endWait: ((message: string) => void) | undefined
}

/** A body that came whole goes into the interpreter in one piece up to this size. */
const wholeBodySize = 4 * 1024 * 1024
/** Read from the host at a time at most. */
const longestRead = 1024 * 1024

const statusLines: string[] = []

export class AsyncRequests {
  readonly #interpreter: Interpreter
  readonly #loop: EventLoop
  readonly #log: Log
  readonly #mounts: Pick<HostMounts, 'fileOf'>
  readonly #calls = new Map<number, AsyncCall>()
  readonly #arguments: Pointer
  #clientGone: Pointer = 0
  /** Of guest/exchange.py: `give_up` and the context variable of the request, once there are any requests. */
  #giveUp: Pointer = 0
  #variable: Pointer = 0

  constructor(interpreter: Interpreter, loop: EventLoop, parts: { log: Log; mounts: Pick<HostMounts, 'fileOf'> }) {
    this.#interpreter = interpreter
    this.#loop = loop
    this.#log = parts.log
    this.#mounts = parts.mounts
    this.#arguments = interpreter.api.c.malloc(16)
    loop.waitObserver = () => {
      let waiting: AsyncCall | undefined
      return (cancel) => {
        if (cancel !== undefined) waiting = this.#currentCall
        if (waiting !== undefined) waiting.endWait = cancel
      }
    }
    loop.onDeath((error) => {
      for (const call of this.#calls.values()) call.reject?.(error)
      this.#calls.clear()
    })
  }

  /** @param exceptionClass of guest/wsgi.py, for a client that has gone */
  setClientGone(exceptionClass: Pointer): void {
    this.#clientGone = exceptionClass
  }

  /** To be called when an application has been loaded that has requests here. */
  setUp(): void {
    if (this.#giveUp !== 0) return
    this.#interpreter.enter(() => {
      this.#giveUp = this.#loop.guestMember('exchange', 'give_up')
      this.#variable = this.#loop.guestMember('event_loop', 'current_request')
    })
  }

  find(serial: number): WsgiRequest | undefined {
    return this.#calls.get(serial)?.request
  }

  /** The request that the running task works for. */
  get current(): WsgiRequest | undefined {
    return this.#currentCall?.request
  }

  get #currentCall(): AsyncCall | undefined {
    if (this.#variable === 0 || this.#calls.size === 0 || !this.#interpreter.isEntered) return undefined
    const { api } = this.#interpreter
    const { c } = api
    if (c.PyContextVar_Get(this.#variable, 0, api.out) !== 0) {
      c.PyErr_Clear()
      return undefined
    }
    const object = api.words[api.out >> 2]!
    if (object === 0) return undefined
    const serial = c.PyLong_AsLongAndOverflow(object, api.out)
    c.PyErr_Clear()
    c.Py_DecRef(object)
    return this.#calls.get(serial)
  }

  /**
   * Serves a request up to its first wait. With one core inside of an entry, else from outside of any.
   * @param app its handler, borrowed; `enter` puts its space in place, `environ` makes a new reference or 0
   * @param names what is known of the environ's names, once it has been made
   */
  begin(
    { request, serial }: Call,
    app: { readonly handler: Pointer; enter(): void; environ(): Pointer },
    names: { readonly shape: number; readonly hasRepeated: boolean },
  ): RequestResult | Promise<RequestResult> {
    const call: AsyncCall = { request, serial, settle: undefined, reject: undefined, endWait: undefined }
    this.#calls.set(serial, call)
    const { cores } = this.#interpreter
    if (cores !== undefined) return this.#beginOnCore(cores, call, app, names)
    const { c, words } = this.#interpreter.api
    const environ = app.environ()
    const number = c.PyLong_FromLong(serial)
    const body = this.#bodyOf(request)
    const shape = this.#shape(request, names)
    let result = 0
    if (environ !== 0 && body !== 0 && shape !== 0) {
      // Read before any Python code runs, so that one place serves nested requests too.
      const at = this.#arguments >> 2
      words[at] = environ
      words[at + 1] = number
      words[at + 2] = body
      words[at + 3] = shape
      result = c.PyObject_Vectorcall(app.handler, this.#arguments, 4, 0)
    }
    if (environ !== 0) c.Py_DecRef(environ)
    if (body !== 0) c.Py_DecRef(body)
    if (shape !== 0) c.Py_DecRef(shape)
    c.Py_DecRef(number)
    const outcome = this.#outcome(call, result)
    if (outcome === undefined) return this.#suspended(call)
    this.#calls.delete(serial)
    return outcome
  }

  /** The first stretch may be suspended as any other may, by a plain call that waits. */
  #beginOnCore(
    cores: Cores,
    call: AsyncCall,
    app: { readonly handler: Pointer; enter(): void; environ(): Pointer },
    names: { readonly shape: number; readonly hasRepeated: boolean },
  ): RequestResult | Promise<RequestResult> {
    const { request, serial } = call
    const observe = this.#loop.observeWaits()
    const outcome = cores.enter<RequestResult | undefined>({
      callable: app.handler,
      begin: () => app.enter(),
      args: () => {
        const environ = app.environ()
        const { c } = this.#interpreter.api
        return [environ, c.PyLong_FromLong(serial), this.#bodyOf(request), this.#shape(request, names)]
      },
      finish: (result) => this.#outcome(call, result),
      onWait: (cancel) => {
        observe(cancel)
        call.endWait = cancel
      },
    })
    if (outcome === undefined) return this.#suspended(call)
    if (!(outcome instanceof Promise)) {
      this.#calls.delete(serial)
      return outcome
    }
    const whole = this.#suspended(call)
    outcome.then(
      (result) => {
        if (result !== undefined) this.#end(call, result)
      },
      (error: Error) => {
        this.#calls.delete(serial)
        call.reject?.(error)
      },
    )
    return whole
  }

  /** Undefined: the task goes on. */
  #outcome(call: AsyncCall, result: Pointer): RequestResult | undefined {
    const { api } = this.#interpreter
    if (result === api.none) return undefined
    if (result === 0) return this.#failed(call)
    return result === api.true ? 0 : -1
  }

  #shape({ vars }: WsgiRequest, { shape, hasRepeated }: { readonly shape: number; readonly hasRepeated: boolean }): Pointer {
    const { api } = this.#interpreter
    return hasRepeated ? api.newBytes(vars) : api.c.PyLong_FromLong(shape)
  }

  #suspended(call: AsyncCall): Promise<RequestResult> {
    const { promise, resolve, reject } = Promise.withResolvers<RequestResult>()
    call.settle = resolve
    call.reject = reject
    call.request.onCancel = (error) => {
      this.#log.text(`python: ${call.request.method} ${call.request.uri} is given up: ${error.message}`)
      this.#end(call, -1)
      if (this.#interpreter.death !== undefined) return
      this.#interpreter.enter(({ c }) => {
        const number = c.PyLong_FromLong(call.serial)
        c.Py_DecRef(this.#interpreter.callOwn(this.#giveUp, [number]))
        c.Py_DecRef(number)
      })
      call.endWait?.(error.message)
    }
    return promise
  }

  /** The interpreter itself has raised, for want of memory or stack. */
  #failed({ request }: Call): -1 {
    const error = new GuestError('python', this.#interpreter.takeException(), '')
    this.#log.text(error.report)
    request.fail(error)
    return -1
  }

  #end(call: AsyncCall, result: RequestResult): void {
    if (!this.#calls.delete(call.serial)) return
    call.request.onCancel = undefined
    call.settle?.(result)
  }

  #bodyOf({ body }: WsgiRequest): Pointer {
    const { api } = this.#interpreter
    if (body.contentLength === 0) return api.newBytes(nothing)
    const { whole } = body
    return whole !== undefined && whole.length <= wholeBodySize ? api.newBytes(whole) : api.true
  }

  definitions(): HostFunctionDefinition[] {
    const { api } = this.#interpreter
    const { c } = api
    const word = (args: Pointer, index: number): Pointer => api.words[(args >> 2) + index]!
    return [
      {
        name: 'set_head_of',
        doc: 'set_head_of(serial, status, headers)\n--\n\nSets status (a number, or a line) and headers (joined by NUL; bytes or str).',
        takes: 'positional',
        count: 3,
        call: (_self, args) => {
          const request = this.#open(word(args, 0))
          const status = request === undefined ? undefined : this.#status(word(args, 1))
          const headers = status === undefined ? undefined : this.#headers(word(args, 2))
          if (request === undefined || status === undefined || headers === undefined) return 0
          try {
            request.setHead(status, headers)
          } catch (error) {
            return api.raise('valueError', error instanceof Error ? error.message : String(error))
          }
          return api.none
        },
      },
      {
        name: 'write_of',
        doc: 'write_of(serial, chunk)\n--\n\nSends a chunk. 0, or the number of an operation that has to wait for the client.',
        takes: 'positional',
        count: 2,
        call: (_self, args) =>
          this.#send(
            word(args, 0),
            word(args, 1),
            (request, bytes) => {
              request.writeBody(bytes)
              if (request.clientGone) throw new ClientError('CLIENT_GONE', 'the client has closed its connection')
            },
            (request, bytes) => request.writeBodyAsync(bytes),
          ),
      },
      {
        name: 'finish_of',
        doc: 'finish_of(serial, chunk)\n--\n\nEnds the response with a last chunk. Returns as write_of().',
        takes: 'positional',
        count: 2,
        call: (_self, args) =>
          this.#send(
            word(args, 0),
            word(args, 1),
            (request, bytes) => request.finish(bytes),
            (request, bytes) => request.finishAsync(bytes),
          ),
      },
      {
        name: 'send_file_of',
        doc: 'send_file_of(serial, fd)\n--\n\nMakes an open file of the host the body; False when it is no such file.',
        takes: 'positional',
        count: 2,
        call: (_self, args) => {
          const request = this.#open(word(args, 0))
          const fd = c.PyLong_AsLongAndOverflow(word(args, 1), api.out)
          if (request === undefined || (fd === -1 && c.PyErr_Occurred() !== 0)) return 0
          return handFileOver(request, this.#mounts, fd, 0) ? api.true : api.false
        },
      },
      {
        name: 'read_of',
        doc: 'read_of(serial, size)\n--\n\nSome of the body, nothing at its end; or the number of an operation that waits for some.',
        takes: 'positional',
        count: 2,
        call: (_self, args) => {
          const request = this.#open(word(args, 0))
          const size = c.PyLong_AsLongAndOverflow(word(args, 1), api.out)
          if (request === undefined || (size === -1 && c.PyErr_Occurred() !== 0)) return 0
          const { body } = request
          const most = Math.max(1, Math.min(size, longestRead))
          try {
            if (body.canReadNow?.() !== false) return api.newBytes(body.read(most))
            return this.#later(body.readAsync(most), (python, piece) => python.newBytes(piece))
          } catch (error) {
            return this.#raise(error)
          }
        },
      },
      {
        name: 'watch_client',
        doc: 'watch_client(serial)\n--\n\nThe number of an operation that ends when the client goes.',
        takes: 'one',
        call: (_self, serialObject) => {
          const request = this.#open(serialObject)
          if (request === undefined) return 0
          const serial = c.PyLong_AsLongAndOverflow(serialObject, api.out)
          return this.#later(
            request.clientLeaves,
            (python) => python.none,
            () => this.#calls.has(serial),
          )
        },
      },
      {
        name: 'end_request',
        doc: 'end_request(serial, is_good)\n--\n\nThe task of a request has ended.',
        takes: 'positional',
        count: 2,
        call: (_self, args) => {
          const call = this.#callOf(word(args, 0))
          if (call !== undefined) this.#end(call, word(args, 1) === api.true ? 0 : -1)
          return api.none
        },
      },
      {
        name: 'fail_request',
        doc: 'fail_request(serial, summary, traceback)\n--\n\nLogs what was raised, and answers the client if it has got nothing yet.',
        takes: 'positional',
        count: 3,
        call: (_self, args) => {
          const error = guestErrorOf(api, word(args, 1), word(args, 2))
          if (error === undefined) return 0
          const call = this.#callOf(word(args, 0))
          // Given up: its client has been answered.
          if (call === undefined) return api.none
          this.#log.text(error.report)
          try {
            call.request.fail(error)
          } catch (failure) {
            return this.#raise(failure)
          }
          return api.none
        },
      },
      {
        name: 'is_client_gone',
        doc: 'is_client_gone(serial)\n--\n\nWhether there is nobody to send to.',
        takes: 'one',
        call: (_self, serial) => (this.#callOf(serial)?.request.clientGone === false ? api.false : api.true),
      },
      {
        name: 'note_client_gone',
        doc: 'note_client_gone(serial)\n--\n\nNotes that the client went away before it had its whole response.',
        takes: 'one',
        call: (_self, serial) => {
          const request = this.#callOf(serial)?.request
          if (request !== undefined) this.#log.text(`python: the client has gone during ${request.method} ${request.uri}`)
          return api.none
        },
      },
    ]
  }

  #callOf(serialObject: Pointer): AsyncCall | undefined {
    const { api } = this.#interpreter
    const serial = api.c.PyLong_AsLongAndOverflow(serialObject, api.out)
    if (serial === -1) api.c.PyErr_Clear()
    return this.#calls.get(serial)
  }

  /** Undefined, with an exception set, for a request that is over. */
  #open(serialObject: Pointer): WsgiRequest | undefined {
    const request = this.#callOf(serialObject)?.request
    if (request === undefined) this.#interpreter.api.raise('runtimeError', 'the request is over')
    return request
  }

  /** Undefined, with an exception set, for no status. */
  #status(object: Pointer): string | undefined {
    const { api } = this.#interpreter
    if (api.typeOf(object) === api.strType) return api.strText(object)
    const code = api.c.PyLong_AsLongAndOverflow(object, api.out)
    if (code === -1 && api.c.PyErr_Occurred() !== 0) return undefined
    if (code >= 100 && code <= 999) {
      statusLines[code] ??= `${code} ${reasonPhrase(code)}`
      return statusLines[code]
    }
    api.raise('valueError', `the status must be a number of three digits, not ${code}`)
    return undefined
  }

  #headers(object: Pointer): string | undefined {
    const { api } = this.#interpreter
    if (api.typeOf(object) === api.strType) return api.strText(object)
    return api.latin1Text(object)
  }

  #send(
    serialObject: Pointer,
    chunk: Pointer,
    atOnce: (request: WsgiRequest, bytes: Uint8Array) => void,
    waiting: (request: WsgiRequest, bytes: Uint8Array) => Promise<void>,
  ): Pointer {
    const { api } = this.#interpreter
    const bytes = api.bytesView(chunk)
    const request = bytes === undefined ? undefined : this.#open(serialObject)
    if (bytes === undefined || request === undefined) return 0
    try {
      if (request.needsRoom(bytes.length)) return this.#later(waiting(request, bytes.slice()), (python) => python.none)
      atOnce(request, bytes)
    } catch (error) {
      return this.#raise(error)
    }
    return api.c.PyLong_FromLong(0)
  }

  #later<T>(work: Promise<T>, make: (api: PythonApi, value: T) => Pointer, isWanted?: () => boolean): Pointer {
    return this.#loop.operation(work, make, (error) => this.#classOf(error), isWanted)
  }

  #classOf(error: unknown): Pointer {
    const isGone = error instanceof ClientError && error.code === 'CLIENT_GONE' && this.#clientGone !== 0
    return isGone ? this.#clientGone : this.#interpreter.api.exception('osError')
  }

  #raise(error: unknown): 0 {
    const { api } = this.#interpreter
    return error instanceof ClientError ? api.raiseClass(this.#classOf(error), error.message) : raiseHostError(api, error)
  }
}

const nothing = new Uint8Array(0)
