// The bodies that did not come whole with their request: one in a file that the master has filled, one pulled from the
// master piece by piece.

import { read, readSync } from 'node:fs'
import { promisify } from 'node:util'
import { ClientError } from '../errors.ts'
import { type RequestBody, WholeBody } from '../request/body.ts'
import { BodyMode, PullState } from '../state/request-slots.ts'
import type { MasterLink } from './slot-sink.ts'

const readFile = promisify(read)
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

/** Hands out pieces of whatever is fetched in larger ones. */
abstract class FetchedBody implements SlotBody {
  readonly contentLength: number
  readonly whole = undefined
  #rest: Uint8Array = nothing
  #isReleased = false

  constructor(contentLength: number) {
    this.contentLength = contentLength
  }

  /** What was fetched and not yet read, is not to be read. */
  protected forget(): void {
    this.#rest = nothing
  }

  protected abstract fetch(max: number): Uint8Array
  protected abstract fetchAsync(max: number): Promise<Uint8Array>

  read(max: number): Uint8Array {
    if (this.#isReleased) throw isOver()
    if (this.#rest.length === 0) this.#rest = this.fetch(Math.max(max, readAhead))
    return this.#take(max)
  }

  async readAsync(max: number): Promise<Uint8Array> {
    if (this.#isReleased) throw isOver()
    if (this.#rest.length === 0) {
      const piece = await this.fetchAsync(Math.max(max, readAhead))
      // The request may have ended meanwhile: what came then is another's.
      if (this.#isReleased) throw isOver()
      this.#rest = piece
    }
    return this.#take(max)
  }

  release(): void {
    this.#isReleased = true
    this.#rest = nothing
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

  constructor(fd: number, contentLength: number) {
    super(contentLength)
    this.#fd = fd
  }

  protected fetch(): Uint8Array {
    this.#buffer ??= Buffer.allocUnsafeSlow(readAhead)
    const count = readSync(this.#fd, this.#buffer, 0, readAhead, this.#position)
    this.#position += count
    return this.#buffer.subarray(0, count)
  }

  protected async fetchAsync(): Promise<Uint8Array> {
    this.#buffer ??= Buffer.allocUnsafeSlow(readAhead)
    const { bytesRead } = await readFile(this.#fd, this.#buffer, 0, readAhead, this.#position)
    this.#position += bytesRead
    return this.#buffer.subarray(0, bytesRead)
  }

  seek(position: number): void {
    this.forget()
    this.#position = position
  }
}

class PulledBody extends FetchedBody {
  readonly #link: MasterLink
  readonly #slot: number
  #ended = false
  #readErrors = 0

  constructor(link: MasterLink, slot: number, contentLength: number) {
    super(contentLength)
    this.#link = link
    this.#slot = slot
  }

  protected fetch(max: number): Uint8Array {
    if (this.#ended) return nothing
    const { slots, ring, masterDoorbell } = this.#link
    slots.requestPull(this.#slot)
    while (!ring.tryPull(this.#slot, slots.generation(this.#slot), Math.min(max, slots.areaSize))) ring.awaitRoom()
    masterDoorbell.ring()
    return this.#receive(slots.awaitPull(this.#slot))
  }

  protected async fetchAsync(max: number): Promise<Uint8Array> {
    if (this.#ended) return nothing
    const { slots, ring, masterDoorbell } = this.#link
    slots.requestPull(this.#slot)
    while (!ring.tryPull(this.#slot, slots.generation(this.#slot), Math.min(max, slots.areaSize))) await ring.roomAppears()
    masterDoorbell.ring()
    return this.#receive(await slots.pullAnswer(this.#slot))
  }

  get readErrors(): number {
    return this.#readErrors
  }

  #receive(state: PullState): Uint8Array {
    switch (state) {
      case PullState.filled:
        return this.#link.slots.pulled(this.#slot)
      case PullState.end:
        this.#ended = true
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
