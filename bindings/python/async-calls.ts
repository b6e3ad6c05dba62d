// What guest/asgi.py, async_wsgi.py and exchange.py call on the host for a request: its head, its body in both directions, its end.
// Invariant: all of it is for a request that asgi.ts knows; for one that is over it is refused.
import type { Log } from '../../host/api/context.ts'
import { ClientError } from '../../host/errors.ts'
import { reasonPhrase } from '../../host/request/status.ts'
import type { WsgiRequest } from '../../host/request/wsgi-request.ts'
import type { AsyncRequests } from './asgi.ts'
import type { Pointer, PythonApi } from './capi.ts'
import { type EventLoop, guestErrorOf, stopError } from './event-loop.ts'
import type { HostMounts } from './files.ts'
import { type HostFunctionDefinition, raiseHostError } from './host-function.ts'
import type { Interpreter } from './runtime.ts'
import { handFileOver } from './wsgi-calls.ts'

/** Read from the host at a time at most. */
const longestRead = 1024 * 1024

const statusLines: string[] = []

export class AsyncCalls {
  readonly #interpreter: Interpreter
  readonly #loop: EventLoop
  readonly #requests: AsyncRequests
  readonly #log: Log
  readonly #mounts: Pick<HostMounts, 'fileOf'>
  readonly #clientGone: Pointer

  /** @param parts `clientGone` is the exception class of guest/wsgi.py for a client that has gone */
  constructor(
    interpreter: Interpreter,
    loop: EventLoop,
    parts: { requests: AsyncRequests; log: Log; mounts: Pick<HostMounts, 'fileOf'>; clientGone: Pointer },
  ) {
    this.#interpreter = interpreter
    this.#loop = loop
    this.#requests = parts.requests
    this.#log = parts.log
    this.#mounts = parts.mounts
    this.#clientGone = parts.clientGone
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
            () => this.#requests.find(serial) !== undefined,
          )
        },
      },
      {
        name: 'end_request',
        doc: 'end_request(serial, is_good)\n--\n\nThe task of a request has ended.',
        takes: 'positional',
        count: 2,
        call: (_self, args) => {
          const call = this.#requests.callOf(word(args, 0))
          if (call !== undefined) this.#requests.end(call, word(args, 1) === api.true ? 0 : -1)
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
          const call = this.#requests.callOf(word(args, 0))
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
        name: 'request_stopped',
        doc: 'request_stopped(serial, reason)\n--\n\nThe task of a request has ended because the host has stopped it.',
        takes: 'positional',
        count: 2,
        call: (_self, args) => {
          const call = this.#requests.callOf(word(args, 0))
          if (call !== undefined) this.#requests.fail(call, stopError(api, word(args, 1)))
          return api.none
        },
      },
      {
        name: 'is_client_gone',
        doc: 'is_client_gone(serial)\n--\n\nWhether there is nobody to send to.',
        takes: 'one',
        call: (_self, serial) => (this.#requests.callOf(serial)?.request.clientGone === false ? api.false : api.true),
      },
      {
        name: 'note_client_gone',
        doc: 'note_client_gone(serial)\n--\n\nNotes that the client went away before it had its whole response.',
        takes: 'one',
        call: (_self, serial) => {
          const request = this.#requests.callOf(serial)?.request
          if (request !== undefined) this.#log.text(`python: the client has gone during ${request.method} ${request.uri}`)
          return api.none
        },
      },
    ]
  }

  /** Undefined, with an exception set, for a request that is over. */
  #open(serialObject: Pointer): WsgiRequest | undefined {
    const request = this.#requests.callOf(serialObject)?.request
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
    const isGone = error instanceof ClientError && error.code === 'CLIENT_GONE'
    return isGone ? this.#clientGone : this.#interpreter.api.exception('osError')
  }

  #raise(error: unknown): 0 {
    const { api } = this.#interpreter
    return error instanceof ClientError ? api.raiseClass(this.#classOf(error), error.message) : raiseHostError(api, error)
  }
}
