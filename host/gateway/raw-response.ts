// A response that goes past node:http: bytes written straight into the client's connection, which is closed after them.
// Invariant: they wait until the responses before them on the connection have left, and nothing follows them.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { PolywsgiError } from '../errors.ts'
import { copyChunk, releaseChunk } from './chunk-pool.ts'
import { Flow, type FlowOptions } from './flow.ts'

export class RawResponse {
  readonly #response: ServerResponse
  readonly #options: Pick<FlowOptions, 'acknowledge' | 'stallMs' | 'log'>
  #flow: Flow | undefined
  /** What came while a pipelined request before this one had the connection; undefined once it has not. */
  #held: Buffer[] | undefined
  #hasEnded = false

  /** @throws PolywsgiError APP_RESPONSE for a connection that carries several responses at once */
  constructor(response: ServerResponse, options: Pick<FlowOptions, 'acknowledge' | 'stallMs' | 'log'>) {
    if (response.req.httpVersionMajor > 1) {
      throw new PolywsgiError('APP_RESPONSE', `raw bytes cannot be sent over HTTP/${response.req.httpVersion}`)
    }
    this.#response = response
    this.#options = options
    if (response.socket !== null || response.destroyed) return
    this.#held = []
    response.once('socket', (socket: Socket) => this.#release(socket))
  }

  /** @returns whether the bytes count as taken already */
  send(chunk: Uint8Array, last: boolean): boolean {
    this.#hasEnded ||= last
    if (this.#held !== undefined) {
      if (chunk.length === 0) return true
      this.#held.push(Buffer.from(chunk))
      return false
    }
    const { socket } = this.#response
    if (socket === null || socket.destroyed) return true
    const isTaken = this.#write(socket, chunk)
    if (last) this.#end(socket)
    return isTaken
  }

  /** The rest will not come: what was written leaves. */
  cut(): void {
    this.send(nothing, true)
  }

  #release(socket: Socket): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const chunk of held) if (this.#write(socket, chunk)) this.#options.acknowledge(chunk.length)
    if (this.#hasEnded) this.#end(socket)
  }

  #end(socket: Socket): void {
    socket.destroySoon()
    this.#flow?.ended()
  }

  #write(socket: Socket, chunk: Uint8Array): boolean {
    if (chunk.length === 0) return true
    this.#flow ??= new Flow({ ...this.#options, stream: socket, socket: () => socket })
    const copy = copyChunk(chunk)
    return this.#flow.wrote(
      socket.write(copy, () => releaseChunk(copy)),
      chunk.length,
    )
  }
}

const nothing = new Uint8Array(0)
