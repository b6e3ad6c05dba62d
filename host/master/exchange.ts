// One request in the master, between its client and its worker. A gateway makes an exchange out of what its protocol
// received and writes the answer back; the dispatcher carries it to a worker. Neither knows the other's business.

/** A request body as the master holds it. */
export type ExchangeBody =
  /** All of it is here; undefined: there is none. */
  | { readonly mode: 'whole'; readonly bytes: Uint8Array | undefined }
  /** All of it is in a file. `release` closes it once the request is over. */
  | { readonly mode: 'file'; readonly fd: number; readonly length: number; release(): void }
  /** It is still arriving. */
  | { readonly mode: 'stream'; readonly contentLength: number; pull(max: number): Promise<BodyPiece> }

export type BodyPiece =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'end' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'timeout' }

/** Status line (`200 OK`) and headers (names and values in turn, joined by NUL). */
export interface ExchangeHead {
  readonly status: string
  readonly headers: string
}

export interface Exchange {
  /** The uwsgi packet: header and vars block. */
  readonly packet: Uint8Array
  readonly body: ExchangeBody
  /**
   * A part of the response. `chunk` is a view that is overwritten after the call: what is kept must be copied.
   * @param isRaw without a head before it: the chunk goes to the client as it is, and the connection is closed after the
   *   last one; with `last` after a head: the connection is closed now
   * @param isLasting the chunk is no such view: it stays as it is, and need not be copied
   * @returns false when the client's side is full: the gateway then says `acknowledge` for this chunk when it has taken it
   * @throws PolywsgiError, ProtocolError when it cannot be said in the client's protocol: `fail` follows
   */
  respond(head: ExchangeHead | undefined, chunk: Uint8Array, last: boolean, isRaw: boolean, isLasting?: boolean): boolean
  /**
   * The request ends without (the rest of) its response. A gateway that has sent a head already cuts the connection.
   * @param requestId by which the client can ask for what the log says of it
   */
  fail(status: 500 | 503 | 504, reason: string, requestId?: string): void
}

/** What a gateway may say about an exchange it has submitted. */
export interface Ticket {
  /** The client has taken `bytes` more of a chunk for which `respond` returned false. */
  acknowledge(bytes: number): void
  /** The client has gone. The request is dropped if nobody began it; else its worker learns of it. */
  abandon(): void
}

/** A response whose rest the master sends, without a worker. */
export interface OffloadedResponse extends Ticket {
  /** Resolves when it is over, one way or the other. */
  readonly ended: Promise<void>
}

/** What a worker hands over. */
export interface OffloadRequest {
  readonly exchange: Exchange
  /** Undefined: it has been sent, or there is none. */
  readonly head: ExchangeHead | undefined
  /** As JSON: see host/request/offload-order.ts. */
  readonly order: string
  readonly isRaw: boolean
  readonly thread: number
  /** The bytes that an order names. Rejects when they do not come any more. */
  parcel(id: number): Promise<Uint8Array>
}
