// HTTP sockets, on node:http: each request becomes one uwsgi packet and an exchange. Keep-alive, chunked decoding, header
// limits and malformed requests are Node's; what a body may cost is ours.

import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { encodeHttpRequest, ProtocolError, VarsWriter } from '../../protocol/index.ts'
import type { Exchange, ExchangeBody, ExchangeHead, Ticket } from '../master/exchange.ts'
import { namedAnswer } from '../request/request-id.ts'
import { reasonPhrase } from '../request/status.ts'
import { BodyCollector, type BodyLimits, spoolStatus } from './body-collector.ts'
import { BodyStream } from './body-stream.ts'
import { Flow } from './flow.ts'
import { boundPipelining } from './pipelining.ts'
import { RawResponse } from './raw-response.ts'
import { cutResponse, HttpResponder } from './respond-http.ts'

export interface HttpGatewayOptions {
  readonly submit: (exchange: Exchange) => Ticket | undefined
  readonly log: (line: string) => void
  readonly limits: BodyLimits
  /** Largest vars block, and largest request head (uWSGI: `buffer-size`). */
  readonly bufferSize: number
  readonly modifier1: number
  readonly modifier2: number
  /** Seconds an idle connection is kept; 0: it is closed after each response. */
  readonly keepAliveSeconds: number
  /** Seconds a client may take to send a request's head, and to be silent within its body (uWSGI: `http-timeout`). */
  readonly timeoutSeconds: number
  /** The server is stopping: a response is the last one of its connection. */
  isDraining(): boolean
}

/** A body that is known to be this small is waited for even where bodies are streamed: it travels with its request. */
const smallBody = 32 * 1024
/** So often late heads are looked for. */
const lateHeadsMs = 1000

export const createHttpServer = (options: HttpGatewayOptions): Server => {
  const listener = createHttpListener(options)
  const server = createServer(
    {
      keepAlive: true,
      noDelay: true,
      keepAliveTimeout: options.keepAliveSeconds * 1000,
      headersTimeout: options.timeoutSeconds * 1000,
      // Node looks for late heads every 30 seconds unless told otherwise, whatever the time they have.
      connectionsCheckingInterval: lateHeadsMs,
      // A body is bounded by silence, not by its whole time: a large upload may take long.
      requestTimeout: 0,
      maxHeaderSize: options.bufferSize,
    },
    listener,
  )
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    const { limitPost } = options.limits
    if (limitPost > 0 && Number(request.headers['content-length']) > limitPost) return refuse(response, 413)
    response.writeContinue()
    listener(request, response)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => refuseMalformed(error, socket, options.log))
  return server
}

/** The listener by itself: for servers that belong to the embedding program. */
export const createHttpListener = (options: HttpGatewayOptions): RequestListener => {
  const writer = new VarsWriter(options.bufferSize)
  return boundPipelining((request, response) => {
    const length = bodyLength(request.rawHeaders)
    const isChunked = length < 0
    // Node takes a keep-alive timeout of 0 as none at all.
    if (options.keepAliveSeconds === 0) response.shouldKeepAlive = false
    const encode = (bodyLength: number | undefined): Uint8Array => encodeRequest(writer, request, bodyLength, options)
    try {
      if (length === 0) {
        new HttpExchange(options, response, encode(undefined), { mode: 'whole', bytes: undefined }).submit()
        return
      }
      const { limitPost, postBuffering } = options.limits
      if (limitPost > 0 && length > limitPost) return refuse(response, 413)
      if (postBuffering > 0 || (!isChunked && length <= smallBody)) collect(options, request, response, length, encode)
      else stream(options, request, response, length, encode)
    } catch (error) {
      refuseUnencodable(options, request, response, error)
    }
  })
}

const refuseUnencodable = (
  options: HttpGatewayOptions,
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
): void => {
  if (!(error instanceof ProtocolError)) throw error
  options.log(`${request.socket.remoteAddress}: ${error.message}`)
  refuse(response, error.httpStatus)
}

/**
 * The declared length of a body; 0: none, -1: unknown (chunked). Reads the raw list, since `request.headers` builds an
 * object of all headers, which nothing else needs. Node has refused heads in which the two disagree.
 */
const bodyLength = (rawHeaders: readonly string[]): number => {
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    if (name.length === 14 && name.toLowerCase() === 'content-length') return Number(rawHeaders[index + 1])
    if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') return -1
  }
  return 0
}

const encodeRequest = (
  writer: VarsWriter,
  request: IncomingMessage,
  contentLength: number | undefined,
  options: HttpGatewayOptions,
): Uint8Array => {
  const { socket } = request
  return encodeHttpRequest(
    {
      method: request.method as string,
      url: request.url as string,
      httpVersion: request.httpVersion,
      rawHeaders: request.rawHeaders,
      remoteAddress: socket.remoteAddress,
      remotePort: socket.remotePort,
      localPort: socket.localPort,
      serverName: socket.localAddress ?? '',
      tls: (socket as Partial<TLSSocket>).encrypted === true,
      contentLength,
    },
    writer,
    options.modifier1,
    options.modifier2,
  )
}

