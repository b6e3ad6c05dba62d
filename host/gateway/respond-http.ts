// Writes one response to a node:http client. What the app says is sent; what HTTP itself decides (connection, framing) is
// the server's, and an app's opinion on it is dropped (PEP 3333 and RFC 9110, 7.6.1: hop-by-hop).

import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ExchangeHead } from '../master/exchange.ts'
import { copyChunk, releaseChunk } from './chunk-pool.ts'

/** Headers that need a second look: rare, so most responses are spared it. */
const delicate = /(?:^|\0)(?:transfer-encoding|connection|keep-alive|upgrade|proxy-connection|content-length)\0/i

/** Chunks up to this many bytes are sent as one piece of text with the head, which Node writes in one system call. */
const smallBody = 16 * 1024

export class HttpResponder {
  readonly #response: ServerResponse
  /** No other response is to follow this one on its connection. */
  readonly #isDraining: () => boolean
  /** What Content-Length promised; undefined while it promised nothing. */
  #promised: number | undefined
  #written = 0
  #headSent = false

  constructor(response: ServerResponse, isDraining: () => boolean) {
    this.#response = response
    this.#isDraining = isDraining
  }

  get headSent(): boolean {
    return this.#headSent
  }

  /**
   * @param isLasting as in `Exchange.respond`
   * @returns false when the client's side is full: 'drain' follows
   */
  send(head: ExchangeHead | undefined, chunk: Uint8Array, last: boolean, isLasting = false): boolean {
    const response = this.#response
    if (head !== undefined) this.#writeHead(head, last ? chunk.length : undefined)
    let bytes = chunk
    if (this.#promised !== undefined && this.#written + bytes.length > this.#promised) {
      // More than promised would be read as the next response on this connection.
      bytes = bytes.subarray(0, this.#promised - this.#written)
    }
    this.#written += bytes.length
    if (!last) {
      if (bytes.length === 0) return true
      const copy = copyChunk(bytes)
      return response.write(copy, () => releaseChunk(copy))
    }
    if (this.#promised !== undefined && this.#written < this.#promised && this.#mayHaveBody()) {
      // Less than promised: the client would wait for the rest. Cutting the connection is the only way to tell it.
      response.write(Buffer.from(bytes), () => response.destroy())
      return true
    }
    if (bytes.length === 0) response.end()
    else if (bytes.length <= smallBody) response.end(asBuffer(bytes).toString('latin1'), 'latin1')
    else if (isLasting) response.end(bytes)
    else {
      const copy = copyChunk(bytes)
      response.end(copy, () => releaseChunk(copy))
    }
    return true
  }

  /** Ends the response as it is, and the connection with it; what was promised and has not come shows as missing. */
  disconnect(): void {
    if (this.#promised !== undefined && this.#written < this.#promised && this.#mayHaveBody()) cutResponse(this.#response)
    else {
      const { socket } = this.#response.req
      this.#response.end(() => socket.destroySoon())
    }
  }

  #writeHead(head: ExchangeHead, onlyLength: number | undefined): void {
    const code = Number(head.status.slice(0, 3))
    let fields = head.headers === '' ? [] : head.headers.split('\0')
    if (delicate.test(head.headers)) fields = this.#withoutFraming(fields, code < 200 || code === 204)
    if (onlyLength !== undefined && this.#promised === undefined && code >= 200 && code !== 204 && code !== 304) {
      fields.push('Content-Length', String(onlyLength))
    }
    // No final answer (RFC 9110, 15.2): the next response on the connection would pass for this one's.
    if (code < 200 || this.#isDraining()) this.#response.shouldKeepAlive = false
    this.#response.writeHead(code, head.status.slice(4), fields)
    // Otherwise Node sends it with the first piece of the body, and there will be none.
    if (onlyLength === undefined && !this.#mayHaveBody()) this.#response.flushHeaders()
    this.#headSent = true
  }

  /**
   * Removes hop-by-hop fields (except `Connection: close`, a wish we honour) and notes the promised length. Of several lengths
   * the first one counts: a client that takes another one would look for the next response in the wrong place.
   * @param isBodiless the status has neither body nor length (RFC 9110, 8.6)
   */
  #withoutFraming(fields: readonly string[], isBodiless: boolean): string[] {
    const kept: string[] = []
    for (let index = 0; index < fields.length; index += 2) {
      const value = fields[index + 1] as string
      const name = (fields[index] as string).toLowerCase()
      if (name === 'content-length') {
        if (isBodiless || this.#promised !== undefined || !/^\d+$/.test(value)) continue
        this.#promised = Number(value)
      } else if (hopByHop.has(name) && !(name === 'connection' && value.toLowerCase() === 'close')) continue
      kept.push(fields[index] as string, value)
    }
    return kept
  }

  #mayHaveBody(): boolean {
    const { statusCode, req } = this.#response
    return req.method !== 'HEAD' && statusCode !== 204 && statusCode !== 304
  }
}

/** What was written leaves, then the connection closes without the end that the client waits for. */
export const cutResponse = (response: ServerResponse): void => {
  response.uncork()
  if (response.socket !== null) response.socket.destroySoon()
  // A pipelined request before this one still has the connection. Node writes what waits here only after it has said so.
  else response.once('socket', (socket: Socket) => process.nextTick(() => socket.destroySoon()))
}

const hopByHop = new Set(['transfer-encoding', 'connection', 'keep-alive', 'upgrade', 'proxy-connection'])

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
