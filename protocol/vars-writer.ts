// Builds one packet after the other in the same memory: what the HTTP side of a gateway needs for every request.
// Invariant: bytes 0..3 are kept for the header, the block begins at 4 and never grows past the capacity.
import { ProtocolError } from './errors.ts'
import { isLatin1, notLatin1, writeLatin1 } from './latin1.ts'
import { headerSize, maxBlockSize, writeHeader } from './packet.ts'

export class VarsWriter {
  readonly #buffer: Buffer
  readonly #end: number
  #offset = headerSize

  /**
   * @param capacity largest block in bytes (uWSGI: `buffer-size`), 1 to 65535
   * @throws RangeError for another capacity
   */
  constructor(capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1 || capacity > maxBlockSize) {
      throw new RangeError(
        `the capacity of a vars block is 1 to ${maxBlockSize} bytes (its size field has 16 bits), not ${capacity}`,
      )
    }
    this.#end = headerSize + capacity
    // Memory of its own: a slice of Node's pool would be kept alive, or be sent to a thread, as a whole.
    this.#buffer = Buffer.allocUnsafeSlow(this.#end)
  }

  /** Bytes of the block so far. */
  get size(): number {
    return this.#offset - headerSize
  }

  /**
   * Adds one variable behind those already there. On an error the block is as it was.
   * @throws ProtocolError VARS_TOO_LARGE (431) when the block is full, VARS_EMPTY_KEY, NOT_LATIN1
   */
  append(name: string, value: string): void {
    const buffer = this.#buffer
    const nameLength = name.length
    const valueLength = value.length
    const offset = this.#offset
    const next = offset + 4 + nameLength + valueLength
    if (next > this.#end) throw this.#full(name, next - headerSize)
    if (nameLength === 0) throw new ProtocolError('VARS_EMPTY_KEY', 'a request variable needs a name')
    if (!isLatin1(name)) throw notLatin1(name, 'the name of a request variable')
    if (!isLatin1(value)) throw notLatin1(value, `the value of request variable ${name.slice(0, 80)}`)
    buffer[offset] = nameLength & 0xff
    buffer[offset + 1] = nameLength >> 8
    writeLatin1(buffer, name, offset + 2)
    const valueOffset = offset + 2 + nameLength
    buffer[valueOffset] = valueLength & 0xff
    buffer[valueOffset + 1] = valueLength >> 8
    writeLatin1(buffer, value, valueOffset + 2)
    this.#offset = next
  }

  /** Largest block in bytes. */
  get capacity(): number {
    return this.#end - headerSize
  }

  /** Forgets all variables. */
  reset(): void {
    this.#offset = headerSize
  }

  /**
   * The whole packet, header and block, in place: valid until the next `append` or `reset`. For a caller that copies it
   * on at once.
   * @throws ProtocolError PACKET_FIELD for a modifier that is no byte
   */
  view(modifier1: number, modifier2: number): Uint8Array {
    const buffer = this.#buffer
    writeHeader(buffer, { modifier1, size: this.#offset - headerSize, modifier2 })
    return buffer.subarray(0, this.#offset)
  }

  /** The whole packet as a copy in memory of its own, which may be transferred to a thread. */
  finish(modifier1: number, modifier2: number): Uint8Array {
    return new Uint8Array(this.view(modifier1, modifier2))
  }

  #full(name: string, size: number): ProtocolError {
    const limit = this.#end - headerSize
    return new ProtocolError(
      'VARS_TOO_LARGE',
      `the request variables up to ${name.slice(0, 80)} need ${size} bytes (max ${limit})`,
    )
  }
}
