// Every way in which bytes can fail to be what the protocol says. The table is the one place where a code, its meaning and
// its HTTP status are written; whoever has an HTTP client at hand can answer it without looking at the text.
// Invariant: a code never changes its meaning and is never reused.

/** One line per code: what it means, and the HTTP status for a client that can be told. */
export const protocolErrorCodes = {
  NOT_UWSGI: { httpStatus: 400, meaning: 'the bytes are HTTP or TLS, sent to a socket that speaks uwsgi' },
  PACKET_TOO_LARGE: { httpStatus: 431, meaning: 'a packet announces a block larger than the buffer size' },
  PACKET_FIELD: { httpStatus: 500, meaning: 'a modifier or a block that does not fit its field of the packet header' },
  VARS_EMPTY_KEY: { httpStatus: 400, meaning: 'a request variable without a name' },
  VARS_TRUNCATED: { httpStatus: 400, meaning: 'a request variable that goes on behind the end of its block' },
  VARS_TOO_LARGE: { httpStatus: 431, meaning: 'request variables that do not fit into one block' },
  ARRAY_TRUNCATED: { httpStatus: 400, meaning: 'an array item that goes on behind the end of its block' },
  ARRAY_TOO_LARGE: { httpStatus: 500, meaning: 'array items that do not fit into one block' },
  CACHE_PACKET: { httpStatus: 400, meaning: 'a cache request or reply without the values that belong to it' },
  NOT_LATIN1: { httpStatus: 500, meaning: 'text with a character above U+00FF, which has no Latin-1 byte' },
  CONTENT_LENGTH: { httpStatus: 400, meaning: 'a content length that is not a plain decimal number, or two that differ' },
  REQUEST_TARGET: { httpStatus: 400, meaning: 'a request target of a form that HTTP does not have, or with a NUL in its path' },
  DUPLICATE_HEADER: { httpStatus: 400, meaning: 'a header that decides where the request goes, given twice' },
  RESPONSE_HEAD: { httpStatus: 500, meaning: 'a status or header that would break the response head' },
} as const satisfies Record<string, { httpStatus: number; meaning: string }>

export type ProtocolErrorCode = keyof typeof protocolErrorCodes

/** The only error that this room raises about bytes. `httpStatus` is the code's own unless the place knows better. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  readonly code: ProtocolErrorCode
  readonly httpStatus: number

  constructor(code: ProtocolErrorCode, message: string, httpStatus: number = protocolErrorCodes[code].httpStatus) {
    super(message)
    this.code = code
    this.httpStatus = httpStatus
  }
}
