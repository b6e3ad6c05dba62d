// A body that is handed on while it arrives (`post-buffering` 0), instead of being gathered first.
// Invariant: the master holds a bounded part of it; the client is paused while the worker reads slower than it sends.

import type { BodyPiece, ExchangeBody } from '../master/exchange.ts'
import type { BodyLimits, BodySource } from './body-collector.ts'
import { freeChunk } from './free-chunk.ts'

/** How much of a streamed body the master holds ahead of the worker. */
const streamAhead = 256 * 1024

/** A body that is handed on while it arrives (`post-buffering` 0). */
export class BodyStream {
  readonly contentLength: number
  readonly #limits: BodyLimits
  /** The chunk whose last bytes were handed out: read until the next pull. */
  #spent: Uint8Array | undefined
  readonly #source: BodySource
  #chunks: Uint8Array[] = []
  #held = 0
  #length = 0
  #outcome: 'end' | 'gone' | 'timeout' | undefined
  #waiting: ((piece: BodyPiece) => void) | undefined
  #wanted = 0

  constructor(contentLength: number, limits: BodyLimits, source: BodySource) {
    this.contentLength = contentLength
    this.#limits = limits
    this.#source = source
  }

  get body(): ExchangeBody {
    return { mode: 'stream', contentLength: this.contentLength, pull: (max) => this.#pull(max) }
  }

  /** @returns false when the body is larger than allowed: the exchange is to be failed */
  add(chunk: Uint8Array): boolean {
    this.#length += chunk.length
    const { limitPost } = this.#limits
    if (limitPost > 0 && this.#length > limitPost) return false
    this.#chunks.push(chunk)
    this.#held += chunk.length
    if (this.#held > streamAhead) this.#source.pause()
    this.#deliver()
    return true
  }

  finish(outcome: 'end' | 'gone' | 'timeout'): void {
    this.#outcome ??= outcome
    this.#deliver()
  }

  #pull(max: number): Promise<BodyPiece> {
    if (this.#spent !== undefined && this.#limits.ownsChunks) freeChunk(this.#spent)
    this.#spent = undefined
    return new Promise((resolve) => {
      this.#wanted = max
      this.#waiting = resolve
      this.#deliver()
    })
  }

  #deliver(): void {
    const resolve = this.#waiting
    if (resolve === undefined) return
    const chunk = this.#chunks[0]
    if (chunk === undefined) {
      if (this.#outcome === undefined) return
      this.#waiting = undefined
      resolve({ kind: this.#outcome })
      return
    }
    this.#waiting = undefined
    const bytes = chunk.subarray(0, this.#wanted)
    if (bytes.length < chunk.length) this.#chunks[0] = chunk.subarray(bytes.length)
    else {
      this.#chunks.shift()
      this.#spent = chunk
    }
    this.#held -= bytes.length
    if (this.#held <= streamAhead) this.#source.resume()
    resolve({ kind: 'bytes', bytes })
  }
}
