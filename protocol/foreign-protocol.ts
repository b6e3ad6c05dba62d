// Recognises a client that speaks HTTP or TLS to a uwsgi socket: the commonest mistake of a new installation, and one that
// the size field alone does not show. `GET ` reads as a block of 21573 bytes, which a buffer of 32768 would wait for, and a
// TLS hello as one of 259 or 771.
import { latin1Text } from './latin1.ts'

export type ForeignProtocol = 'HTTP' | 'TLS'

const httpMethodStarts = new Set(['GET ', 'HEAD', 'POST', 'PUT ', 'DELE', 'OPTI', 'PATC', 'CONN', 'TRAC', 'PRI '])
const httpRequestLine = /^[A-Z]{3,7} \S+ HTTP\/\d\.\d\r?\n$/

/** What the first 4 bytes look like. A hint only: a packet for modifier 71 may begin with `GET ` by right. */
export const suspectProtocol = (bytes: Uint8Array): ForeignProtocol | undefined => {
  const first = bytes[0]!
  // TLS record of type handshake, version 3.x.
  if (first === 0x16) return bytes[1] === 0x03 && bytes[2]! <= 0x04 ? 'TLS' : undefined
  if (first < 0x43 || first > 0x54) return undefined
  return httpMethodStarts.has(latin1Text(bytes, 0, 4)) ? 'HTTP' : undefined
}

/** Bytes after which `isTlsHello` can tell. */
export const tlsHelloProofSize = 11

/** True for a TLS record that holds a whole ClientHello: both lengths agree, which in a packet would be a key of NUL bytes. */
export const isTlsHello = (bytes: Uint8Array): boolean => {
  const recordLength = (bytes[3]! << 8) | bytes[4]!
  const helloLength = (bytes[6]! << 16) | (bytes[7]! << 8) | bytes[8]!
  return bytes[5] === 0x01 && helloLength === recordLength - 4 && bytes[9] === 0x03 && bytes[10]! <= 0x04
}

/** True when the first `length` bytes, which end with the first line feed, are a request line. */
export const isHttpRequestLine = (bytes: Uint8Array, length: number): boolean =>
  httpRequestLine.test(latin1Text(bytes, 0, length))
