// What the WSGI handler in guest/wsgi.py calls on the host: the response of the running request, its body, the log.
// Invariant: these act on the request in `current`, which is set on every entry and restored on every exit; an object that
// outlives its request carries the serial number of it and is refused.
import type { CoreWaits, Log } from '../../host/api/context.ts'
import { ClientError, GuestError, PolywsgiError } from '../../host/errors.ts'
import type { WsgiRequest } from '../../host/request/wsgi-request.ts'
import type { Pointer, PythonApi } from './capi.ts'
import type { Cores, Wait } from './cores.ts'
import type { HostMounts } from './files.ts'
import { type HostFunctionDefinition, raiseHostError } from './host-function.ts'

/** One request on its way through the interpreter. */
export interface Call {
  readonly request: WsgiRequest
  /** Counts the requests of this worker, within 31 bits. */
  readonly serial: number
}

/** Read from the host at a time at most; a larger read is made of several. */
const longestRead = 1024 * 1024

export class WsgiCalls {
  readonly #api: PythonApi
  readonly #log: Log
  readonly #mounts: Pick<HostMounts, 'fileOf'>
  readonly #waits: CoreWaits
  readonly #cores: Cores | undefined
  /** The guest's exception class for a connection that is gone. */
  #clientGone: Pointer = 0
  current: Call | undefined
  /** Requests beside the current one, by serial number: those that tasks of the event loop serve. */
  findOther: (serial: number) => WsgiRequest | undefined = () => undefined
  /** The last status line: applications have few, mostly constants, so the object is often the very same. */
  #statusObject: Pointer = 0
  #statusText = ''

  /** @param waits what `cores` wait for; those are undefined where nothing can be suspended */
  constructor(
    api: PythonApi,
    parts: { log: Log; mounts: Pick<HostMounts, 'fileOf'>; waits: CoreWaits; cores: Cores | undefined },
  ) {
    const { log, mounts, waits, cores } = parts
    this.#mounts = mounts
    this.#waits = waits
    this.#cores = cores
    this.#api = api
    this.#log = log
  }

  /** To be called once guest/wsgi.py has made its class. */
  setClientGone(exceptionClass: Pointer): void {
    this.#clientGone = exceptionClass
  }

