// Turns writes of any size into whole log lines: for `env.error:write(...)` and for what C code writes to stderr.
// Invariant: an unfinished line is kept until it is finished or flushed, and never grows past a bound.
import type { Log } from '../../host/api/context.ts'

/** A line as long as this is cut, so that a guest that never ends its line cannot fill memory. */
const longestLine = 64 * 1024
const newline = 0x0a

export class LineLog {
  readonly #log: Log
  #pending: Uint8Array[] = []
  #pendingLength = 0

  constructor(log: Log) {
    this.#log = log
  }

  /** The bytes are the caller's again when this returns. */
  write(bytes: Uint8Array): void {
    let start = 0
    for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, start)) {
      this.#keep(bytes.subarray(start, at))
      this.#emit()
      start = at + 1
    }
    this.#keep(bytes.subarray(start))
  }

  /** Writes the unfinished line, if there is one. */
  flush(): void {
    if (this.#pendingLength > 0) this.#emit()
  }

  #keep(bytes: Uint8Array): void {
    let rest = bytes
    while (this.#pendingLength + rest.length > longestLine) {
      const fits = longestLine - this.#pendingLength
      this.#append(rest.subarray(0, fits))
      this.#emit()
      rest = rest.subarray(fits)
    }
    this.#append(rest)
  }

  #append(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#pending.push(Uint8Array.from(bytes))
    this.#pendingLength += bytes.length
  }

  #emit(): void {
    this.#log.bytes(this.#pending.length === 1 ? this.#pending[0]! : Buffer.concat(this.#pending))
    this.#pending = []
    this.#pendingLength = 0
  }
}
