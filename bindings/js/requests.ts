// The requests a guest is working on, by number, and the host functions through which it reads and answers them.
// Invariants: a number is never used for two requests; a response is begun once; after a request is over its number
// reaches nothing.

import type { Log } from '../../host/api/context.ts'
import { PolywsgiError } from '../../host/errors.ts'
import { reasonPhrase } from '../../host/request/status.ts'
import type { WsgiRequest } from '../../host/request/wsgi-request.ts'
import type { Converter } from './convert.ts'
import type { Pointer, RawFunction } from './engine.ts'
import { type FatalGuestError, GuestThrow, guestErrorOf } from './errors.ts'
import type { HostPromise, Outcome } from './host-promises.ts'
import { wantText } from './host-text.ts'
import type { Suspension } from './suspend.ts'

/** One request in the guest's hands. */
export class GuestRequest {
  readonly id: number
  readonly wsgi: WsgiRequest
  /** The guest has given its answer: nothing more is taken from it. */
  isAnswered = false
  /** The answer has been handed over. */
  isOver = false
  /** What the host is told: 0 done, -1 failed. */
  result: 0 | -1 = 0
  /** What the guest asked for to learn that nobody waits for the answer any more. */
  breaks: HostPromise | undefined
  settle: { resolve(result: 0 | -1): void; reject(error: Error): void } | undefined

  constructor(id: number, wsgi: WsgiRequest) {
    this.id = id
    this.wsgi = wsgi
  }
}

// A body up to this size goes out at once: it fits the window that every response begins with. A longer one may have to
// wait for the client, and must not make the other requests of the worker wait too.
const mostAtOnce = 256 * 1024

/** Why nobody waits for an answer any more; guest/request.js has the same. */
const clientLeft = 1
const timeIsOver = 2

/**
 * @returns whether the client is there to take more
 * @throws what a response may not have (`response-limit`, headers past their limit): it cannot be completed then
 */
const sent = async (request: GuestRequest, chunk: Uint8Array<ArrayBuffer>): Promise<boolean> => {
  const { wsgi } = request
  try {
    await wsgi.writeBodyAsync(chunk)
    return !wsgi.clientGone
  } catch (error) {
    // Nobody waits for it any more: no error of the app's.
    const isRefused = error instanceof PolywsgiError && error.code !== 'CLIENT_GONE'
    if (!isRefused || wsgi.clientGone || wsgi.finished || request.isOver) return false
    request.result = -1
    throw error
  } finally {
    // V8 sees a small object here, not the chunk behind it, and a large download would pile chunks up.
    chunk.buffer.transfer(0)
  }
}

const statusLines: string[] = []
const statusLine = (status: number): string => (statusLines[status] ??= `${status} ${reasonPhrase(status)}`)

const lastId = 0x3fffffff

export class RequestTable {
  readonly #converter: Converter
  readonly #suspension: Suspension
  readonly #log: Log
  readonly #running = new Map<number, GuestRequest>()
  /** Streams whose head is known but not sent: it goes with the first chunk, or alone when the turn ends without one. */
  readonly #headsWaiting = new Set<GuestRequest>()
  readonly #breaks: Outcome<number>
  /** Tells code that was stopped from code that failed, and ends its request. */
  isOfStopped: (description: string) => boolean = () => false
  #lastId = 0

