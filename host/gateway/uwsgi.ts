// uwsgi sockets: one request per connection, its answer as raw HTTP text until the connection closes, byte for byte as
// uWSGI writes it; what answers in packets writes them raw. (uWSGI docs, "The uwsgi protocol"; there is no keep-alive in it.)

import { createServer, type Server, type Socket } from 'node:net'
import { encodeResponseHead, findVar, ProtocolError, RequestReader } from '../../protocol/index.ts'
import { answersInPackets, bodyLength } from '../../protocol/modifiers.ts'
import type { Exchange, ExchangeBody, ExchangeHead, Ticket } from '../master/exchange.ts'
import { namedAnswer } from '../request/request-id.ts'
import { reasonPhrase } from '../request/status.ts'
import { BodyCollector, type BodyLimits, spoolStatus } from './body-collector.ts'
import { BodyStream } from './body-stream.ts'
import { copyChunk, releaseChunk } from './chunk-pool.ts'
import { Flow } from './flow.ts'

export interface UwsgiGatewayOptions {
  readonly submit: (exchange: Exchange) => Ticket | undefined
  readonly log: (line: string) => void
  readonly limits: BodyLimits
  readonly bufferSize: number
  /** Seconds without a byte after which a request that is not complete is given up (uWSGI: `socket-timeout`). */
  readonly socketTimeoutSeconds: number
}

/** A body this small is waited for even where bodies are streamed: it travels with its request. */
const smallBody = 32 * 1024
/** Heads and chunks up to this many bytes together are written as one piece of text. */
const smallResponse = 16 * 1024

export const createUwsgiServer = (options: UwsgiGatewayOptions): Server => {
  /** Connections that wait for bytes, or for their close: the only ones that can be too slow. */
  const receiving = new Set<UwsgiConnection>()
  // A client that closes its sending side may still read its answer (RFC 9293, 3.6.1).
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    receiving.add(new UwsgiConnection(socket, options, receiving))
  })
  // One look at all slow connections each second costs less than a timer for each of the many fast ones.
  const watch = setInterval(() => {
    const oldest = performance.now() - options.socketTimeoutSeconds * 1000
    for (const connection of receiving) connection.giveUpIfSilentSince(oldest)
  }, 1000)
  watch.unref()
  server.on('close', () => clearInterval(watch))
  return server
}

class UwsgiConnection implements Exchange {
  packet: Uint8Array = new Uint8Array(0)
  body: ExchangeBody = { mode: 'whole', bytes: undefined }
  readonly #socket: Socket
  readonly #options: UwsgiGatewayOptions
  readonly #receiving: Set<UwsgiConnection>
  #reader: RequestReader | undefined
  #collector: BodyCollector | undefined
  #stream: BodyStream | undefined
  #bodyLeft = 0
  #ticket: Ticket | undefined
  #protocol = ''
  /** The client expects no HTTP: what cannot be answered is closed without a byte. */
  #isPeer = false
  #headSent = false
  readonly #flow: Flow
  #lastByteAt = performance.now()

