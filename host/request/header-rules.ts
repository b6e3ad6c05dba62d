// What a response's head may hold. Everything that reaches a client's connection as a status or a header has passed here.
import { PolywsgiError } from '../errors.ts'
import { reasonPhrase } from './status.ts'

// Status line: three digits, then nothing or a space and a reason without control characters (RFC 9112, 4). Above 0xff a
// character has no Latin-1 byte.
const statusForm = /^[1-9]\d\d(?: [\t\x20-\x7e\x80-\xff]*)?$/

/** A status with its reason. @throws PolywsgiError APP_RESPONSE */
export const checkedStatus = (status: string): string => {
  if (!statusForm.test(status)) {
    throw new PolywsgiError(
      'APP_RESPONSE',
      `${JSON.stringify(status.slice(0, 80))} is not a status: three digits, a space and a reason`,
    )
  }
  return status.length === 3 ? `${status} ${reasonPhrase(Number(status))}` : status
}

// A line break inside a name or value would let an application's data forge headers (response splitting).
const forbiddenInHeaders = /[\x01-\x08\x0a-\x1f\x7f]|[^\x00-\xff]/
const headerName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/**
 * @param headers names and values in turn, joined by NUL
 * @param exactly how many parts there must be
 * @throws PolywsgiError APP_RESPONSE
 */
export const checkHeaders = (headers: string, exactly: number | undefined): void => {
  const parts = headers.split('\0')
  if (exactly !== undefined ? parts.length !== exactly : (parts.length & 1) === 1) {
    throw new PolywsgiError('APP_RESPONSE', 'a header name or value holds a NUL byte')
  }
  for (let index = 0; index < parts.length; index += 2) {
    if (!headerName.test(parts[index] as string)) {
      throw new PolywsgiError('APP_RESPONSE', `${JSON.stringify(parts[index]?.slice(0, 80))} is not a header name`)
    }
  }
  if (forbiddenInHeaders.test(headers)) {
    const at = parts.findIndex((part) => forbiddenInHeaders.test(part))
    throw new PolywsgiError('APP_RESPONSE', `the value of header ${parts[at - 1]} holds a character that HTTP does not allow`)
  }
}