  definitions(): HostFunctionDefinition[] {
    const api = this.#api
    const word = (args: Pointer, index: number): number => api.words[(args >> 2) + index]!
    return [
      {
        name: 'set_head',
        doc: 'set_head(status, headers)\n--\n\nSets the status and all headers, joined by NUL, until the first byte of the body goes out.',
        takes: 'positional',
        count: 2,
        call: (_self, args) => {
          const status = this.#status(word(args, 0))
          const headers = status === undefined ? undefined : api.strText(word(args, 1))
          if (status === undefined || headers === undefined) return 0
          try {
            this.#request().setHead(status, headers)
          } catch (error) {
            return api.raise('valueError', error instanceof Error ? error.message : String(error))
          }
          return this.#api.none
        },
      },
      {
        name: 'write_body',
        doc: 'write_body(chunk)\n--\n\nSends a chunk at once, and the head before the first.',
        takes: 'one',
        mayWait: true,
        call: (_self, chunk) => {
          const bytes = api.bytesView(chunk)
          if (bytes === undefined) return 0
          const request = this.#mustWaitForRoom(bytes)
          if (request !== undefined) return this.#later(request.writeBodyAsync(bytes.slice()).then(() => assertClient(request)))
          return this.#send((request) => this.#write(request, bytes))
        },
      },
      {
        name: 'write_chunk',
        doc: 'write_chunk(chunk)\n--\n\nSends a chunk if it is not empty; then waits for what was registered, or lets the other cores run.',
        takes: 'one',
        mayWait: true,
        call: (_self, chunk) => {
          const bytes = api.bytesView(chunk)
          if (bytes === undefined) return 0
          const slow = bytes.length === 0 ? undefined : this.#mustWaitForRoom(bytes)
          if (slow !== undefined) {
            const written = slow.writeBodyAsync(bytes.slice()).then(() => assertClient(slow))
            // The scheduling point is this very wait, unless there is something to wait for: only the current request can say.
            const committed = this.#waits.commit()
            return this.#later(Promise.all([written, committed]))
          }
          const result = this.#send((request) => {
            if (bytes.length > 0) this.#write(request, bytes)
          })
          if (result === 0) return 0
          if (this.#cores !== undefined && !this.#cores.canWait) return result
          try {
            const committed = this.#waits.commit()
            return committed === undefined || this.#cores === undefined ? result : this.#later(committed)
          } catch (error) {
            return this.#raise(error)
          }
        },
      },
      {
        name: 'last_wait',
        doc: 'last_wait()\n--\n\nThe descriptor that ended the last wait; -2 when its time was over, -1 otherwise.',
        takes: 'positional',
        count: 0,
        call: () => {
          const { isTimedOut, readyFd } = this.#waits
          return api.c.PyLong_FromLong(isTimedOut ? -2 : readyFd)
        },
      },
      {
        name: 'finish_body',
        doc: 'finish_body(chunk)\n--\n\nEnds the response with a last chunk.',
        takes: 'one',
        mayWait: true,
        call: (_self, chunk) => {
          const bytes = api.bytesView(chunk)
          if (bytes === undefined) return 0
          const request = this.#mustWaitForRoom(bytes)
          if (request !== undefined) return this.#later(request.finishAsync(bytes.slice()))
          return this.#send((request) => request.finish(bytes))
        },
      },
      {
        name: 'set_file',
        doc: 'set_file(fd, position)\n--\n\nMakes the rest of an open file of the host the body; False when it is no such file.',
        takes: 'positional',
        count: 2,
        call: (_self, args) => {
          const fd = api.c.PyLong_AsLongAndOverflow(word(args, 0), api.out)
          const position = api.c.PyLong_AsLongAndOverflow(word(args, 1), api.out)
          return handFileOver(this.#request(), this.#mounts, fd, position) ? api.true : api.false
        },
      },
      {
        name: 'read_body',
        doc: 'read_body(serial, size)\n--\n\nAt least one byte of the request body and at most so many; none at its end.',
        takes: 'positional',
        count: 2,
        mayWait: true,
        call: (_self, args) => {
          const most = api.c.PyLong_AsLongAndOverflow(word(args, 1), api.out)
          const read = (): Pointer => {
            const bytes = this.#read(word(args, 0), Math.max(1, Math.min(most, longestRead)))
            return bytes === undefined ? 0 : api.newBytes(bytes)
          }
          return this.#arrival(word(args, 0))?.then(() => read) ?? read()
        },
      },
      {
        name: 'read_body_into',
        doc: 'read_body_into(serial, buffer)\n--\n\nFills a writable buffer from the request body; returns how many bytes it got.',
        takes: 'positional',
        count: 2,
        mayWait: true,
        call: (_self, args) => {
          const read = (): Pointer => this.#readInto(word(args, 0), word(args, 1))
          return this.#arrival(word(args, 0))?.then(() => read) ?? read()
        },
      },
      {
        name: 'log_exception',
        doc: 'log_exception(summary, traceback)\n--\n\nLogs what the application raised, and answers the client if it has got nothing yet.',
        takes: 'positional',
        count: 2,
        call: (_self, args) => {
          const [summary, traceback] = [api.bytesView(word(args, 0)), api.bytesView(word(args, 1))]
          if (summary === undefined || traceback === undefined) return 0
          const error = new GuestError('python', utf8.decode(summary), utf8.decode(traceback))
          return this.#send(() => this.fail(error))
        },
      },
      {
        name: 'log_client_gone',
        doc: 'log_client_gone(what)\n--\n\nNotes that the client went away before it had its whole response.',
        takes: 'one',
        call: (_self, what) => {
          const request = api.bytesView(what)
          if (request === undefined) return 0
          const line = `python: the client has gone during ${utf8.decode(request)}`
          return this.#send(() => this.#log.text(line))
        },
      },
    ]
  }

  /**
   * Logs an application's failure; the client gets a plain 500 unless its response has begun. Differs from uWSGI: that
   * closes the connection without a byte, or sends the application's head with an empty body.
   */
  fail(error: GuestError): void {
    this.#log.text(error.traceback === '' ? error.message : error.traceback)
    this.current?.request.fail(error)
  }

