import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cachedHeaderNames } from '../../../protocol/http-headers.ts'
import {
  checkVars,
  decodeHeader,
  encodeHttpRequest,
  type HttpRequestHead,
  iterateVars,
  ProtocolError,
  VarsWriter,
} from '../../../protocol/index.ts'

const plain: HttpRequestHead = {
  method: 'GET',
  url: '/',
  httpVersion: '1.1',
  rawHeaders: [],
  remoteAddress: '192.0.2.7',
  remotePort: 40123,
  localPort: 8080,
  serverName: 'web.example',
  tls: false,
  contentLength: undefined,
}
const writer = new VarsWriter(65535)

const pairsOf = (request: Partial<HttpRequestHead>): (readonly [string, string])[] => {
  const block = encodeHttpRequest({ ...plain, ...request }, writer).subarray(4)
  checkVars(block)
  return [...iterateVars(block)]
}
/** All variables; a name that occurs twice fails the test. */
const varsOf = (request: Partial<HttpRequestHead>): Record<string, string> => {
  const pairs = pairsOf(request)
  expect(new Set(pairs.map(([name]) => name)).size).toBe(pairs.length)
  return Object.fromEntries(pairs)
}
const httpVars = (...rawHeaders: string[]): Record<string, string> =>
  Object.fromEntries(Object.entries(varsOf({ rawHeaders })).filter(([name]) => name.startsWith('HTTP_')))

const refusal = (code: string, httpStatus: number, message: string) => expect.objectContaining({ code, httpStatus, message })

describe('an HTTP request', () => {
  it('becomes the variables of uwsgi_params and those of an http-socket', () => {
    const rawHeaders = ['Host', 'web.example:8080', 'content-type', 'text/plain', 'CONTENT-LENGTH', '5', 'X-Probe', '\xe9 1']
    expect(varsOf({ method: 'POST', url: '/caf%C3%A9?x=1', rawHeaders })).toEqual({
      QUERY_STRING: 'x=1',
      REQUEST_METHOD: 'POST',
      REQUEST_URI: '/caf%C3%A9?x=1',
      SCRIPT_NAME: '',
      PATH_INFO: '/caf\xc3\xa9',
      SERVER_PROTOCOL: 'HTTP/1.1',
      REQUEST_SCHEME: 'http',
      REMOTE_ADDR: '192.0.2.7',
      REMOTE_PORT: '40123',
      SERVER_PORT: '8080',
      SERVER_NAME: 'web.example',
      HTTP_HOST: 'web.example:8080',
      HTTP_X_PROBE: '\xe9 1',
      CONTENT_TYPE: 'text/plain',
      CONTENT_LENGTH: '5',
    })
  })

  it('is a whole packet with the modifiers asked for', () => {
    const packet = encodeHttpRequest(plain, writer, 6, 1)
    expect(decodeHeader(packet)).toEqual({ modifier1: 6, size: packet.length - 4, modifier2: 1 })
  })

  it('does not show what the writer held before', () => {
    writer.append('SECRET', 'of another request')
    expect(varsOf({})).not.toHaveProperty('SECRET')
  })

  it('over TLS says so', () => {
    expect(varsOf({ tls: true })).toMatchObject({ REQUEST_SCHEME: 'https', HTTPS: 'on' })
    expect(varsOf({ tls: false })).not.toHaveProperty('HTTPS')
  })

  it('with HEAD keeps its method, with HTTP/1.0 its version', () => {
    expect(varsOf({ method: 'HEAD', httpVersion: '1.0' })).toMatchObject({ REQUEST_METHOD: 'HEAD', SERVER_PROTOCOL: 'HTTP/1.0' })
  })

  it('OPTIONS * has an empty path', () => {
    expect(varsOf({ method: 'OPTIONS', url: '*' })).toMatchObject({ REQUEST_URI: '*', PATH_INFO: '', QUERY_STRING: '' })
  })

  it('from a unix socket has empty addresses', () => {
    const request = { remoteAddress: undefined, remotePort: undefined, localPort: undefined }
    expect(varsOf(request)).toMatchObject({ REMOTE_ADDR: '', REMOTE_PORT: '', SERVER_PORT: '' })
  })

  it('shows an IPv4 client on a socket of both families by its IPv4 address', () => {
    expect(varsOf({ remoteAddress: '::ffff:192.0.2.1' }).REMOTE_ADDR).toBe('192.0.2.1')
    expect(varsOf({ remoteAddress: '2001:db8::1' }).REMOTE_ADDR).toBe('2001:db8::1')
    expect(varsOf({ remoteAddress: '::ffff:c000:201' }).REMOTE_ADDR).toBe('::ffff:c000:201')
  })

  it('with an absolute target takes the host from there, not from the header', () => {
    const rawHeaders = ['Host', 'evil.example']
    expect(varsOf({ url: 'http://other.example:99/p', rawHeaders })).toMatchObject({
      HTTP_HOST: 'other.example:99',
      REQUEST_URI: '/p',
    })
    expect(varsOf({ url: 'http://other.example/p' }).HTTP_HOST).toBe('other.example')
  })
})

