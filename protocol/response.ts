// The response head as it goes back over a uwsgi connection: plain HTTP text, without a packet around it, ended by closing
// the connection. Nothing is added to what the application said: no Content-Length, no Connection, no Date.
import { ProtocolError } from './errors.ts'

const defaultProtocol = 'HTTP/1.0'
const protocolForm = /^HTTP\/\d(?:\.\d)?$/
// In a one-byte string V8 drops the alternative for wider characters, so this is one search for three bytes.
const forbidden = /[\r\n]|[^\x00-\xff]/

/**
 * `PROTOCOL STATUS\r\n`, one `Name: value\r\n` per header in order, `\r\n`; as Latin-1 bytes.
 *
 * Differs from uWSGI: a protocol that is no HTTP version counts as absent; uWSGI copies whatever SERVER_PROTOCOL holds,
 * line breaks included.
 * @param protocol the request's SERVER_PROTOCOL; '' (as with uWSGI) for `HTTP/1.0`
 * @param status `200 OK`
 * @param headers names and values in turn, joined by NUL; '' for none
 * @throws ProtocolError RESPONSE_HEAD for a missing status, a value without its name's partner, and for characters that
 *   would end a line early or have no Latin-1 byte
 */
export const encodeResponseHead = (protocol: string, status: string, headers: string): Buffer => {
  if (status === '') throw new ProtocolError('RESPONSE_HEAD', 'a response without a status')
  if (forbidden.test(status) || status.includes('\0') || forbidden.test(headers)) throw badCharacter(status, headers)
  let head = `${protocol === 'HTTP/1.1' || protocolForm.test(protocol) ? protocol : defaultProtocol} ${status}\r\n`
  if (headers !== '') {
    let start = 0
    for (;;) {
      const nameEnd = headers.indexOf('\0', start)
      if (nameEnd === -1) {
        throw new ProtocolError('RESPONSE_HEAD', `header ${JSON.stringify(headers.slice(start, start + 80))} has no value`)
      }
      const valueEnd = headers.indexOf('\0', nameEnd + 1)
      if (valueEnd === -1) {
        head += `${headers.slice(start, nameEnd)}: ${headers.slice(nameEnd + 1)}\r\n`
        break
      }
      head += `${headers.slice(start, nameEnd)}: ${headers.slice(nameEnd + 1, valueEnd)}\r\n`
      start = valueEnd + 1
    }
  }
  return Buffer.from(`${head}\r\n`, 'latin1')
}

const badCharacter = (status: string, headers: string): ProtocolError => {
  const part = status.includes('\0') ? status : [status, ...headers.split('\0')].find((text) => forbidden.test(text))!
  const why = /[\r\n]/.test(part) ? 'a line break' : part.includes('\0') ? 'a NUL' : 'a character above U+00FF'
  return new ProtocolError('RESPONSE_HEAD', `${JSON.stringify(part.slice(0, 80))} holds ${why}`)
}
