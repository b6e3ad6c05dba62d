// A request body read by sizes and by lines. What was taken from the source beyond the end of a line waits here for the next
// read.
// Invariant: one answer has no more bytes than `longest`, whatever the client sends; beside it, one piece is held.
import { PolywsgiError } from '../errors.ts'
import type { RequestBody } from '../request/body.ts'

/** Asked for at a time of a body whose end is not in sight. */
const pieceSize = 64 * 1024
const lineFeed = 0x0a
const nothing = new Uint8Array(0)

export class BodyLines {
  readonly #source: RequestBody
  readonly #longest: number
  #held: Uint8Array = nothing
  #at = 0

  /** @param longest bytes of one answer at most: the memory of the interpreter that asks */
  constructor(source: RequestBody, longest: number) {
    this.#source = source
    this.#longest = longest
  }

  /**
   * @param size bytes at most; -1 for all that is left
   * @returns fewer than `size` at the end of the body, none after it; the caller's own
   * @throws ClientError when the rest of the body does not come, PolywsgiError API_REFUSED when it is too long for one answer
   */
  read(size: number): Uint8Array {
    return this.#gather(size, false)
  }

  /** The bytes up to a line feed, that with them, or to the end. @throws as `read` */
  readLine(size: number): Uint8Array {
    return this.#gather(size, true)
  }

  #gather(size: number, isLine: boolean): Uint8Array {
    const pieces: Uint8Array[] = []
    const most = size < 0 ? Number.POSITIVE_INFINITY : size
    let length = 0
    while (length < most && this.#fill(most - length)) {
      const piece = this.#held.subarray(this.#at, this.#at + Math.min(most - length, this.#held.length))
      const end = isLine ? piece.indexOf(lineFeed) + 1 : 0
      const taken = end === 0 ? piece.length : end
      pieces.push(piece.subarray(0, taken))
      this.#at += taken
      length += taken
      if (length > this.#longest) {
        const what = isLine ? 'this line' : 'the rest of the body'
        throw new PolywsgiError('API_REFUSED', `${what} has more than ${this.#longest} bytes: read it in pieces, with a size`)
      }
      if (end !== 0) break
    }
    return Uint8Array.from(pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces))
  }

  /** False: the body is at its end. */
  #fill(wanted: number): boolean {
    if (this.#at < this.#held.length) return true
    // The source's bytes are ours only until its next read.
    this.#held = Uint8Array.from(this.#source.read(Math.min(wanted, pieceSize)))
    this.#at = 0
    return this.#held.length > 0
  }
}