describe('header names', () => {
  it('with an underscore are dropped: they would pass for those with a dash', () => {
    expect(httpVars('X_Foo', 'forged', 'X-Foo', 'true', 'Content_Length', '9')).toEqual({ HTTP_X_FOO: 'true' })
    expect(varsOf({ rawHeaders: ['Content_Length', '9'] }).CONTENT_LENGTH).toBe('')
  })

  it('with other marks are dropped, as nginx does', () => {
    expect(httpVars('X.Y', '1', 'X!Y', '2', ':path', '3', 'X\xe9', '4', '', '5', 'X-1', '6')).toEqual({ HTTP_X_1: '6' })
  })

  it('drop Proxy, which CGI programs would take for their own setting', () => {
    expect(httpVars('Proxy', 'http://evil.example', 'PROXY', 'again', 'Proxy-Authorization', 'a')).toEqual({
      HTTP_PROXY_AUTHORIZATION: 'a',
    })
  })

  it('of the connection pass', () => {
    expect(httpVars('Connection', 'Upgrade', 'Upgrade', 'websocket', 'Transfer-Encoding', 'chunked')).toEqual({
      HTTP_CONNECTION: 'Upgrade',
      HTTP_UPGRADE: 'websocket',
      HTTP_TRANSFER_ENCODING: 'chunked',
    })
  })

  it('are kept in a table that a client cannot grow without end, nor make wrong', () => {
    for (let round = 0; round < 200; round += 1) {
      const rawHeaders = Array.from({ length: 50 }, (_, index) => [`X-${round}-${index}`, String(index)]).flat()
      rawHeaders.push('Cookie', 'a', 'cookie', 'b', `X-${'long-'.repeat(100)}`, 'y')
      const vars = varsOf({ rawHeaders })
      expect([vars[`HTTP_X_${round}_49`], vars.HTTP_COOKIE]).toEqual(['49', 'a; b'])
    }
    expect(cachedHeaderNames()).toBeLessThanOrEqual(512 + 52)
    const kept = cachedHeaderNames()
    expect(varsOf({ rawHeaders: [`X-${'y'.repeat(100)}`, '1'] })).toMatchObject({ [`HTTP_X_${'Y'.repeat(100)}`]: '1' })
    expect(cachedHeaderNames()).toBeLessThanOrEqual(kept)
  })
})

