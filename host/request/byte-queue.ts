// Bytes that have come in pieces and are taken in other pieces. What is taken shares no byte with what stays.

const nothing = Buffer.alloc(0)

export class ByteQueue {
  #pieces: Buffer[] = []
  #length = 0

  /** Bytes that are here. */
  get length(): number {
    return this.#length
  }

  /** As they came, the oldest first; the first one may have been taken in part. */
  get pieces(): readonly Buffer[] {
    return this.#pieces
  }

  /** The bytes are the queue's own from now on. */
  push(piece: Buffer): void {
    this.#pieces.push(piece)
    this.#length += piece.length
  }

  /** Puts back what was taken last. */
  putBack(piece: Buffer): void {
    this.#pieces.unshift(piece)
    this.#length += piece.length
  }

  clear(): void {
    this.#pieces = []
    this.#length = 0
  }

  /** So many bytes, or what is here. */
  take(most: number): Buffer {
    const count = Math.min(most, this.#length)
    if (count === 0) return nothing
    this.#length -= count
    const parts: Buffer[] = []
    let missing = count
    let whole = 0
    for (; missing > 0; whole += 1) {
      const piece = this.#pieces[whole] as Buffer
      if (piece.length > missing) {
        parts.push(piece.subarray(0, missing))
        this.#pieces[whole] = piece.subarray(missing)
        break
      }
      parts.push(piece)
      missing -= piece.length
    }
    this.#pieces.splice(0, whole)
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, count)
  }
}
