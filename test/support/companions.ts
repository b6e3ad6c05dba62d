// Servers on loopback that an app under test talks to, and that tell what they have seen: one echoes, one never says a word,
// one hangs up, one takes nothing, and one that is not there.
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

export class Companion implements AsyncDisposable {
  readonly #server: Server
  /** Those that are open. */
  readonly sockets = new Set<Socket>()
  /** How many there have been. */
  accepted = 0

  private constructor(onSocket: (socket: Socket) => void) {
    this.#server = createServer({ allowHalfOpen: false }, (socket) => {
      this.sockets.add(socket)
      this.accepted += 1
      socket.on('error', () => {})
      socket.on('close', () => {
        this.sockets.delete(socket)
        this.#server.emit('gone')
      })
      onSocket(socket)
      this.#server.emit('came')
    })
  }

  static async start(onSocket: (socket: Socket) => void): Promise<Companion> {
    const companion = new Companion(onSocket)
    companion.#server.listen(0, '127.0.0.1')
    await once(companion.#server, 'listening')
    return companion
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  /** Resolves when so many connections have been accepted in all. */
  async reached(accepted: number): Promise<void> {
    while (this.accepted < accepted) await once(this.#server, 'came')
  }

  /** Resolves when no connection is open. */
  async isEmpty(): Promise<void> {
    while (this.sockets.size > 0) await once(this.#server, 'gone')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

export const companions = {
  /** Sends back what it gets. */
  echo: () => Companion.start((socket) => socket.pipe(socket)),
  /** Reads, and says nothing. */
  silent: () => Companion.start((socket) => socket.resume()),
  /** Hangs up at once. */
  closing: () => Companion.start((socket) => socket.end()),
} as const

/** An address at which nobody listens: the system gave its port a moment ago. */
export const refusingAddress = async (): Promise<string> => {
  const gone = await Companion.start(() => {})
  const { address } = gone
  await gone[Symbol.asyncDispose]()
  return address
}
