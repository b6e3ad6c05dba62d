// Requests of the embedding program: a web-standard Request in, a Response out, by the same road as any client's.

import { encodeHttpRequest, ProtocolError, VarsWriter } from '../../protocol/index.ts'
import { PolywsgiError } from '../errors.ts'
import type { Exchange, ExchangeBody, ExchangeHead, Ticket } from '../master/exchange.ts'
import { namedAnswer } from '../request/request-id.ts'
import { reasonPhrase } from '../request/status.ts'
import { BodyCollector, type BodyLimits } from './body-collector.ts'

export interface FetchGatewayOptions {
  readonly submit: (exchange: Exchange) => Ticket | undefined
  readonly limits: BodyLimits
  readonly bufferSize: number
  readonly modifier1: number
  readonly modifier2: number
}

/**
 * Resolves to the app's response once its head is there; the body streams. A request that is refused (too large, queue
 * full) or fails resolves to the 4xx or 5xx response that a client would get.
 * Rejects with the signal's reason when the request's signal aborts.
 */
export const createFetch = (options: FetchGatewayOptions): ((request: Request) => Promise<Response>) => {
  const writer = new VarsWriter(options.bufferSize)
  return async (request) => {
    request.signal.throwIfAborted()
    const body = await collect(request, options.limits)
    if (body === 'too-large') return plainResponse(413)
    let packet: Uint8Array
    try {
      packet = encode(request, body, writer, options)
    } catch (error) {
      if (body.mode === 'file') body.release()
      if (!(error instanceof ProtocolError)) throw error
      return plainResponse(error.httpStatus)
    }
    return await new Promise<Response>((resolve, reject) => {
      const exchange = new FetchExchange(packet, body, resolve)
      const ticket = options.submit(exchange)
      if (ticket === undefined) {
        if (body.mode === 'file') body.release()
        resolve(plainResponse(503))
        return
      }
      exchange.ticket = ticket
      request.signal.addEventListener('abort', () => {
        ticket.abandon()
        exchange.abort(request.signal.reason)
        reject(request.signal.reason)
      })
    })
  }
}

const encode = (request: Request, body: ExchangeBody, writer: VarsWriter, options: FetchGatewayOptions): Uint8Array => {
  const url = new URL(request.url)
  const rawHeaders = ['Host', url.host]
  for (const [name, value] of request.headers) rawHeaders.push(name, value)
  const tls = url.protocol === 'https:'
  const length = body.mode === 'file' ? body.length : body.mode === 'whole' ? body.bytes?.length : undefined
  return encodeHttpRequest(
    {
      method: request.method,
      url: url.pathname + url.search,
      httpVersion: '1.1',
      rawHeaders,
      remoteAddress: '127.0.0.1',
      remotePort: 0,
      localPort: url.port === '' ? (tls ? 443 : 80) : Number(url.port),
      serverName: url.hostname,
      tls,
      contentLength: length,
    },
    writer,
    options.modifier1,
    options.modifier2,
  )
}

const collect = async (request: Request, limits: BodyLimits): Promise<ExchangeBody | 'too-large'> => {
  if (request.body === null) return { mode: 'whole', bytes: undefined }
  let release: (() => void) | undefined
  let paused: Promise<void> | undefined
  const source = {
    pause: () => {
      paused = new Promise((resolve) => (release = resolve))
    },
    resume: () => {
      release?.()
      paused = undefined
    },
  }
  const outcome = Promise.withResolvers<'complete' | 'too-large'>()
  const postBuffering = limits.postBuffering || memoryWithoutPostBuffering
  const collector = new BodyCollector({ ...limits, postBuffering }, source, (state, error) => {
    if (state === 'failed') outcome.reject(error)
    else if (state !== 'collecting') outcome.resolve(state)
  })
  try {
    for await (const chunk of request.body) {
      collector.add(chunk)
      if (paused !== undefined) await Promise.race([paused, outcome.promise])
    }
  } catch (error) {
    collector.discard()
    throw error
  }
  collector.end()
  return (await outcome.promise) === 'complete' ? collector.take() : 'too-large'
}

/** A Request's body may be of any size; where bodies are streamed to sockets' apps, this much of it is held in memory. */
const memoryWithoutPostBuffering = 1024 * 1024

const plainResponse = (status: number, requestId?: string): Response =>
  new Response(namedAnswer(reasonPhrase(status), requestId).text, {
    status,
    statusText: reasonPhrase(status),
    headers: {
      'Content-Type': 'text/plain',
      ...(status === 503 ? { 'Retry-After': '1' } : {}),
      ...(requestId === undefined ? {} : { 'X-Request-Id': requestId }),
    },
  })

class FetchExchange implements Exchange {
  readonly packet: Uint8Array
  readonly body: ExchangeBody
  ticket: Ticket | undefined
  readonly #resolve: (response: Response) => void
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined

  constructor(packet: Uint8Array, body: ExchangeBody, resolve: (response: Response) => void) {
    this.packet = packet
    this.body = body
    this.#resolve = resolve
  }

  respond(head: ExchangeHead | undefined, chunk: Uint8Array, last: boolean, isRaw: boolean): boolean {
    if (isRaw && this.#controller === undefined) {
      throw new PolywsgiError('APP_RESPONSE', 'the app wrote raw bytes to the client, or disconnected it, and fetch() has none')
    }
    const bytes = chunk.length > 0 ? Uint8Array.from(chunk) : undefined
    if (head !== undefined) {
      try {
        this.#resolve(last ? makeResponse(head, bytes) : makeResponse(head, this.#openStream()))
      } catch (error) {
        throw new PolywsgiError(
          'APP_RESPONSE',
          `the app's response is not one that fetch() can give: ${(error as Error).message}`,
        )
      }
      if (last) return true
    }
    const controller = this.#controller
    if (controller === undefined) return true
    if (bytes !== undefined) controller.enqueue(bytes)
    if (last) controller.close()
    // Read or not, a chunk counts as taken when the reader asks for more (`pull`).
    if (bytes === undefined || last || (controller.desiredSize ?? 0) > 0) return true
    this.#unacknowledged += bytes.length
    return false
  }

  #unacknowledged = 0

  fail(status: 500 | 503 | 504, reason: string, requestId?: string): void {
    if (this.#controller === undefined) this.#resolve(plainResponse(status, requestId))
    else this.#controller.error(new PolywsgiError('WORKER_DIED', reason))
  }

  abort(reason: unknown): void {
    this.#controller?.error(reason)
  }

  #openStream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller
        },
        pull: () => {
          const bytes = this.#unacknowledged
          this.#unacknowledged = 0
          if (bytes > 0) this.ticket?.acknowledge(bytes)
        },
        cancel: () => this.ticket?.abandon(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: 64 * 1024 }),
    )
  }
}

const makeResponse = (head: ExchangeHead, body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | undefined): Response => {
  const status = Number(head.status.slice(0, 3))
  const headers = new Headers()
  const fields = head.headers === '' ? [] : head.headers.split('\0')
  for (let index = 0; index < fields.length; index += 2) headers.append(fields[index] as string, fields[index + 1] as string)
  const isBodyless = status === 101 || status === 204 || status === 205 || status === 304
  return new Response(isBodyless ? null : (body ?? null), { status, statusText: head.status.slice(4), headers })
}