  constructor(converter: Converter, suspension: Suspension, log: Log) {
    this.#converter = converter
    this.#suspension = suspension
    this.#log = log
    this.#breaks = { toValue: (why) => converter.int32(why) }
    suspension.requestOf = (id) => this.#running.get(id)?.wsgi
    suspension.onTurnEnd.add(() => {
      if (this.#headsWaiting.size > 0) this.#sendHeads()
    })
  }

  begin(wsgi: WsgiRequest): GuestRequest {
    do this.#lastId = this.#lastId === lastId ? 1 : this.#lastId + 1
    while (this.#running.has(this.#lastId))
    const request = new GuestRequest(this.#lastId, wsgi)
    this.#running.set(request.id, request)
    return request
  }

  /** The one that guest code runs for now, as far as is known. */
  get running(): GuestRequest | undefined {
    return this.#running.get(this.#suspension.current)
  }

  get current(): WsgiRequest | undefined {
    return this.running?.wsgi
  }

  /** How many are under way. */
  get size(): number {
    return this.#running.size
  }

  /** The interpreter is lost, and with it everybody's handler. */
  rejectAll(error: FatalGuestError): void {
    for (const request of this.#running.values()) {
      request.wsgi.onCancel = undefined
      request.settle?.reject(error)
    }
    this.#running.clear()
    this.#headsWaiting.clear()
  }

  /**
   * Logs what went wrong and answers with a plain 500. A response that has begun stays as it is: the host cuts it, since
   * the result is -1.
   */
  fail(request: GuestRequest, description: string): void {
    const { wsgi } = request
    this.#logFor(request, description)
    request.isAnswered = true
    request.result = -1
    try {
      wsgi.fail(guestErrorOf(description))
    } catch (error) {
      this.#failToSend(request, error)
    }
    this.#end(request)
  }

  #end(request: GuestRequest): void {
    request.isOver = true
    this.#running.delete(request.id)
    this.#headsWaiting.delete(request)
    if (request.breaks !== undefined) this.#suspension.promises.drop(request.breaks)
    request.wsgi.onCancel = undefined
    request.settle?.resolve(request.result)
  }

  /** The promise of a request whose handler goes on after the call of it has returned. */
  later(request: GuestRequest): Promise<0 | -1> {
    request.wsgi.onCancel = (error) => this.giveUp(request, error)
    return new Promise((resolve, reject) => {
      request.settle = { resolve, reject }
    })
  }

  /** The host has answered for the handler: what it says later is not heard, and what it waits for is rejected. */
  giveUp(request: GuestRequest, error: PolywsgiError): void {
    request.isAnswered = true
    request.result = -1
    request.breaks?.settle('fulfilled', timeIsOver)
    request.breaks = undefined
    this.#suspension.abandon(request.id, error)
    this.#end(request)
  }

  #watch(request: GuestRequest): Pointer {
    const { value, promise } = this.#suspension.promises.begin(this.#breaks)
    request.breaks = promise
    if (request.wsgi.clientGone) promise.settle('fulfilled', clientLeft)
    else void request.wsgi.clientLeaves.then(() => promise.settle('fulfilled', clientLeft))
    return value
  }

  #failToSend(request: GuestRequest, error: unknown): void {
    // A client that has gone is no error of the app's; headers past the limit are.
    if (error instanceof PolywsgiError && error.code === 'CLIENT_GONE') return
    request.result = -1
    this.#logFor(request, error instanceof Error ? error.message : String(error))
  }

