// Requests that tasks of the main loop serve: ASGI (guest/asgi.py) and asynchronous WSGI (guest/async_wsgi.py).
// Invariant: a request is known here, by its serial number, from its entry to its end; whatever a task does for one that is
// not is refused.
import type { Log } from '../../host/api/context.ts'
import type { CpuOwners } from '../../host/api/guest-stops.ts'
import { GuestError, PolywsgiError } from '../../host/errors.ts'
import type { RequestResult } from '../../host/plugin/plugin.ts'
import type { WsgiRequest } from '../../host/request/wsgi-request.ts'
import type { Pointer } from './capi.ts'
import type { Cores } from './cores.ts'
import { type EventLoop, stopError } from './event-loop.ts'
import type { HostFunctionDefinition } from './host-function.ts'
import type { Interpreter } from './runtime.ts'
import type { Call } from './wsgi-calls.ts'

/** A request that a task serves. */
export interface AsyncCall extends Call {
  /** Settles the promise that the request hook has returned; undefined while the hook runs. */
  settle: ((result: RequestResult) => void) | undefined
  reject: ((error: Error) => void) | undefined
  /** Ends the plain call in which its task is suspended, if it is. */
  endWait: ((message: string) => void) | undefined
  /** Its code was stopped: it is over, whatever its task still does. */
  stop?: PolywsgiError
}

/** A body that came whole goes into the interpreter in one piece up to this size. */
const wholeBodySize = 4 * 1024 * 1024
export class AsyncRequests {
  readonly #interpreter: Interpreter
  readonly #loop: EventLoop
  readonly #log: Log
  readonly #calls = new Map<number, AsyncCall>()
  readonly #arguments: Pointer
  /** Of guest/exchange.py: `give_up` and the context variable of the request, once there are any requests. */
  #giveUp: Pointer = 0
  #variable: Pointer = 0

  constructor(interpreter: Interpreter, loop: EventLoop, log: Log) {
    this.#interpreter = interpreter
    this.#loop = loop
    this.#log = log
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

  /** For guest/event_loop.py, which calls it where CPU time is limited. */
  runsFor(cpu: CpuOwners): HostFunctionDefinition {
    return {
      name: 'runs_for',
      doc: 'runs_for(serial)\n--\n\nTells the host whose request code is for that runs from now on; 0: none.',
      takes: 'one',
      call: (_self, serial) => {
        cpu.switchTo(this.callOf(serial)?.request ?? cpu.run())
        return this.#interpreter.api.none
      },
    }
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
        if (result !== undefined) this.end(call, result)
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
    if (result === api.true) return 0
    if (result === api.false) return -1
    const error = stopError(api, result)
    api.c.Py_DecRef(result)
    throw error
  }

  #shape({ vars }: WsgiRequest, { shape, hasRepeated }: { readonly shape: number; readonly hasRepeated: boolean }): Pointer {
    const { api } = this.#interpreter
    return hasRepeated ? api.newBytes(vars) : api.c.PyLong_FromLong(shape)
  }

  #suspended(call: AsyncCall): Promise<RequestResult> {
    const { promise, resolve, reject } = Promise.withResolvers<RequestResult>()
    call.settle = resolve
    call.reject = reject
    if (call.stop !== undefined) {
      this.fail(call, call.stop)
      return promise
    }
    call.request.onCancel = (error) => {
      this.#log.text(`python: ${call.request.method} ${call.request.uri} is given up: ${error.message}`)
      this.end(call, -1)
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

  /** The request hook's promise settles. */
  end(call: AsyncCall, result: RequestResult): void {
    if (!this.#calls.delete(call.serial)) return
    call.request.onCancel = undefined
    call.settle?.(result)
  }

  /** The code of the running task was stopped. What its task waits for on the way out, nobody waits for. */
  stopCurrent(reason: string): void {
    const call = this.#currentCall
    if (call === undefined) return
    call.stop = new PolywsgiError('HARAKIRI', reason)
    // Otherwise when the hook would return the promise.
    if (call.reject !== undefined) this.fail(call, call.stop)
  }

  /** As `end`, by an error. */
  fail(call: AsyncCall, error: Error): void {
    if (!this.#calls.delete(call.serial)) return
    call.request.onCancel = undefined
    call.reject?.(error)
  }

  #bodyOf({ body }: WsgiRequest): Pointer {
    const { api } = this.#interpreter
    if (body.contentLength === 0) return api.newBytes(nothing)
    const { whole } = body
    return whole !== undefined && whole.length <= wholeBodySize ? api.newBytes(whole) : api.true
  }

  /** By the number as a Python object, borrowed. */
  callOf(serialObject: Pointer): AsyncCall | undefined {
    const { api } = this.#interpreter
    const serial = api.c.PyLong_AsLongAndOverflow(serialObject, api.out)
    if (serial === -1) api.c.PyErr_Clear()
    return this.#calls.get(serial)
  }
}

const nothing = new Uint8Array(0)
