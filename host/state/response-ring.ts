// One ring per seat, on which a worker's answers travel to the master: single producer, single consumer, bytes.
// Invariant: a record becomes visible whole. The producer's counter moves only after the record is written, so a worker
// that is terminated in the middle of writing leaves nothing half-said.
//
//   record: 32-byte head (eight int32 words), then the payload, padded to 8 bytes; never wraps: a record that does not
//   fit before the end of the ring is preceded by a filler.

import { cacheLine, type StateLayout } from './layout.ts'

export const RecordKind = { filler: 0, response: 1, pull: 2 } as const
export type RecordKind = (typeof RecordKind)[keyof typeof RecordKind]

/**
 * `cut`, with `last`: the response ends before it is complete, and the client must not take it for whole. `raw`: the bytes
 * are the client's as they are, with no head before them; after a head, with `last`: the connection is closed now. `offload`,
 * with `last`: the chunk is no part of the body but an order (host/request/offload-order.ts), and the master sends the rest.
 */
export const ResponseFlag = { head: 1, last: 2, cut: 4, raw: 8, offload: 16 } as const

const headWords = 8
const headBytes = headWords * 4
const field = { length: 0, kind: 1, slot: 2, generation: 3, flags: 4, statusLength: 5, headersLength: 6, chunkLength: 7 } as const

/** What the consumer sees of a record. Reused: valid during the callback only, and so are its views. */
export interface ResponseRecord {
  kind: RecordKind
  slot: number
  generation: number
  flags: number
  /** With ResponseFlag.head: `200 OK`. */
  status: string
  /** With ResponseFlag.head: names and values in turn, joined by NUL. */
  headers: string
  /** A view on the ring: copy what must live longer. Empty: none. */
  chunk: Uint8Array
  /** With kind `pull`: the most bytes wanted. */
  wanted: number
}

/** The largest chunk one record carries; longer ones are cut. A sixteenth of the smallest sensible ring would do too. */
export const maxChunk = 64 * 1024

export class ResponseRing {
  /** Of the counters: how far the producer has written, and the consumer has read (bytes, modulo 2^32). */
  readonly #produced: Int32Array
  readonly #consumed: Int32Array
  readonly #words: Int32Array
  readonly #bytes: Buffer
  readonly #size: number

  constructor(buffer: SharedArrayBuffer, layout: StateLayout, seat: number) {
    const size = layout.responseRingSize
    const start = layout.rings + (seat - 1) * (2 * cacheLine + size)
    this.#size = size
    this.#produced = new Int32Array(buffer, start, cacheLine / 4)
    this.#consumed = new Int32Array(buffer, start + cacheLine, cacheLine / 4)
    this.#words = new Int32Array(buffer, start + 2 * cacheLine, size / 4)
    this.#bytes = Buffer.from(buffer, start + 2 * cacheLine, size)
  }

  // ── Producer: the worker ──────────────────────────────────────────────────────────────────────────────────────────

