// The request body as a plugin sees it: bytes to be read once, in order. Where they come from (inside the request's slot,
// a temporary file, or pulled from the master piece by piece) is the business of who implements this.

export interface RequestBody {
  /** CONTENT_LENGTH in bytes; 0 without a body, -1 when the client did not say (chunked, still arriving). */
  readonly contentLength: number
  /** The whole body when it came with the request and nothing was read yet, else undefined. Valid until the first read. */
  readonly whole: Uint8Array | undefined
  /**
   * At most `max` bytes, at least one; an empty array at the end of the body. Parks the thread until some arrive. The
   * bytes are the caller's only until its next read.
   * @throws ClientError CLIENT_GONE when the client left before the body was complete, BODY_TIMEOUT when it stalled
   */
  read(max: number): Uint8Array
  /** The same without parking the thread. */
  readAsync(max: number): Promise<Uint8Array>
  /** True when the next read parks nobody: it finds bytes, the end, or what has gone wrong. Absent: it always is. */
  canReadNow?(): boolean
  /** Resolves when `canReadNow` has become true. Where that is there, this is. */
  arrives?(): Promise<void>
  /** The same by parking the thread. */
  awaitArrival?(): void
  /** True once the last byte has been read, as far as is known. */
  readonly isAtEnd?: boolean
  /**
   * Where the next read begins, counted from the begin of the body. Only bodies that are here, in memory or in a file, have it.
   * @param position from 0 to the body's length: the caller has checked it
   */
  seek?(position: number): void
  /** How many reads have failed; only bodies that arrive while they are read have it. */
  readonly readErrors?: number
}

const nothing = new Uint8Array(0)

/** A body that is already here, whole. */
export class WholeBody implements RequestBody {
  readonly #bytes: Uint8Array
  #position = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get contentLength(): number {
    return this.#bytes.length
  }

  get whole(): Uint8Array | undefined {
    return this.#position === 0 ? this.#bytes : undefined
  }

  get isAtEnd(): boolean {
    return this.#position >= this.#bytes.length
  }

  read(max: number): Uint8Array {
    if (this.#position >= this.#bytes.length) return nothing
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
}
