// A server on loopback that holds each connection until a test answers it, by the first thing that was said on it.
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { expect } from 'vitest'

export class HoldingPeer implements AsyncDisposable {
  readonly #held = new Map<string, Socket>()
  readonly #server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (said: Buffer) => this.#held.set(said.toString(), socket))
  })

  static async start(): Promise<HoldingPeer> {
    const peer = new HoldingPeer()
    peer.#server.listen(0, '127.0.0.1')
    await once(peer.#server, 'listening')
    return peer
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Resolves when all of these have been said. */
  async holds(...said: readonly string[]): Promise<void> {
    const missing = () => said.filter((text) => !this.#held.has(text)).length
    await expect.poll(missing, { timeout: 20_000 }).toBe(0)
  }

  /** Answers all of these, which are held, the last one first, each with `answer to` what it has said. */
  release(said: readonly string[]): void {
    for (const text of said.toReversed()) this.#held.get(text)?.end(`answer to ${text}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#held.values()) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
