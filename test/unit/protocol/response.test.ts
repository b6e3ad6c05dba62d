import { describe, expect, it } from 'vitest'
import { encodeResponseHead } from '../../../protocol/index.ts'

const head = (protocol: string, status: string, headers: string): string =>
  encodeResponseHead(protocol, status, headers).toString('latin1')

describe('encodeResponseHead', () => {
  it('writes what uWSGI 2.0.21 wrote for the same application', () => {
    // Recorded: start_response('200 OK', [('X-A', '1'), ('X-B', '\xe9'), ('X-Empty', '')]) with and without SERVER_PROTOCOL.
    const headers = 'X-A\x001\0X-B\0\xe9\0X-Empty\0'
    expect(head('', '200 OK', headers)).toBe('HTTP/1.0 200 OK\r\nX-A: 1\r\nX-B: \xe9\r\nX-Empty: \r\n\r\n')
    expect(head('HTTP/1.1', '200 OK', headers)).toBe('HTTP/1.1 200 OK\r\nX-A: 1\r\nX-B: \xe9\r\nX-Empty: \r\n\r\n')
    expect(head('HTTP/2.0', '200 OK', headers)).toBe('HTTP/2.0 200 OK\r\nX-A: 1\r\nX-B: \xe9\r\nX-Empty: \r\n\r\n')
    expect(head('HTTP/1.1', '204 No Content', '')).toBe('HTTP/1.1 204 No Content\r\n\r\n')
  })

  it('keeps repeated headers, their order, and every Latin-1 byte', () => {
    const value = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code))
      .filter((char) => !'\0\r\n'.includes(char))
      .join('')
    const bytes = encodeResponseHead('HTTP/1.1', '200 OK', `Set-Cookie\0a\0X\0${value}\0Set-Cookie\0b`)
    expect(bytes).toEqual(Buffer.from(`HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nX: ${value}\r\nSet-Cookie: b\r\n\r\n`, 'latin1'))
  })

  it.each(['HTTP/1.1\r\nX: y', 'INCLUDED', 'HTTP/11', '1.1'])('takes %j for no protocol at all', (protocol) => {
    expect(head(protocol, '200 OK', '')).toBe('HTTP/1.0 200 OK\r\n\r\n')
  })

  it.each([
    ['', '', 'a response without a status'],
    ['200 OK\r\nX: y', '', '"200 OK\\r\\nX: y" holds a line break'],
    ['200 O\0K', '', '"200 O\\u0000K" holds a NUL'],
    ['200 OK', 'X\0a\nSet-Cookie: b', '"a\\nSet-Cookie: b" holds a line break'],
    ['200 OK', 'X\0\u20ac', '"\u20ac" holds a character above U+00FF'],
    ['200 OK', 'X', 'header "X" has no value'],
    ['200 OK', 'X\x001\0Y', 'header "Y" has no value'],
  ])('refuses status %j with headers %j', (status, headers, message) => {
    expect(() => head('HTTP/1.1', status, headers)).toThrow(
      expect.objectContaining({ code: 'RESPONSE_HEAD', httpStatus: 500, message }),
    )
  })
})