describe('headers given twice', () => {
  it('are joined by commas, cookies by semicolons, whatever their spelling', () => {
    expect(httpVars('Accept', 'a', 'X-A', '1', 'accept', 'b', 'Cookie', 'x=1', 'x-a', '2', 'COOKIE', 'y=2', 'X-A', '')).toEqual({
      HTTP_ACCEPT: 'a, b',
      HTTP_X_A: '1, 2, ',
      HTTP_COOKIE: 'x=1; y=2',
    })
  })

  it.each(['Authorization', 'User-Agent', 'Referer', 'Origin', 'Range', 'If-Modified-Since'])('%s: the first counts', (name) => {
    const varName = `HTTP_${name.toUpperCase().replaceAll('-', '_')}`
    expect(httpVars(name, 'one', name, 'two')).toEqual({ [varName]: 'one' })
  })

  it('Content-Type: the first counts', () => {
    expect(varsOf({ rawHeaders: ['Content-Type', 'a/a', 'Content-Type', 'b/b'] }).CONTENT_TYPE).toBe('a/a')
  })

  it('Host is refused, even the same one, and beside an absolute target too', () => {
    const twice = refusal('DUPLICATE_HEADER', 400, 'the request has two Host headers')
    expect(() => varsOf({ rawHeaders: ['Host', 'a', 'host', 'a'] })).toThrow(twice)
    expect(() => varsOf({ url: 'http://h/', rawHeaders: ['Host', 'a', 'Host', 'b'] })).toThrow(twice)
  })

  it('Content-Length is refused when the two differ', () => {
    const differ = refusal('CONTENT_LENGTH', 400, 'the request has two Content-Length headers that differ')
    expect(() => varsOf({ rawHeaders: ['Content-Length', '5', 'Content-Length', '6'] })).toThrow(differ)
    expect(varsOf({ rawHeaders: ['Content-Length', '5', 'Content-Length', '5'] }).CONTENT_LENGTH).toBe('5')
  })

  it('are the same to the fast path and to the one that joins', () => {
    const name = fc.constantFrom(
      'Host',
      'Accept',
      'X-A',
      'X_A',
      'Proxy',
      'Content-Type',
      'X.B',
      'Cookie',
      'Connection',
      'Referer',
    )
    const value = fc.string({ maxLength: 8 })
    const headers = fc.uniqueArray(fc.tuple(name, value), { selector: ([header]) => header })
    fc.assert(
      fc.property(headers, (unique) => {
        // The uncached long name sends the same headers through the other path.
        const long = `Z-${'z'.repeat(80)}`
        const { [`HTTP_${long.toUpperCase().replace('-', '_')}`]: _, ...joined } = varsOf({
          rawHeaders: [...unique.flat(), long, ''],
        })
        expect(joined).toEqual(varsOf({ rawHeaders: unique.flat() }))
      }),
    )
  })
})

describe('the content length', () => {
  it('is what the receiver counted, before what the header says', () => {
    expect(varsOf({ contentLength: 7, rawHeaders: ['Content-Length', '5'] }).CONTENT_LENGTH).toBe('7')
    expect(varsOf({ contentLength: 7, rawHeaders: ['Transfer-Encoding', 'chunked'] }).CONTENT_LENGTH).toBe('7')
    expect(varsOf({ contentLength: 0 }).CONTENT_LENGTH).toBe('0')
  })

  it('of a header does not count beside a Transfer-Encoding', () => {
    expect(varsOf({ rawHeaders: ['Content-Length', '5', 'Transfer-Encoding', 'chunked'] }).CONTENT_LENGTH).toBe('')
  })

  it.each(['-1', '+5', '0x5', '5, 5', '99999999999999999999'])('%s is refused', (value) => {
    const refused = expect.objectContaining({ code: 'CONTENT_LENGTH', httpStatus: 400 })
    expect(() => varsOf({ rawHeaders: ['Content-Length', value] })).toThrow(refused)
  })

  it.each([-1, 1.5, Number.NaN, 2 ** 53])('%s is refused as a count', (contentLength) => {
    expect(() => varsOf({ contentLength })).toThrow(expect.objectContaining({ code: 'CONTENT_LENGTH', httpStatus: 400 }))
  })
})

describe('a request that is too large', () => {
  it('is 431 for its headers and 414 for its target', () => {
    const small = new VarsWriter(400)
    const headers = { ...plain, rawHeaders: ['X-Big', 'x'.repeat(400)] }
    expect(() => encodeHttpRequest(headers, small)).toThrow(
      refusal(
        'VARS_TOO_LARGE',
        431,
        expect.stringMatching(/^the request variables up to HTTP_X_BIG need \d+ bytes \(max 400\)$/),
      ),
    )
    const target = { ...plain, url: `/${'x'.repeat(400)}` }
    expect(() => encodeHttpRequest(target, small)).toThrow(
      refusal('VARS_TOO_LARGE', 414, 'a request target of 401 bytes (max 400)'),
    )
    expect(encodeHttpRequest(plain, small).length).toBeLessThan(404)
  })

  it('throws nothing but ProtocolError, whatever it holds', () => {
    const small = new VarsWriter(600)
    const text = fc.string({ unit: 'binary', maxLength: 80 })
    fc.assert(
      fc.property(text, text, fc.array(fc.tuple(text, text), { maxLength: 8 }), (method, url, headers) => {
        try {
          checkVars(encodeHttpRequest({ ...plain, method, url, rawHeaders: headers.flat() }, small).subarray(4))
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError)
        }
      }),
    )
  })
})