  /** Bytes a record with this payload takes, filler not counted. */
  #recordBytes(payload: number): number {
    return (headBytes + payload + 7) & ~7
  }

  /** @returns the offset where a record of `total` bytes may be written, or -1 when there is no room now. */
  #reserve(total: number): number {
    // With filler a record may need twice its size; a larger one could wait for room that never comes.
    if (total > this.#size / 2) throw new RangeError(`a record of ${total} bytes does not fit a ring of ${this.#size}`)
    const produced = this.#produced[0]!
    const room = this.#size - ((produced - Atomics.load(this.#consumed, 0)) | 0)
    const offset = produced & (this.#size - 1)
    const untilEnd = this.#size - offset
    if (total <= untilEnd) return total <= room ? offset : -1
    if (untilEnd + total > room) return -1
    this.#words[(offset >> 2) + field.length] = untilEnd
    this.#words[(offset >> 2) + field.kind] = RecordKind.filler
    Atomics.store(this.#produced, 0, (produced + untilEnd) | 0)
    return 0
  }

  /** @returns false when there is no room now: wait with `awaitRoom` or `roomAppears`. */
  tryRespond(
    slot: number,
    generation: number,
    flags: number,
    status: string,
    headers: string,
    chunk: Uint8Array | undefined,
    chunkStart: number,
    chunkLength: number,
  ): boolean {
    const total = this.#recordBytes(status.length + headers.length + chunkLength)
    const offset = this.#reserve(total)
    if (offset < 0) return false
    const words = this.#words
    const at = offset >> 2
    words[at + field.length] = total
    words[at + field.kind] = RecordKind.response
    words[at + field.slot] = slot
    words[at + field.generation] = generation
    words[at + field.flags] = flags
    words[at + field.statusLength] = status.length
    words[at + field.headersLength] = headers.length
    words[at + field.chunkLength] = chunkLength
    let position = offset + headBytes
    if (status.length > 0) position += this.#bytes.write(status, position, 'latin1')
    if (headers.length > 0) position += this.#bytes.write(headers, position, 'latin1')
    if (chunk !== undefined && chunkLength > 0) {
      const whole = chunkStart === 0 && chunkLength === chunk.length
      this.#bytes.set(whole ? chunk : chunk.subarray(chunkStart, chunkStart + chunkLength), position)
    }
    Atomics.store(this.#produced, 0, (this.#produced[0]! + total) | 0)
    return true
  }

  tryPull(slot: number, generation: number, wanted: number): boolean {
    const offset = this.#reserve(headBytes)
    if (offset < 0) return false
    const at = offset >> 2
    this.#words[at + field.length] = headBytes
    this.#words[at + field.kind] = RecordKind.pull
    this.#words[at + field.slot] = slot
    this.#words[at + field.generation] = generation
    this.#words[at + field.flags] = wanted
    Atomics.store(this.#produced, 0, (this.#produced[0]! + headBytes) | 0)
    return true
  }

  /** Parks the thread until the consumer has read something since the last look. */
  awaitRoom(): void {
    Atomics.store(this.#consumed, 1, 1)
    const consumed = Atomics.load(this.#consumed, 0)
    // Read again after the announcement: the consumer may have emptied the ring in between, and would not notify.
    if (consumed === this.#produced[0]) return
    Atomics.wait(this.#consumed, 0, consumed)
  }

  async roomAppears(): Promise<void> {
    Atomics.store(this.#consumed, 1, 1)
    const consumed = Atomics.load(this.#consumed, 0)
    if (consumed === this.#produced[0]) return
    const wait = Atomics.waitAsync(this.#consumed, 0, consumed)
    if (wait.async) await wait.value
  }

  // ── Consumer: the master ──────────────────────────────────────────────────────────────────────────────────────────

  readonly #record: ResponseRecord = {
    kind: RecordKind.filler,
    slot: 0,
    generation: 0,
    flags: 0,
    status: '',
    headers: '',
    chunk: new Uint8Array(0),
    wanted: 0,
  }

  /** Hands every complete record to `handle`, in order. @returns how many there were. */
  drain(handle: (record: ResponseRecord) => void): number {
    let count = 0
    let consumed = this.#consumed[0]!
    while (consumed !== Atomics.load(this.#produced, 0)) {
      const offset = consumed & (this.#size - 1)
      const at = offset >> 2
      const length = this.#words[at + field.length]!
      if (this.#words[at + field.kind] !== RecordKind.filler) {
        this.#read(at, offset)
        handle(this.#record)
        count += 1
      }
      consumed = (consumed + length) | 0
      Atomics.store(this.#consumed, 0, consumed)
    }
    if (Atomics.exchange(this.#consumed, 1, 0) === 1) Atomics.notify(this.#consumed, 0)
    return count
  }

  #read(at: number, offset: number): void {
    const words = this.#words
    const record = this.#record
    record.kind = words[at + field.kind] as RecordKind
    record.slot = words[at + field.slot]!
    record.generation = words[at + field.generation]!
    const flags = words[at + field.flags]!
    if (record.kind === RecordKind.pull) {
      record.wanted = flags
      return
    }
    record.flags = flags
    let position = offset + headBytes
    if ((flags & ResponseFlag.head) !== 0) {
      const statusEnd = position + words[at + field.statusLength]!
      const headersEnd = statusEnd + words[at + field.headersLength]!
      record.status = this.#bytes.toString('latin1', position, statusEnd)
      record.headers = this.#bytes.toString('latin1', statusEnd, headersEnd)
      position = headersEnd
    }
    record.chunk = this.#bytes.subarray(position, position + words[at + field.chunkLength]!)
  }

  /** The producer is gone for good and a new one will begin: forget what was read, keep nothing. Consumer only. */
  reset(): void {
    Atomics.store(this.#consumed, 0, this.#produced[0]!)
    Atomics.store(this.#consumed, 1, 0)
  }
}
