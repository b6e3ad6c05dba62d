// The bodies that did not come whole with their request: one in a file that the master has filled, one pulled from the
// master piece by piece.

import { readSync } from 'node:fs'
import { ClientError } from '../errors.ts'
import { type RequestBody, WholeBody } from '../request/body.ts'
import { BodyMode, PullState } from '../state/request-slots.ts'
import type { MasterLink } from './slot-sink.ts'

const nothing = new Uint8Array(0)

/** A body that belongs to a slot: once the request is over the slot is another's, and nothing may be read through it. */
export interface SlotBody extends RequestBody {
  release(): void
}

export const openBody = (link: MasterLink, slot: number): SlotBody => {
  const { slots } = link
  switch (slots.bodyMode(slot)) {
    case BodyMode.inline: {
      const bytes = slots.inlineBody(slot)
      return bytes.length === 0 ? noBody : new InlineBody(bytes)
    }
    case BodyMode.file:
      return new FileBody(slots.bodyFd(slot), slots.contentLength(slot))
    case BodyMode.pull:
      return new PulledBody(link, slot, slots.contentLength(slot))
  }
}

const isOver = (): ClientError => new ClientError('CLIENT_GONE', 'the request is over, and its body with it')

/** A request without a body: nothing of its slot is ever read. */
class NoBody extends WholeBody implements SlotBody {
  release(): void {}
}
const noBody = new NoBody(nothing)

/** A body that lies in the slot's area. */
class InlineBody implements SlotBody {
  #bytes: Uint8Array | undefined
  #position = 0
  readonly contentLength: number

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.contentLength = bytes.length
  }

  get whole(): Uint8Array | undefined {
    return this.#position === 0 ? this.#bytes : undefined
  }

  get isAtEnd(): boolean {
    return this.#position >= this.contentLength
  }

  read(max: number): Uint8Array {
    if (this.#bytes === undefined) throw isOver()
    const chunk = this.#bytes.subarray(this.#position, this.#position + max)
    this.#position += chunk.length
    return chunk
  }

  async readAsync(max: number): Promise<Uint8Array> {
    return this.read(max)
  }

  seek(position: number): void {
    this.#position = position
  }

  release(): void {
    this.#bytes = undefined
  }
}

/** Reads are this large, however small the pieces the app asks for. */
const readAhead = 64 * 1024

/**
 * Hands out pieces of whatever is fetched in larger ones. One fetch is under way at a time, whoever waits for it: reads, or
 * somebody who wants to know when there is something to read.
 */
abstract class FetchedBody implements SlotBody {
  readonly contentLength: number
  readonly whole = undefined
  #rest: Uint8Array = nothing
  #isReleased = false
  #isAtEnd = false
  /** What the last fetch has failed with: the next read's. */
  #failure: { readonly error: unknown } | undefined
  #fetching: Promise<void> | undefined
  /** Counts fetches, so that one which was overtaken by a read that parked changes nothing. */
  #fetches = 0

  constructor(contentLength: number) {
    this.contentLength = contentLength
  }

  get isAtEnd(): boolean {
    return this.#isAtEnd && this.#rest.length === 0
  }

  canReadNow(): boolean {
    return this.#rest.length > 0 || this.#isAtEnd || this.#isReleased || this.#failure !== undefined || this.isHere
  }

  /** Fetching does not wait for anybody. */
  protected abstract readonly isHere: boolean
  protected abstract fetch(max: number): Uint8Array
  protected abstract fetchAsync(max: number): Promise<Uint8Array>
  /** Parks the thread until the fetch that is under way has ended. */
  protected abstract finishFetch(): Uint8Array

  /** Nothing of what was fetched is to be read: another place of the body is. */
  protected forget(): void {
    this.#fetches += 1
    this.#rest = nothing
    this.#isAtEnd = false
  }

  arrives(): Promise<void> {
    return this.canReadNow() ? Promise.resolve() : this.#fetchLater(readAhead)
  }

  awaitArrival(): void {
    if (!this.canReadNow()) this.#fetchNow(readAhead)
  }

