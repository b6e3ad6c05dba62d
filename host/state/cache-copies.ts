// Copies out of a cache. Memory of its own costs a small value more than all the rest of a read, so small copies are cut
// from a common piece, as Node.js does for its small Buffers. A piece lives as long as any copy cut from it.

/** Larger copies get memory of their own. */
const largestPooled = 512
const poolBytes = 16 * 1024

export class CopyPool {
  readonly #source: Int32Array
  readonly #bytes: Uint8Array
  #pool = new Int32Array(poolBytes / 4)
  #used = 0

  /** @param source what is copied from */
  constructor(source: Int32Array) {
    this.#source = source
    this.#bytes = new Uint8Array(source.buffer)
  }

  /** @param offset in bytes, a multiple of 4 */
  copy(offset: number, length: number): Uint8Array<ArrayBuffer> {
    if (length > largestPooled) return this.#bytes.slice(offset, offset + length) as Uint8Array<ArrayBuffer>
    const words = (length + 3) >>> 2
    if (this.#used + words > poolBytes / 4) {
      this.#pool = new Int32Array(poolBytes / 4)
      this.#used = 0
    }
    const pool = this.#pool
    const source = this.#source
    const to = this.#used
    const from = offset / 4
    for (let word = 0; word < words; word += 1) pool[to + word] = source[from + word]!
    this.#used = to + words
    return new Uint8Array(pool.buffer, to * 4, length)
  }
}
