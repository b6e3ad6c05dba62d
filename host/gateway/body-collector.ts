// Gathers a request body in the master, so that a slow client holds no worker: in memory up to `post-buffering` bytes, past
// that in a temporary file without a name. (body-stream.ts is for bodies that are handed on while they arrive.)
// Invariant: never more in memory than the limit and one chunk; the source is paused while the disk lags.

import { close, open, unlinkSync, write } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ExchangeBody } from '../master/exchange.ts'
import { freeChunk } from './free-chunk.ts'

const openFile = promisify(open)
const writeFile = promisify(write)

export interface BodyLimits {
  /** Bytes; larger bodies are answered 413. 0: no limit (uWSGI: `limit-post`). */
  readonly limitPost: number
  /** Bytes held in memory before a file is used; 0: bodies are streamed to the app. */
  readonly postBuffering: number
  /** True when nobody else reads the same connection, so that chunks may be freed as soon as they have gone on. */
  readonly ownsChunks: boolean
}

/** The flow of a client's connection, as far as a body needs it. */
export interface BodySource {
  pause(): void
  resume(): void
}

export type CollectorState = 'collecting' | 'complete' | 'too-large' | 'failed'

let fileCount = 0

/** What a client is answered whose body could not be written to the disk: the disk is full, or is at fault in another way. */
export const spoolStatus = (error: NodeJS.ErrnoException | undefined): 503 | 507 =>
  error?.code === 'ENOSPC' || error?.code === 'EDQUOT' || error?.code === 'EFBIG' ? 507 : 503

/** Collects until `complete`, then `body` is ready for a worker. */
export class BodyCollector {
  readonly #limits: BodyLimits
  readonly #source: BodySource
  readonly #onState: (state: CollectorState, error?: Error) => void
  #chunks: Uint8Array[] = []
  #length = 0
  #fd: number | undefined
  #written = 0
  #writing = false
  #ended = false
  #closed = false

  constructor(limits: BodyLimits, source: BodySource, onState: (state: CollectorState, error?: Error) => void) {
    this.#limits = limits
    this.#source = source
    this.#onState = onState
  }

  /** Bytes received. */
  get length(): number {
    return this.#length
  }

  /** Takes a chunk over: the caller does not touch it again. */
  add(chunk: Uint8Array): void {
    if (this.#closed) return
    this.#length += chunk.length
    if (this.#limits.limitPost > 0 && this.#length > this.#limits.limitPost) {
      this.discard()
      this.#onState('too-large')
      return
    }
    this.#chunks.push(chunk)
    if (this.#length > this.#limits.postBuffering && !this.#writing) void this.#spool()
  }

  end(): void {
    this.#ended = true
    if (!this.#writing && !this.#closed) this.#complete()
  }

  /** The gathered body. Call once, in state `complete`. */
  take(): ExchangeBody {
    this.#closed = true
    const fd = this.#fd
    if (fd !== undefined) {
      this.#fd = undefined
      return { mode: 'file', fd, length: this.#length, release: () => close(fd) }
    }
    const [only] = this.#chunks
    const bytes = this.#chunks.length > 1 ? Buffer.concat(this.#chunks, this.#length) : only
    this.#chunks = []
    return { mode: 'whole', bytes }
  }

  /** The request is over before its body was: frees memory and file. */
  discard(): void {
    this.#closed = true
    this.#chunks = []
    // While a write is under way the descriptor is the writer's; it closes it when it sees the flag.
    if (this.#fd !== undefined && !this.#writing) this.#closeFile()
  }

  #complete(): void {
    if (this.#fd !== undefined && this.#chunks.length > 0) {
      void this.#spool()
      return
    }
    this.#onState('complete')
  }

  #closeFile(): void {
    if (this.#fd !== undefined) close(this.#fd)
    this.#fd = undefined
  }

  /** What has come so far in one piece: one write costs less than many. */
  #takeBatch(): Uint8Array {
    const chunks = this.#chunks
    this.#chunks = []
    if (chunks.length === 1) return chunks[0] as Uint8Array
    const batch = Buffer.concat(chunks)
    if (this.#limits.ownsChunks) chunks.forEach(freeChunk)
    return batch
  }

  async #spool(): Promise<void> {
    this.#writing = true
    this.#source.pause()
    try {
      this.#fd ??= await openTemporary()
      while (this.#chunks.length > 0 && !this.#closed) {
        const batch = this.#takeBatch()
        let position = 0
        while (position < batch.length) {
          const { bytesWritten } = await writeFile(this.#fd, batch, position, batch.length - position, this.#written)
          position += bytesWritten
          this.#written += bytesWritten
        }
        if (this.#limits.ownsChunks) freeChunk(batch)
      }
    } catch (error) {
      this.#closed = true
      this.#chunks = []
      this.#closeFile()
      this.#writing = false
      this.#onState('failed', error as Error)
      return
    }
    this.#writing = false
    if (this.#closed) this.#closeFile()
    else if (this.#ended) this.#complete()
    else this.#source.resume()
  }
}

/** A file that has no name any more: it vanishes with its last descriptor, however the server ends. */
const openTemporary = async (): Promise<number> => {
  fileCount += 1
  const path = join(tmpdir(), `polywsgi-body-${process.pid}-${fileCount}-${Math.random().toString(36).slice(2)}`)
  const fd = await openFile(path, 'wx+', 0o600)
  unlinkSync(path)
  return fd
}
