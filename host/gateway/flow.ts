// Back-pressure of one response: tells the dispatcher when the client has taken what was written, and gives up a client that
// takes nothing. A worker waits for the acknowledgement, so one client that stops reading would hold a worker for ever.
// Invariant: each byte that was refused room is acknowledged exactly once, when the stream has drained.
import type { Socket } from 'node:net'

interface Stream {
  once(event: 'drain', listener: () => void): unknown
  /** A response that waits behind a pipelined one gets its socket later. */
  once(event: 'socket', listener: (socket: Socket) => void): unknown
  prependOnceListener(event: 'finish', listener: () => void): unknown
}

export interface FlowOptions {
  readonly stream: Stream
  acknowledge(bytes: number): void
  /** The connection below the stream; null: it has none (any more). */
  socket(): Socket | null
  /** How long the client may take nothing at all before its connection is cut, in milliseconds; 0: as long as it likes. */
  readonly stallMs: number
  readonly log: (line: string) => void
}

export class Flow {
  readonly #options: FlowOptions
  /** Bytes handed to Node that the client has not taken yet. */
  #waiting = 0
  #endWatch: (() => void) | undefined

  constructor(options: FlowOptions) {
    this.#options = options
  }

  /**
   * After a write of `length` bytes.
   * @param hasRoom what `write()` returned
   * @returns whether the bytes count as taken already
   */
  wrote(hasRoom: boolean, length: number): boolean {
    if (hasRoom) return true
    if (this.#waiting === 0) this.#awaitDrain()
    this.#waiting += length
    return false
  }

  /** The last chunk was written. No worker waits for it, but neither may a connection stay for a client that does not take it. */
  ended(): void {
    // No drain follows the end of a response.
    this.#endWatch?.()
    if (this.#options.socket()?.writableLength === 0) return
    // Ahead of the HTTP server, which gives the socket the time that a connection may be idle.
    this.#options.stream.prependOnceListener('finish', this.#watch())
  }

  #awaitDrain(): void {
    const { stream, acknowledge } = this.#options
    const endWatch = this.#watch()
    this.#endWatch = endWatch
    stream.once('drain', () => {
      endWatch()
      const bytes = this.#waiting
      this.#waiting = 0
      acknowledge(bytes)
    })
  }

  /** @returns what ends the watch, once or more often */
  #watch(): () => void {
    const { stallMs, stream } = this.#options
    if (stallMs === 0) return () => {}
    let isOver = false
    let endWatch: (() => void) | undefined
    const begin = (socket: Socket): void => {
      if (!isOver && !socket.destroyed) endWatch = this.#watchSocket(socket)
    }
    const socket = this.#options.socket()
    if (socket === null) stream.once('socket', begin)
    else begin(socket)
    return () => {
      if (!isOver) endWatch?.()
      isOver = true
    }
  }

  /** Node's own timer of a socket starts anew whenever bytes have left, if only some of those that wait. */
  #watchSocket(socket: Socket): () => void {
    const { stallMs, log } = this.#options
    const before = socket.timeout ?? 0
    const giveUp = (): void => {
      log(
        `${socket.remoteAddress ?? 'unix socket'}: the client took nothing of its response in ${stallMs / 1000} s, connection closed`,
      )
      socket.destroy()
    }
    socket.setTimeout(stallMs)
    // Ahead of what the HTTP server may do for a timeout of its own.
    socket.prependOnceListener('timeout', giveUp)
    return () => {
      socket.removeListener('timeout', giveUp)
      socket.setTimeout(before)
    }
  }
}
