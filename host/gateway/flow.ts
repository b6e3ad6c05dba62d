// Back-pressure of one response: tells the dispatcher when the client has taken what was written, and gives up a client that
// takes nothing. A worker waits for the acknowledgement, so one client that stops reading would hold a worker for ever.
// Invariant: each byte that was refused room is acknowledged exactly once, when the stream has drained.
import type { Socket } from 'node:net'

interface Stream {
  once(event: 'drain', listener: () => void): unknown
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

  #awaitDrain(): void {
    const { stream, acknowledge } = this.#options
    const endWatch = this.#watch()
    stream.once('drain', () => {
      endWatch()
      const bytes = this.#waiting
      this.#waiting = 0
      acknowledge(bytes)
    })
  }

  /** Node's own timer of a socket starts anew whenever bytes have left, if only some of those that wait. */
  #watch(): () => void {
    const { stallMs, log } = this.#options
    const socket = this.#options.socket()
    if (stallMs === 0 || socket === null || socket.destroyed) return () => {}
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
