// A response on its way from a core to the master: records on the worker's ring, held back by the client's window.
// Invariant: the record with the flag `last` is sent exactly once, client there or not: it is what frees the slot.

import { ClientError, PolywsgiError } from '../errors.ts'
import type { OffloadOrder } from '../request/offload-order.ts'
import type { ResponseHead, ResponseSink } from '../request/response-sink.ts'
import type { Doorbell } from '../state/doorbell.ts'
import { firstConnectionFd, type RequestSlots } from '../state/request-slots.ts'
import { maxChunk, ResponseFlag, type ResponseRing } from '../state/response-ring.ts'

/** What the sinks and bodies of one worker share: its way to the master. */
export interface MasterLink {
  readonly slots: RequestSlots
  readonly ring: ResponseRing
  readonly masterDoorbell: Doorbell
  /** Bytes that the body of a response may have; infinite without a limit. */
  readonly responseLimit: number
  /** Sends the master bytes that do not go through the ring. @returns the number by which the master finds them */
  post(bytes: Uint8Array): number
}

const noHead: ResponseHead = { status: '', headers: '' }

/** Status line and headers may take this much (uWSGI: `response-headers-limit`). */
const headersLimit = 65535

export class SlotSink implements ResponseSink {
  readonly #link: MasterLink
  readonly #slot: number
  readonly #generation: number
  /** Called before the last record is out: from then on the slot may be another request's. */
  readonly #beforeEnd: () => void
  /** Bytes that the body may still have. */
  #left: number
  #headSent = false
  #ended = false

  constructor(link: MasterLink, slot: number, beforeEnd: () => void) {
    this.#beforeEnd = beforeEnd
    this.#link = link
    this.#left = link.responseLimit
    this.#slot = slot
    this.#generation = link.slots.generation(slot)
  }

  /** True once the head is on its way. */
  get headSent(): boolean {
    return this.#headSent
  }

  /** True once the record with the flag `last` is on its way. */
  get ended(): boolean {
    return this.#ended
  }

  get clientGone(): boolean {
    return this.#link.slots.isClientGone(this.#slot)
  }

  /** Notes for the master when the request is to be over. @param end as `sharedNow` has it; 0 for never */
  setDeadline(end: number): void {
    this.#link.slots.setDeadline(this.#slot, end)
  }

  get clientLeaves(): Promise<void> {
    return this.#link.slots.clientLeaves(this.#slot)
  }

  unlimited(): void {
    this.#left = Number.POSITIVE_INFINITY
  }

  needsRoom(size: number): boolean {
    return this.#link.slots.needsRoom(this.#slot, size)
  }

  get roomAppears(): Promise<void> | undefined {
    return this.#link.slots.windowOpens(this.#slot)
  }

  get connectionFd(): number {
    return firstConnectionFd + this.#slot
  }