  read(max: number): Uint8Array {
    this.#assertReadable()
    if (this.#rest.length === 0 && !this.#isAtEnd) this.#fetchNow(max)
    return this.#take(max)
  }

  async readAsync(max: number): Promise<Uint8Array> {
    this.#assertReadable()
    if (this.#rest.length === 0 && !this.#isAtEnd) await this.#fetchLater(max)
    // The request may have ended meanwhile: what came then is another's.
    this.#assertReadable()
    return this.#take(max)
  }

  release(): void {
    this.#isReleased = true
    this.#rest = nothing
  }

  #fetchNow(max: number): void {
    const isUnderWay = this.#fetching !== undefined
    this.#fetches += 1
    this.#fetching = undefined
    this.#fetched(isUnderWay ? this.finishFetch() : this.fetch(Math.max(max, readAhead)))
  }

  #fetchLater(max: number): Promise<void> {
    if (this.#fetching !== undefined) return this.#fetching
    this.#fetches += 1
    const number = this.#fetches
    const settle = (take: () => void): void => {
      if (number !== this.#fetches) return
      this.#fetching = undefined
      if (!this.#isReleased) take()
    }
    this.#fetching = this.fetchAsync(Math.max(max, readAhead)).then(
      (piece) => settle(() => this.#fetched(piece)),
      (error: unknown) =>
        settle(() => {
          this.#failure = { error }
        }),
    )
    return this.#fetching
  }

  #fetched(piece: Uint8Array): void {
    this.#rest = piece
    this.#isAtEnd = piece.length === 0
  }

  #assertReadable(): void {
    if (this.#isReleased) throw isOver()
    const failure = this.#failure
    this.#failure = undefined
    if (failure !== undefined) throw failure.error
  }

  #take(max: number): Uint8Array {
    const piece = this.#rest.subarray(0, max)
    this.#rest = this.#rest.subarray(piece.length)
    return piece
  }
}

/** Threads share descriptors: the worker reads what the master has written, with no hop between them. */
class FileBody extends FetchedBody {
  readonly #fd: number
  #buffer: Buffer | undefined
  #position = 0
  protected override readonly isHere = true

  constructor(fd: number, contentLength: number) {
    super(contentLength)
    this.#fd = fd
  }

  protected override fetch(): Uint8Array {
    this.#buffer ??= Buffer.allocUnsafeSlow(readAhead)
    const count = readSync(this.#fd, this.#buffer, 0, readAhead, this.#position)
    this.#position += count
    return this.#buffer.subarray(0, count)
  }

  protected override async fetchAsync(): Promise<Uint8Array> {
    return this.fetch()
  }

  protected override finishFetch(): Uint8Array {
    return this.fetch()
  }

  seek(position: number): void {
    this.forget()
    this.#position = position
  }
}

class PulledBody extends FetchedBody {
  readonly #link: MasterLink
  readonly #slot: number
  /** Of its request: once that is over the slot may be another's. */
  readonly #generation: number
  #readErrors = 0
  protected override readonly isHere = false

  constructor(link: MasterLink, slot: number, contentLength: number) {
    super(contentLength)
    this.#link = link
    this.#slot = slot
    this.#generation = link.slots.generation(slot)
  }

  protected override fetch(max: number): Uint8Array {
    const { slots, ring } = this.#link
    slots.requestPull(this.#slot)
    while (!this.#tryPull(max)) ring.awaitRoom()
    return this.finishFetch()
  }

  protected override async fetchAsync(max: number): Promise<Uint8Array> {
    const { slots, ring } = this.#link
    slots.requestPull(this.#slot)
    while (!this.#tryPull(max)) {
      await ring.roomAppears()
      if (slots.generation(this.#slot) !== this.#generation) throw isOver()
    }
    const state = await slots.pullAnswer(this.#slot)
    return this.#receive(state)
  }

  protected override finishFetch(): Uint8Array {
    return this.#receive(this.#link.slots.awaitPull(this.#slot))
  }

  get readErrors(): number {
    return this.#readErrors
  }

  #tryPull(max: number): boolean {
    const { slots, ring, masterDoorbell } = this.#link
    const isSent = ring.tryPull(this.#slot, this.#generation, Math.min(max, slots.areaSize))
    if (isSent) masterDoorbell.ring()
    return isSent
  }

  #receive(state: PullState): Uint8Array {
    switch (state) {
      case PullState.filled:
        return this.#link.slots.pulled(this.#slot)
      case PullState.end:
        return nothing
      case PullState.timeout:
        this.#readErrors += 1
        throw new ClientError('BODY_TIMEOUT', 'the request body did not arrive in time')
      default:
        this.#readErrors += 1
        throw new ClientError('CLIENT_GONE', 'the client closed its connection before the request body was complete')
    }
  }
}
