// The length of a request body. The uwsgi protocol has no framing for it: the body is the CONTENT_LENGTH bytes after the
// packet, so a number read differently here and in a proxy in front would let one request hide inside another.
import { ProtocolError } from './errors.ts'
import { findVar } from './vars.ts'

const digits = /^[0-9]+$/

/**
 * A decimal number of bytes (RFC 9110, 8.6: digits and nothing else). Empty text is 0.
 * @throws ProtocolError CONTENT_LENGTH (400) for signs, blanks, other number forms, and numbers above 2^53 - 1
 */
export const parseContentLength = (text: string): number => {
  if (text === '') return 0
  if (!digits.test(text))
    throw new ProtocolError('CONTENT_LENGTH', `${JSON.stringify(text.slice(0, 40))} is not a content length`)
  const length = Number(text)
  if (!Number.isSafeInteger(length))
    throw new ProtocolError('CONTENT_LENGTH', `a content length of ${text.slice(0, 40)} is too large`)
  return length
}

/**
 * Bytes of the body that follows a packet with these request variables: its CONTENT_LENGTH, 0 when absent or empty.
 * @throws ProtocolError CONTENT_LENGTH (400) as `parseContentLength`
 */
export const contentLength = (vars: Uint8Array): number => parseContentLength(findVar(vars, 'CONTENT_LENGTH') ?? '')