  send(head: ResponseHead | undefined, chunk: Uint8Array | undefined, last: boolean, isRaw = false): void {
    const { slots, ring, masterDoorbell } = this.#link
    const length = this.#checkedLength(head, chunk, last)
    let position = 0
    do {
      const piece = Math.min(length - position, maxChunk)
      if (piece > 0) {
        slots.awaitWindow(this.#slot)
        slots.countSent(this.#slot, piece)
      }
      const isEnd = last && position + piece === length
      while (!this.#try(position === 0 ? head : undefined, chunk, position, piece, isEnd, isRaw)) {
        ring.awaitRoom()
      }
      masterDoorbell.ring()
      position += piece
    } while (position < length)
  }

  async sendAsync(head: ResponseHead | undefined, chunk: Uint8Array | undefined, last: boolean, isRaw = false): Promise<void> {
    const { slots, ring, masterDoorbell } = this.#link
    const length = this.#checkedLength(head, chunk, last)
    let position = 0
    do {
      const piece = Math.min(length - position, maxChunk)
      if (piece > 0) {
        const opening = slots.windowOpens(this.#slot)
        if (opening !== undefined) await opening
        if (this.#ended) throw new PolywsgiError('HEADERS_SENT', 'the response is over')
        slots.countSent(this.#slot, piece)
      }
      const isEnd = last && position + piece === length
      while (!this.#try(position === 0 ? head : undefined, chunk, position, piece, isEnd, isRaw)) {
        await ring.roomAppears()
      }
      masterDoorbell.ring()
      position += piece
    } while (position < length)
  }

  /** The parcel goes ahead of the order: a worker that dies in between leaves bytes that nobody asks for. */
  offload(head: ResponseHead | undefined, order: OffloadOrder, parcel: Uint8Array | undefined, isRaw: boolean): void {
    const { ring, masterDoorbell } = this.#link
    this.#checkedLength(head, undefined, true)
    this.#count(parcel?.length ?? (order.engine === 'sendfile' ? order.length : 0))
    const parcelId = parcel === undefined || this.clientGone ? undefined : this.#link.post(parcel)
    const chunk = Buffer.from(JSON.stringify({ ...order, parcel: parcelId }))
    if (chunk.length > maxChunk) {
      throw new PolywsgiError('API_REFUSED', `an order to offload takes at most ${maxChunk} bytes, not ${chunk.length}`)
    }
    while (!this.#try(head, chunk, 0, chunk.length, true, isRaw, ResponseFlag.offload)) ring.awaitRoom()
    masterDoorbell.ring()
  }

  cut(): void {
    const { ring, masterDoorbell } = this.#link
    const flags = ResponseFlag.last | ResponseFlag.cut
    this.#beforeEnd()
    while (!ring.tryRespond(this.#slot, this.#generation, flags, '', '', undefined, 0, 0)) ring.awaitRoom()
    this.#ended = true
    masterDoorbell.ring()
  }

  /**
   * @throws PolywsgiError LIMIT_EXCEEDED for a body past its limit, APP_RESPONSE for headers past the limit, HEADERS_SENT after the end; ClientError when the client has gone and there is more
   *   to come: an app that streams should learn of it
   */
  #checkedLength(head: ResponseHead | undefined, chunk: Uint8Array | undefined, last: boolean): number {
    // A guest may keep its request and write when the slot is another's already.
    if (this.#ended) throw new PolywsgiError('HEADERS_SENT', 'the response is over')
    const headSize = head === undefined ? 0 : head.status.length + head.headers.length
    if (headSize > headersLimit) {
      throw new PolywsgiError('APP_RESPONSE', `the response's headers take ${headSize} bytes, more than ${headersLimit}`)
    }
    if (!this.clientGone) {
      const length = chunk?.length ?? 0
      this.#count(length)
      return length
    }
    if (!last) throw new ClientError('CLIENT_GONE', 'the client has closed its connection')
    return 0
  }

  #count(bytes: number): void {
    if (bytes > this.#left) {
      const { responseLimit } = this.#link
      throw new PolywsgiError('LIMIT_EXCEEDED', `the body of the response has more than ${responseLimit} bytes (response-limit)`)
    }
    this.#left -= bytes
  }

  #try(
    head: ResponseHead | undefined,
    chunk: Uint8Array | undefined,
    start: number,
    length: number,
    last: boolean,
    isRaw: boolean,
    more = 0,
  ): boolean {
    const flags =
      more | (head === undefined ? 0 : ResponseFlag.head) | (last ? ResponseFlag.last : 0) | (isRaw ? ResponseFlag.raw : 0)
    const { ring } = this.#link
    const { status, headers } = head ?? noHead
    if (last) this.#beforeEnd()
    if (!ring.tryRespond(this.#slot, this.#generation, flags, status, headers, chunk, start, length)) return false
    // Raw bytes are the begin of a response as well: no head may follow them.
    if (head !== undefined || isRaw) this.#headSent = true
    if (last) this.#ended = true
    return true
  }
}
