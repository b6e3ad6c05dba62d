import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ProtocolError, parseRequestTarget } from '../../../protocol/index.ts'

const pathInfo = (target: string): string => parseRequestTarget('GET', target).pathInfo
const refusal = (message: string) => expect.objectContaining({ code: 'REQUEST_TARGET', httpStatus: 400, message })

describe('a request target', () => {
  it('is split at the first question mark, and the query stays as sent', () => {
    expect(parseRequestTarget('GET', '/a%20b?x=%20&y=a+b?c')).toEqual({
      requestUri: '/a%20b?x=%20&y=a+b?c',
      pathInfo: '/a b',
      queryString: 'x=%20&y=a+b?c',
      authority: undefined,
    })
    expect(pathInfo('/a%3Fb?c')).toBe('/a?b')
  })

  it('has a path decoded to bytes, one Latin-1 character each, whether they are UTF-8 or not', () => {
    expect(pathInfo('/caf%C3%A9')).toBe('/caf\xc3\xa9')
    expect(pathInfo('/%ff%FE\xe9')).toBe('/\xff\xfe\xe9')
    expect(pathInfo('/a+b%2fc')).toBe('/a+b/c')
  })

  it('keeps percent signs that encode nothing', () => {
    expect(pathInfo('/100%/%zz/%4/%c3%')).toBe('/100%/%zz/%4/\xc3%')
    expect(pathInfo('/%2541')).toBe('/%41')
  })

  it('has no fragment in path and query', () => {
    const target = parseRequestTarget('GET', '/a?x#f?g')
    expect([target.pathInfo, target.queryString, target.requestUri]).toEqual(['/a', 'x', '/a?x#f?g'])
    expect(parseRequestTarget('GET', '/a#f?g').queryString).toBe('')
    expect(pathInfo('/a%23b')).toBe('/a#b')
  })

  it.each([
    ['/a/../b/./c', '/b/c'],
    ['/a/%2e%2E/b', '/b'],
    ['/a%2f..%2fb', '/b'],
    ['/a/..', '/'],
    ['/a/.', '/a/'],
    ['/a/b/..', '/a/'],
    ['/..', '/'],
    ['/../../x', '/x'],
    ['//a//../b', '//a/b'],
    ['/..a/.b/c.', '/..a/.b/c.'],
    ['/a?x=/../b', '/a'],
  ])('%s leads to %s', (target, path) => {
    expect(pathInfo(target)).toBe(path)
  })

  it('never leaves a dot segment or a relative path, however it is written', () => {
    const piece = fc.constantFrom('/', '.', '..', '%2e', '%2E%2e', '%2f', 'a', '%', '2e', '//', '%252e')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const path = pathInfo(`/${pieces.join('')}`)
        expect(path.startsWith('/')).toBe(true)
        expect(path.split('/').filter((segment) => segment === '.' || segment === '..')).toEqual([])
      }),
      { numRuns: 1000 },
    )
  })

  it('gives any bytes back from their percent encoding', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        fc.pre(!bytes.includes(0) && !bytes.includes(0x2f))
        const encoded = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
        expect(pathInfo(`/x${encoded}`)).toBe(`/x${Buffer.from(bytes).toString('latin1')}`)
      }),
    )
  })

  it('may be an absolute address, whose host then counts', () => {
    expect(parseRequestTarget('GET', 'http://other.example:99/p%20?q')).toEqual({
      requestUri: '/p%20?q',
      pathInfo: '/p ',
      queryString: 'q',
      authority: 'other.example:99',
    })
    expect(parseRequestTarget('GET', 'HTTPS://[::1]:8443?q')).toEqual({
      requestUri: '/?q',
      pathInfo: '/',
      queryString: 'q',
      authority: '[::1]:8443',
    })
    expect(parseRequestTarget('GET', 'http://h').requestUri).toBe('/')
  })

  it('may be the server as a whole, for OPTIONS only', () => {
    const whole = { requestUri: '*', pathInfo: '', queryString: '' }
    expect(parseRequestTarget('OPTIONS', '*')).toEqual({ ...whole, authority: undefined })
    expect(parseRequestTarget('OPTIONS', 'http://h:80')).toEqual({ ...whole, authority: 'h:80' })
    expect(parseRequestTarget('OPTIONS', 'http://h:80/').pathInfo).toBe('/')
    expect(() => parseRequestTarget('GET', '*')).toThrow(refusal('the request target "*" is neither a path nor an http address'))
  })

  it.each([
    ['', 'is neither a path nor an http address'],
    ['a/b', 'is neither a path nor an http address'],
    ['?x', 'is neither a path nor an http address'],
    ['h:80', 'is neither a path nor an http address'],
    ['ftp://h/x', 'is neither a path nor an http address'],
    ['http:///x', 'has no host'],
    ['http://user@h/x', 'has a user name in its address'],
    ['http://h\\x/', 'has a host of a bad form'],
    ['/a%00b', 'has a NUL in its path'],
    ['/a\0b', 'has a NUL in its path'],
  ])('%j is refused', (target, why) => {
    expect(() => parseRequestTarget('GET', target)).toThrow(refusal(`the request target ${JSON.stringify(target)} ${why}`))
  })

  it('throws nothing but ProtocolError', () => {
    fc.assert(
      fc.property(fc.constantFrom('GET', 'OPTIONS'), fc.string({ unit: 'binary', maxLength: 40 }), (method, target) => {
        for (const text of [target, `/${target}`, `http://${target}`]) {
          try {
            parseRequestTarget(method, text)
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolError)
          }
        }
      }),
    )
  })
})
