// Joins what a guest writes to a stream into lines for the log: a line may come in several pieces.
// Invariant: bytes reach the log unchanged and in order; at most one line of `longestLine` bytes is held back.
import type { Log } from '../../host/api/context.ts'

/** A line longer than this is logged in pieces, so that a stream without line breaks needs no endless memory. */
const longestLine = 64 * 1024
const newline = 0x0a

export class LineJoiner {
  readonly #log: Log
  #begun: Uint8Array[] = []
  #begunLength = 0

  constructor(log: Log) {
    this.#log = log
  }

  /** `bytes` may be overwritten after this returns. */
  write(bytes: Uint8Array): void {
    let start = 0
    for (;;) {
      const end = bytes.indexOf(newline, start)
      if (end === -1) break
      this.#append(new Uint8Array(bytes.subarray(start, end)))
      this.#emit()
      start = end + 1
    }
    if (start < bytes.length) this.#append(new Uint8Array(bytes.subarray(start)))
  }

  /** Logs a line that was begun and not ended. */
  flush(): void {
    if (this.#begunLength > 0) this.#emit()
  }

  #append(piece: Uint8Array): void {
    let rest = piece
    while (this.#begunLength + rest.length > longestLine) {
      const fits = longestLine - this.#begunLength
      this.#begun.push(rest.subarray(0, fits))
      this.#begunLength += fits
      this.#emit()
      rest = rest.subarray(fits)
    }
    this.#begun.push(rest)
    this.#begunLength += rest.length
  }

  #emit(): void {
    const [only] = this.#begun
    const line = this.#begun.length === 1 && only !== undefined ? only : Buffer.concat(this.#begun, this.#begunLength)
    this.#begun = []
    this.#begunLength = 0
    this.#log.bytes(line)
  }
}
