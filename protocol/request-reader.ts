// Takes a connection's bytes as they come and gives the packet back, whole: header and block in one piece of memory.
// Invariants: the answer does not depend on where the bytes were cut; between two calls never more than the announced
// packet is kept, and never more than twice what has arrived of it.
import { ProtocolError } from './errors.ts'
import { type ForeignProtocol, isHttpRequestLine, isTlsHello, suspectProtocol, tlsHelloProofSize } from './foreign-protocol.ts'
import { headerSize, maxBlockSize } from './packet.ts'

export interface RequestPacket {
  readonly modifier1: number
  readonly modifier2: number
  /** Header and block. A view of the chunk when that held all of it, else memory of its own. */
  readonly packet: Uint8Array
  /** The block, a view of `packet`. It has not been looked into: see `checkVars`. */
  readonly vars: Uint8Array
  /** What came after the block in the same chunk, a view of it: the first bytes of the body. May be empty. */
  readonly rest: Uint8Array
}

const lineFeed = 0x0a
const smallestAllocation = 512

export class RequestReader {
  readonly #bufferSize: number
  #held: Uint8Array | undefined
  #received = 0
  #suspect: ForeignProtocol | undefined
  #failure: ProtocolError | undefined

  /**
   * @param options.bufferSize largest block taken, in bytes (uWSGI: `buffer-size`, 4096 there), 1 to 65535
   * @throws RangeError for another size
   */
  constructor(options: { readonly bufferSize: number }) {
    const { bufferSize } = options
    if (!Number.isInteger(bufferSize) || bufferSize < 1 || bufferSize > maxBlockSize) {
      throw new RangeError(
        `buffer-size is 1 to ${maxBlockSize} (the size field of a uwsgi packet has 16 bits), not ${bufferSize}`,
      )
    }
    this.#bufferSize = bufferSize
  }

  /** Bytes of the present packet that have arrived; 0 between packets. For telling a silent client from a slow one. */
  get received(): number {
    return this.#received
  }

  /** Bytes that must come before anything more can be said: the rest of the header, then the rest of the block. */
  get bytesNeeded(): number {
    if (this.#received < headerSize) return headerSize - this.#received
    return this.#total(this.#held!) - this.#received
  }

  /** Bytes of memory kept between two calls. */
  get heldBytes(): number {
    return this.#held?.length ?? 0
  }

  /** What an incomplete packet looks like so far, when it does not look like uwsgi. A hint for the log line of a timeout. */
  get suspectedProtocol(): ForeignProtocol | undefined {
    return this.#suspect
  }

  /**
   * Takes the next bytes of the connection; `chunk` may be used again by the caller when the result is undefined. After
   * a packet the reader is ready for the next one: body bytes are not for it. After an error it is done and repeats it.
   * @returns the packet, or undefined while it is incomplete
   * @throws ProtocolError PACKET_TOO_LARGE, NOT_UWSGI
   */
  push(chunk: Uint8Array): RequestPacket | undefined {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#received === 0 && chunk.length >= headerSize) {
      this.#checkHeader(chunk)
      const total = this.#total(chunk)
      this.#checkSuspect(chunk, 0, Math.min(total, chunk.length))
      if (chunk.length >= total) return this.#finish(chunk.subarray(0, total), chunk.subarray(total))
      this.#keep(chunk, 0, total)
      return undefined
    }
    let taken = 0
    if (this.#received < headerSize) {
      taken = this.#keep(chunk, 0, headerSize)
      if (this.#received < headerSize) return undefined
      this.#checkHeader(this.#held!)
    }
    const total = this.#total(this.#held!)
    const before = this.#received
    taken += this.#keep(chunk, taken, total)
    this.#checkSuspect(this.#held!, before, this.#received)
    if (this.#received < total) return undefined
    return this.#finish(this.#held!.subarray(0, total), chunk.subarray(taken))
  }

  #total(bytes: Uint8Array): number {
    return headerSize + (bytes[1]! | (bytes[2]! << 8))
  }

  /** Copies from `chunk` until `limit` bytes are there; returns how many it took. */
  #keep(chunk: Uint8Array, from: number, limit: number): number {
    const take = Math.min(limit - this.#received, chunk.length - from)
    if (take <= 0) return 0
    const needed = this.#received + take
    let held = this.#held
    if (held === undefined || held.length < needed) {
      // Grows with what arrives: an announcement alone must not cost 64 KiB.
      const capacity = limit === headerSize ? headerSize : Math.min(limit, Math.max(needed * 2, smallestAllocation))
      const grown = new Uint8Array(capacity)
      if (held !== undefined) grown.set(held.subarray(0, this.#received))
      held = grown
      this.#held = held
    }
    held.set(chunk.subarray(from, from + take), this.#received)
    this.#received = needed
    return take
  }

  #checkHeader(bytes: Uint8Array): void {
    this.#suspect = bytes[0] === 0 ? undefined : suspectProtocol(bytes)
    const size = this.#total(bytes) - headerSize
    if (size <= this.#bufferSize) return
    const message = `invalid request block size: ${size} (max ${this.#bufferSize})`
    if (this.#suspect === undefined) this.#fail(new ProtocolError('PACKET_TOO_LARGE', message))
    else this.#fail(notUwsgi(this.#suspect, `${message}: `))
  }

  /** `end` bytes of the packet are in `bytes`; those before `before` have been searched by earlier calls. */
  #checkSuspect(bytes: Uint8Array, before: number, end: number): void {
    if (this.#suspect === undefined) return
    if (this.#suspect === 'TLS') {
      if (end < tlsHelloProofSize) return
      if (isTlsHello(bytes)) this.#fail(notUwsgi('TLS'))
      this.#suspect = undefined
      return
    }
    // Only the first line is of interest, so its end is looked for once however finely the bytes are cut.
    const at = bytes.subarray(0, end).indexOf(lineFeed, before)
    if (at === -1) return
    if (isHttpRequestLine(bytes, at + 1)) this.#fail(notUwsgi('HTTP'))
    this.#suspect = undefined
  }

  #finish(packet: Uint8Array, rest: Uint8Array): RequestPacket {
    this.#held = undefined
    this.#received = 0
    this.#suspect = undefined
    return { modifier1: packet[0]!, modifier2: packet[3]!, packet, vars: packet.subarray(headerSize), rest }
  }

  #fail(error: ProtocolError): never {
    this.#held = undefined
    this.#received = 0
    this.#failure = error
    throw error
  }
}

const notUwsgi = (protocol: ForeignProtocol, size = ''): ProtocolError => {
  const what = protocol === 'HTTP' ? 'an HTTP request' : 'a TLS connection'
  return new ProtocolError('NOT_UWSGI', `${size}this looks like ${what} on a uwsgi socket`)
}