  /** The text of the status; undefined with an exception set. */
  #status(object: Pointer): string | undefined {
    if (object === this.#statusObject) return this.#statusText
    const text = this.#api.strText(object)
    if (text === undefined) return undefined
    // Our reference keeps the address from being taken by another object; str cannot change.
    if (this.#statusObject !== 0) this.#api.c.Py_DecRef(this.#statusObject)
    this.#api.c.Py_IncRef(object)
    this.#statusObject = object
    this.#statusText = text
    return text
  }

  #request(): WsgiRequest {
    if (this.current === undefined) throw new Error('there is no request')
    return this.current.request
  }

  #send(operation: (request: WsgiRequest) => void): Pointer {
    try {
      operation(this.#request())
    } catch (error) {
      return this.#raise(error)
    }
    return this.#api.none
  }

  #write(request: WsgiRequest, bytes: Uint8Array): void {
    request.writeBody(bytes)
    assertClient(request)
  }

  /** The current request, when its core is to be suspended until its client has taken what it was sent. */
  #mustWaitForRoom(bytes: Uint8Array): WsgiRequest | undefined {
    const request = this.current?.request
    if (request === undefined || this.#cores?.canWait !== true || !request.needsRoom(bytes.length)) return undefined
    request.switches += 1
    return request
  }

  /** For a result of None after a wait. */
  #later(done: Promise<unknown>): Wait {
    return done.then(
      () => () => this.#api.none,
      (error) => () => this.#raise(error),
    )
  }

  /** What to wait for before a body is read; undefined when reading does not wait, or has to park the thread. */
  #arrival(serialObject: Pointer): Promise<void> | undefined {
    if (this.#cores?.canWait !== true) return undefined
    const serial = this.#api.c.PyLong_AsLongAndOverflow(serialObject, this.#api.out)
    const request = serial === this.current?.serial ? this.current.request : this.findOther(serial)
    if (request === undefined || request.body.canReadNow?.() !== false) return undefined
    request.switches += 1
    // What goes wrong is seen by the read that follows.
    return request.body.arrives?.().catch(() => {})
  }

  #read(serialObject: Pointer, most: number): Uint8Array | undefined {
    const serial = this.#api.c.PyLong_AsLongAndOverflow(serialObject, this.#api.out)
    try {
      const request = serial === this.current?.serial ? this.current.request : this.findOther(serial)
      if (request === undefined) throw new Error('the request that this body belongs to has ended')
      return request.body.read(most)
    } catch (error) {
      this.#raise(error)
      return undefined
    }
  }

  #readInto(serialObject: Pointer, buffer: Pointer): Pointer {
    const api = this.#api
    const view = api.c.malloc(64)
    // PyBUF_WRITABLE; the struct begins with the address, the length is its third word.
    let result = 0
    if (api.c.PyObject_GetBuffer(buffer, view, 1) === 0) {
      const bytes = this.#read(serialObject, Math.max(1, Math.min(api.words[(view + 8) >> 2]!, longestRead)))
      if (bytes !== undefined) {
        api.bytes.set(bytes, api.words[view >> 2]!)
        result = api.c.PyLong_FromLong(bytes.length)
      }
      api.c.PyBuffer_Release(view)
    }
    api.c.free(view)
    return result
  }

  #raise(error: unknown): 0 {
    if (error instanceof ClientError && error.code === 'CLIENT_GONE' && this.#clientGone !== 0) {
      return this.#api.raiseClass(this.#clientGone, error.message)
    }
    return raiseHostError(this.#api, error)
  }
}

/** A stream without end would otherwise go on for nobody. */
const assertClient = (request: WsgiRequest): void => {
  if (request.clientGone) throw new ClientError('CLIENT_GONE', 'the client has closed its connection')
}

/**
 * Makes the rest of a file that the guest has opened the response's body. One that cannot be handed over, or has been replaced
 * since, is for the guest to read.
 */
export const handFileOver = (request: WsgiRequest, mounts: Pick<HostMounts, 'fileOf'>, fd: number, offset: number): boolean => {
  const opened = mounts.fileOf(fd)
  if (opened === undefined || offset < 0 || request.headersSent) return false
  try {
    const { dev, ino } = request.setFile(opened.path, { offset, isPlain: true })
    if (dev === opened.dev && ino === opened.ino) return true
  } catch (error) {
    if (!(error instanceof PolywsgiError)) throw error
  }
  request.dropFile()
  return false
}

const utf8 = new TextDecoder()