/** Waits for the whole body, then submits. */
const collect = (
  options: HttpGatewayOptions,
  request: IncomingMessage,
  response: ServerResponse,
  length: number,
  encode: (bodyLength: number | undefined) => Uint8Array,
): void => {
  // The packet is made before the body is read: a head that is refused is refused at once.
  const early = length < 0 ? undefined : encode(length)
  const postBuffering = Math.max(options.limits.postBuffering, smallBody)
  const collector = new BodyCollector({ ...options.limits, postBuffering }, request, (state, error) => {
    if (state === 'too-large') return refuse(response, 413)
    if (state === 'failed') {
      options.log(`${request.socket.remoteAddress}: a request body could not be spooled: ${error?.message}`)
      return refuse(response, spoolStatus(error))
    }
    // A chunked body's length is known only now, and must go into the packet, which may be full.
    let packet: Uint8Array
    try {
      packet = early ?? encode(collector.length)
    } catch (failure) {
      collector.discard()
      return refuseUnencodable(options, request, response, failure)
    }
    new HttpExchange(options, response, packet, collector.take()).submit()
  })
  request.setTimeout(options.timeoutSeconds * 1000, () => {
    collector.discard()
    refuse(response, 408)
  })
  request.on('data', (chunk: Buffer) => collector.add(chunk))
  request.on('end', () => {
    request.setTimeout(0)
    collector.end()
  })
  request.on('close', () => {
    if (!request.complete) collector.discard()
  })
}

/** Submits at once; the worker pulls what arrives. */
const stream = (
  options: HttpGatewayOptions,
  request: IncomingMessage,
  response: ServerResponse,
  length: number,
  encode: (bodyLength: number | undefined) => Uint8Array,
): void => {
  const body = new BodyStream(length, options.limits, request)
  const exchange = new HttpExchange(options, response, encode(length < 0 ? undefined : length), body.body)
  request.on('data', (chunk: Buffer) => {
    if (!body.add(chunk)) {
      body.finish('gone')
      exchange.abandon()
      refuse(response, 413)
    }
  })
  request.setTimeout(options.timeoutSeconds * 1000, () => body.finish('timeout'))
  request.on('end', () => {
    request.setTimeout(0)
    body.finish('end')
  })
  request.on('close', () => body.finish('gone'))
  exchange.submit()
}

class HttpExchange implements Exchange {
  readonly packet: Uint8Array
  readonly body: ExchangeBody
  readonly #options: HttpGatewayOptions
  readonly #response: ServerResponse
  readonly #responder: HttpResponder
  #ticket: Ticket | undefined
  readonly #flow: Flow
  #raw: RawResponse | undefined

  constructor(options: HttpGatewayOptions, response: ServerResponse, packet: Uint8Array, body: ExchangeBody) {
    this.#options = options
    this.#response = response
    this.#responder = new HttpResponder(response, options.isDraining)
    this.#flow = new Flow({
      stream: response,
      acknowledge: (bytes) => this.#ticket?.acknowledge(bytes),
      socket: () => response.socket,
      stallMs: options.timeoutSeconds * 1000,
      log: options.log,
    })
    this.packet = packet
    this.body = body
  }

  submit(): void {
    this.#ticket = this.#options.submit(this)
    if (this.#ticket === undefined) {
      if (this.body.mode === 'file') this.body.release()
      refuse(this.#response, 503)
      return
    }
    this.#response.on('close', () => this.abandon())
  }

  abandon(): void {
    this.#ticket?.abandon()
  }

  respond(head: ExchangeHead | undefined, chunk: Uint8Array, last: boolean, isRaw: boolean, isLasting = false): boolean {
    const { length } = chunk
    if (isRaw) return this.#respondRaw(chunk, last)
    const hasRoom = this.#responder.send(head, chunk, last, isLasting)
    if (!last) return this.#flow.wrote(hasRoom, length)
    this.#flow.ended()
    return true
  }

  #respondRaw(chunk: Uint8Array, last: boolean): boolean {
    if (this.#responder.headSent) {
      this.#responder.disconnect()
      return true
    }
    this.#raw ??= new RawResponse(this.#response, {
      acknowledge: (bytes) => this.#ticket?.acknowledge(bytes),
      stallMs: this.#options.timeoutSeconds * 1000,
      log: this.#options.log,
    })
    // The last chunk is nobody's to wait for.
    return this.#raw.send(chunk, last) || last
  }

  fail(status: 500 | 503 | 504, _reason: string, requestId?: string): void {
    if (this.#raw !== undefined) return this.#raw.cut()
    if (!this.#responder.headSent && !this.#response.headersSent) return refuse(this.#response, status, requestId)
    cutResponse(this.#response)
  }
}

/** Answers in the gateway's own name. */
const refuse = (response: ServerResponse, status: number, requestId?: string): void => {
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  const { text } = namedAnswer(reasonPhrase(status), requestId)
  const headers: Record<string, string | number> = { 'Content-Type': 'text/plain', 'Content-Length': text.length }
  if (requestId !== undefined) headers['X-Request-Id'] = requestId
  if (status === 503) headers['Retry-After'] = 1
  // What is left of a refused body cannot be told from the next request unless it is read; closing is cheaper.
  if (!response.req.complete) headers['Connection'] = 'close'
  response.writeHead(status, reasonPhrase(status), headers)
  response.end(text)
}

/** What is no HTTP, or too large a head, or too slow: answered on the bare socket, then closed. */
const refuseMalformed = (error: NodeJS.ErrnoException, socket: Socket, log: (line: string) => void): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
  const reason = reasonPhrase(status)
  log(`${socket.remoteAddress}: malformed HTTP request: ${error.message}`)
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${reason.length + 1}\r\n\r\n${reason}\n`,
  )
}
