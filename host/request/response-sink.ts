// Where a response goes. The worker link implements it over shared memory; tests implement it over an array.

import type { OffloadOrder } from './offload-order.ts'

export interface ResponseHead {
  /** `200 OK`: three digits, a space, a reason. Latin-1. */
  readonly status: string
  /** Names and values in turn, each as Latin-1: `['Content-Type', 'text/plain', ...]`, joined by NUL. Empty: none. */
  readonly headers: string
}

export interface ResponseSink {
  /** True once the client's connection is closed; what is sent from then on is discarded. */
  readonly clientGone: boolean
  /** Notes when the request is to be over. Absent: nobody would look. */
  setDeadline?(end: number): void
  /** Resolves when `clientGone` becomes true; never when the request ends before. Absent: nobody could tell. */
  readonly clientLeaves?: Promise<void>
  /** True when `send` of so many bytes would park the thread. Absent: it never does. */
  needsRoom?(size: number): boolean
  /** Resolves when the client has taken enough of what was sent; undefined when it has. */
  readonly roomAppears?: Promise<void> | undefined
  /** The number under which guests know the client's connection. */
  readonly connectionFd?: number
  /**
   * Sends the head (once, with or before the first chunk), a chunk, the end, or any of them together. The chunk is
   * copied before this returns. Parks the thread while the client's window is full.
   * @param isRaw there is no head: chunks reach the client's connection as they are, and it is closed after the last one.
   *   After a head, with the end: nothing more is written, and the connection is closed
   */
  send(head: ResponseHead | undefined, chunk: Uint8Array | undefined, last: boolean, isRaw?: boolean): void
  /** The same without parking the thread; resolves when the chunk has been copied and there is room for more. */
  sendAsync(head: ResponseHead | undefined, chunk: Uint8Array | undefined, last: boolean, isRaw?: boolean): Promise<void>
  /**
   * Hands the rest of the response to the master: this is its end as far as the worker goes. Absent: nobody would take it.
   * @param parcel bytes that belong to the order; they are the master's from now on
   * @param isRaw as in `send`
   */
  offload?(head: ResponseHead | undefined, order: OffloadOrder, parcel: Uint8Array | undefined, isRaw: boolean): void
  /** What is sent from now on is the server's own answer: no limit of guests counts. Absent: there is none. */
  unlimited?(): void
  /** Ends a response that cannot be completed, so that the client sees that something is missing. */
  cut(): void
}