  constructor(socket: Socket, options: UwsgiGatewayOptions, receiving: Set<UwsgiConnection>) {
    this.#socket = socket
    this.#options = options
    this.#receiving = receiving
    this.#reader = new RequestReader({ bufferSize: options.bufferSize })
    this.#flow = new Flow({
      stream: socket,
      acknowledge: (bytes) => this.#ticket?.acknowledge(bytes),
      socket: () => socket,
      stallMs: options.socketTimeoutSeconds * 1000,
      log: options.log,
    })
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('end', () => this.#ended())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#closed())
  }

  giveUpIfSilentSince(oldest: number): void {
    if (this.#lastByteAt > oldest) return
    if (this.#socket.writableEnded) {
      // Answered, and the client still keeps its side open.
      this.#socket.destroy()
      return
    }
    this.#options.log(
      `${this.#client()}: the request did not arrive in ${this.#options.socketTimeoutSeconds} s, connection closed`,
    )
    this.#stream?.finish('timeout')
    this.#receiving.delete(this)
    if (this.#ticket === undefined) this.#socket.destroy()
  }

  #receive(chunk: Buffer): void {
    // The time for a head runs from the connection on: front ends send it whole, and a byte now and then is no head.
    if (this.#reader === undefined) this.#lastByteAt = performance.now()
    try {
      if (this.#reader !== undefined) this.#receivePacket(this.#reader, chunk)
      else this.#receiveBody(chunk)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.#options.log(`${this.#client()}: ${error.message}`)
      this.#refuse(error.httpStatus)
    }
  }

  #receivePacket(reader: RequestReader, chunk: Buffer): void {
    const request = reader.push(chunk)
    if (request === undefined) return
    this.#reader = undefined
    this.#lastByteAt = performance.now()
    this.packet = request.packet
    this.#isPeer = answersInPackets(request.modifier1, request.modifier2)
    if (!this.#isPeer) this.#protocol = findVar(request.vars, 'SERVER_PROTOCOL') ?? ''
    const length = bodyLength(request.modifier1, request.modifier2, request.vars)
    const { limitPost, postBuffering } = this.#options.limits
    if (limitPost > 0 && length > limitPost) {
      this.#options.log(`${this.#client()}: invalid (too big) CONTENT_LENGTH ${length} (limit-post is ${limitPost})`)
      return this.#refuse(413)
    }
    if (length === 0) return this.#submit()
    if (request.rest.length >= length) {
      this.body = { mode: 'whole', bytes: request.rest.subarray(0, length) }
      return this.#submit()
    }
    this.#bodyLeft = length
    if (postBuffering > 0 || length <= smallBody) {
      const limits = { limitPost: 0, postBuffering: Math.max(postBuffering, smallBody), ownsChunks: true }
      this.#collector = new BodyCollector(limits, this.#socket, (state, error) => this.#collected(state === 'complete', error))
    } else {
      this.#stream = new BodyStream(length, { limitPost: 0, postBuffering: 0, ownsChunks: true }, this.#socket)
      this.body = this.#stream.body
      this.#submit()
    }
    if (request.rest.length > 0) this.#receiveBody(request.rest)
  }

  #receiveBody(chunk: Uint8Array): void {
    // Bytes past CONTENT_LENGTH belong to no request: there is one per connection.
    const bytes = chunk.length > this.#bodyLeft ? chunk.subarray(0, this.#bodyLeft) : chunk
    if (bytes.length === 0) return
    this.#bodyLeft -= bytes.length
    this.#collector?.add(bytes)
    this.#stream?.add(bytes)
    if (this.#bodyLeft > 0) return
    this.#receiving.delete(this)
    this.#collector?.end()
    this.#stream?.finish('end')
  }

  #collected(isComplete: boolean, error: Error | undefined): void {
    if (!isComplete) {
      this.#options.log(`${this.#client()}: a request body could not be spooled: ${error?.message}`)
      return this.#refuse(spoolStatus(error))
    }
    this.body = (this.#collector as BodyCollector).take()
    this.#submit()
  }

  #submit(): void {
    if (this.#bodyLeft === 0) this.#receiving.delete(this)
    if (this.#socket.destroyed) {
      if (this.body.mode === 'file') this.body.release()
      return
    }
    this.#ticket = this.#options.submit(this)
    if (this.#ticket !== undefined) return
    if (this.body.mode === 'file') this.body.release()
    this.#refuse(503)
  }

  respond(head: ExchangeHead | undefined, chunk: Uint8Array, last: boolean, isRaw: boolean, isLasting = false): boolean {
    const socket = this.#socket
    if (socket.destroyed) return true
    // Without a head in front the rest of the way is the same, and nothing may be put in front later.
    if (isRaw) this.#headSent = true
    const { length } = chunk
    if (head !== undefined) {
      this.#headSent = true
      const text = encodeResponseHead(this.#protocol, head.status, head.headers)
      if (text.length + length <= smallResponse) {
        const whole = Buffer.allocUnsafe(text.length + length)
        whole.set(text)
        whole.set(chunk, text.length)
        if (!last) return this.#flow.wrote(socket.write(whole), length)
        this.#end(whole)
        return true
      }
      socket.write(text)
    }
    if (last) {
      this.#end(length > 0 ? (isLasting ? chunk : Buffer.from(chunk)) : undefined)
      return true
    }
    if (length === 0) return true
    const copy = copyChunk(chunk)
    return this.#flow.wrote(
      socket.write(copy, () => releaseChunk(copy)),
      length,
    )
  }

  /** The connection is the response's end: our side is closed, and the client gets a while to close its own. */
  #end(bytes: Uint8Array | undefined): void {
    if (bytes === undefined) this.#socket.end()
    else this.#socket.end(bytes)
    this.#flow.ended()
    // Only now: a client that is slow to take what is left has all the time it needs, as long as it takes some.
    this.#socket.once('finish', () => {
      this.#lastByteAt = performance.now()
      this.#receiving.add(this)
    })
  }

  fail(status: 500 | 503 | 504, _reason: string, requestId?: string): void {
    // What was written leaves; the protocol has no other way to say that the rest is missing than Content-Length.
    if (this.#headSent) this.#end(undefined)
    else this.#refuse(status, requestId)
  }

  /** Answers in the gateway's own name. Differs from uWSGI: it closes every such connection without a byte, not only its peers'. */
  #refuse(status: number, requestId?: string): void {
    this.#receiving.delete(this)
    this.#collector?.discard()
    if (this.#isPeer) this.#end(undefined)
    else this.#answer(status, requestId)
    // The rest of the request is read and dropped: closing a socket with unread input would send a reset, and a front
    // end would never see the answer.
    this.#socket.removeAllListeners('data').resume()
  }

  #answer(status: number, requestId: string | undefined): void {
    const reason = reasonPhrase(status)
    const { headers: named, text } = namedAnswer(reason, requestId)
    const headers = ['Connection', 'close', named]
    if (status === 503) headers.push('Retry-After', '1')
    this.#headSent = true
    const head = encodeResponseHead(this.#protocol || 'HTTP/1.1', `${status} ${reason}`, headers.join('\0'))
    this.#end(Buffer.concat([head, Buffer.from(text)]))
  }

  #ended(): void {
    if (this.#bodyLeft > 0 || this.#reader !== undefined) {
      this.#stream?.finish('gone')
      if (this.#ticket === undefined) this.#socket.destroy()
    }
    // After a whole request the client may wait for its answer; after the answer this closes what it left half open.
    if (this.#socket.writableEnded) this.#socket.destroySoon()
  }

  #closed(): void {
    this.#receiving.delete(this)
    this.#collector?.discard()
    this.#stream?.finish('gone')
    this.#ticket?.abandon()
  }

  #client(): string {
    return this.#socket.remoteAddress ?? 'unix socket'
  }
}