  #logFor(request: GuestRequest, what: string): void {
    this.#log.text(`js app ${request.wsgi.app?.source ?? '(none)'}: ${what}`)
  }

  /** The request a guest means, while it may still be answered. */
  #open(argv: Pointer): GuestRequest | undefined {
    const request = this.#running.get(this.#converter.int(argv) ?? 0)
    return request === undefined || request.isAnswered ? undefined : request
  }

  /** The request a guest reads from. */
  #readable(argv: Pointer): WsgiRequest {
    const request = this.#running.get(this.#converter.int(argv) ?? 0)
    if (request === undefined) throw new GuestThrow('TypeError', 'the request is over, its body cannot be read any more')
    return request.wsgi
  }

  #setHead(request: GuestRequest, argv: Pointer): void {
    const status = this.#converter.int(argv + 8)!
    const reason = this.#converter.text(argv + 16)
    const headers = wantText(this.#converter.text(argv + 24))
    try {
      request.wsgi.setHead(reason === undefined ? statusLine(status) : `${status} ${reason}`, headers)
    } catch (error) {
      throw new GuestThrow('TypeError', error instanceof Error ? error.message : 'bad response head')
    }
  }

  #bodyOf(cell: Pointer): Uint8Array {
    const body = this.#converter.utf8(cell) ?? this.#converter.bytes(cell)
    if (body === undefined) throw new GuestThrow('TypeError', 'a body is text or bytes')
    return body
  }

  #finish(request: GuestRequest, body: Uint8Array | undefined): void {
    request.isAnswered = true
    // A part of it could not be sent: its end would make it look whole. The host cuts it.
    if (request.result === -1) return this.#end(request)
    if (body === undefined || body.length <= mostAtOnce) {
      try {
        request.wsgi.finish(body)
      } catch (error) {
        this.#failToSend(request, error)
      }
      this.#end(request)
      return
    }
    request.wsgi
      .finishAsync(body.slice())
      .catch((error: unknown) => this.#failToSend(request, error))
      .then(() => this.#end(request))
  }

  #sendHeads(): void {
    for (const request of this.#headsWaiting) {
      request.wsgi.writeBodyAsync(new Uint8Array(0)).catch((error: unknown) => this.#failToSend(request, error))
    }
    this.#headsWaiting.clear()
  }

  functions(): Record<string, RawFunction> {
    const converter = this.#converter
    const { promises } = this.#suspension
    const truth: Outcome<boolean> = { toValue: (isTrue) => converter.boolean(isTrue) }
    const buffer: Outcome<Uint8Array> = { toValue: (bytes) => converter.newBuffer(bytes) }
    return {
      /** id, status, reason or undefined, head (names and values joined by NUL), body (text or bytes). */
      respond: (_argc, argv) => {
        const request = this.#open(argv)
        if (request === undefined) return 0
        this.#setHead(request, argv)
        this.#finish(request, this.#bodyOf(argv + 32))
        return 0
      },
      /** As `respond` without the body, which follows by `write` and `finish`. */
      respondHead: (_argc, argv) => {
        const request = this.#open(argv)
        if (request === undefined) return 0
        this.#setHead(request, argv)
        this.#headsWaiting.add(request)
        return 0
      },
      /** id, bytes: a promise of true when there is room for more, of false when the client is gone. */
      write: (_argc, argv) => {
        const request = this.#open(argv)
        if (request === undefined) return promises.resolved(false, truth)
        this.#headsWaiting.delete(request)
        const { wsgi } = request
        const chunk = this.#bodyOf(argv + 8)
        if (wsgi.clientGone) return promises.resolved(false, truth)
        // An empty chunk is nothing to send, and would mean the end in some encodings of a body.
        if (chunk.length === 0) return promises.resolved(true, truth)
        return promises.of(sent(request, chunk.slice()), truth)
      },
      /** id, bytes. Waits for the client. */
      writeSync: (_argc, argv) => {
        const request = this.#open(argv)
        if (request === undefined || request.wsgi.clientGone) return 0
        this.#headsWaiting.delete(request)
        try {
          // A copy: while this waits the thread may serve calls into the guest, which move its memory.
          request.wsgi.writeBody(this.#bodyOf(argv + 8).slice())
        } catch (error) {
          if (request.wsgi.clientGone) return 0
          request.result = -1
          throw error instanceof GuestThrow
            ? error
            : new GuestThrow('Error', error instanceof Error ? error.message : String(error))
        }
        return 0
      },
      finish: (_argc, argv) => {
        const request = this.#open(argv)
        if (request !== undefined) this.#finish(request, undefined)
        return 0
      },
      /** id, description. */
      fail: (_argc, argv) => {
        const description = converter.text(argv + 8) ?? 'an unprintable error'
        if (this.isOfStopped(description)) return 0
        const request = this.#open(argv)
        if (request !== undefined) this.fail(request, description)
        return 0
      },
      /** 0 without a body, -1 when the length is not known. */
      bodyLength: (_argc, argv) => converter.int32(Math.min(this.#readable(argv).body.contentLength, 0x7fffffff)),
      bodyWhole: (_argc, argv) => {
        const { body } = this.#readable(argv)
        const whole = body.whole
        if (whole === undefined) return 0
        const buffer = converter.newBuffer(whole)
        if (whole.length > 0) body.read(whole.length)
        return buffer
      },
      bodyText: (_argc, argv) => {
        const { body } = this.#readable(argv)
        const whole = body.whole
        if (whole === undefined) return 0
        const text = converter.newUtf8(whole)
        if (whole.length > 0) body.read(whole.length)
        return text
      },
      /** id, most bytes: a promise of an ArrayBuffer, empty at the end. */
      bodyRead: (_argc, argv) => {
        const { body } = this.#readable(argv)
        return promises.of(body.readAsync(converter.int(argv + 8)!), buffer)
      },
      /** id: a promise of whether the client left (1), or the time was over (2), before the request was; of neither, it stays. */
      requestBreaks: (_argc, argv) => {
        const request = this.#running.get(converter.int(argv) ?? 0)
        return request === undefined ? 0 : this.#watch(request)
      },
      /** id, most bytes. Waits for the client. */
      bodyReadSync: (_argc, argv) => {
        const { body } = this.#readable(argv)
        const most = converter.int(argv + 8)!
        try {
          return converter.newBuffer(most === 0 ? new Uint8Array(0) : body.read(most))
        } catch (error) {
          if (!(error instanceof PolywsgiError)) throw error
          throw new GuestThrow('UwsgiError', error.message, error.code)
        }
      },
    }
  }
}
