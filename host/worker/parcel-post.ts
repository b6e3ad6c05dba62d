// Sends bytes to the master beside the response ring: moved there where they are memory of their own, else copied.
import type { MessagePort } from 'node:worker_threads'
import type { WorkerMessage } from './messages.ts'

/** @returns a function that sends bytes and returns the number by which an order names them */
export const parcelPost = (port: Pick<MessagePort, 'postMessage'>): ((bytes: Uint8Array) => number) => {
  let last = 0
  const post = (id: number, bytes: Uint8Array<ArrayBuffer>): void =>
    port.postMessage({ kind: 'parcel', id, bytes } satisfies WorkerMessage, [bytes.buffer])
  return (bytes) => {
    last = (last + 1) % 2 ** 31
    if (isAlone(bytes)) {
      try {
        post(last, bytes)
        return last
      } catch {
        // Memory that cannot be moved: an interpreter's own.
      }
    }
    post(last, new Uint8Array(bytes))
    return last
  }
}

/** A view that is all of its memory. */
const isAlone = (bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> =>
  bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength
