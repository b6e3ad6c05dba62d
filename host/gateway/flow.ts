// Back-pressure of one response: tells the dispatcher when the client has taken what was written.
// Invariant: each byte that was refused room is acknowledged exactly once, when the stream has drained.

export class Flow {
  readonly #stream: { once(event: 'drain', listener: () => void): unknown }
  readonly #acknowledge: (bytes: number) => void
  /** Bytes handed to Node that the client has not taken yet. */
  #waiting = 0

  constructor(stream: { once(event: 'drain', listener: () => void): unknown }, acknowledge: (bytes: number) => void) {
    this.#stream = stream
    this.#acknowledge = acknowledge
  }

  /**
   * After a write of `length` bytes.
   * @param hasRoom what `write()` returned
   * @returns whether the bytes count as taken already
   */
  wrote(hasRoom: boolean, length: number): boolean {
    if (hasRoom) return true
    if (this.#waiting === 0) {
      this.#stream.once('drain', () => {
        const bytes = this.#waiting
        this.#waiting = 0
        this.#acknowledge(bytes)
      })
    }
    this.#waiting += length
    return false
  }
}
