// Memory for response chunks on their way to a client. A chunk arrives as a view on a ring that is about to be overwritten,
// so it is copied; without a pool a large download would leave as much garbage as it has bytes, which V8 collects late.
// Invariant: a buffer is in the pool or in one write, never in both.

import { maxChunk } from '../state/response-ring.ts'

/** Buffers kept for the next chunk; more are left to the garbage collector. */
const mostKept = 64

const kept: Buffer[] = []

/** A copy of a chunk, in pooled memory when it is worth it. Give it back when its write is done. */
export const copyChunk = (chunk: Uint8Array): Buffer => {
  if (chunk.length < maxChunk / 4 || chunk.length > maxChunk) return Buffer.from(chunk)
  const buffer = (kept.pop() ?? Buffer.allocUnsafeSlow(maxChunk)).subarray(0, chunk.length)
  buffer.set(chunk)
  return buffer
}

/** Returns the memory of a chunk made by `copyChunk` whose write is done. */
export const releaseChunk = (chunk: Buffer): void => {
  if (chunk.buffer.byteLength === maxChunk && chunk.byteOffset === 0 && kept.length < mostKept) {
    kept.push(Buffer.from(chunk.buffer, 0, maxChunk))
  }
}
