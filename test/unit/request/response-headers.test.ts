// The head of a response as plugins build it, and the counters and flags of its request.
import { describe, expect, it } from 'vitest'
import { WholeBody } from '../../../host/request/body.ts'
import type { WsgiRequest } from '../../../host/request/wsgi-request.ts'
import { memoryRequest } from './memory-request.ts'

const added = (add: (request: WsgiRequest) => void): string => {
  const { request } = memoryRequest()
  add(request)
  return request.headers.map(([name, value]) => `${name}: ${value}`).join('|')
}

describe('the headers of a response', () => {
  it('get a status from a number, and begin anew with it', () => {
    const { request } = memoryRequest()
    request.addHeader('A', 'b')
    request.prepareHeaders(404)
    expect([request.status, request.headers]).toEqual(['404 Not Found', []])
    request.prepareHeaders(799)
    expect(request.status).toBe('799 Unknown')
    for (const bad of [99, 2000, Number.NaN, '20']) expect(() => request.prepareHeaders(bad)).toThrow(/is not a status/)
  })

  it('have the status 200 OK where none was set before the body was written', async () => {
    const { request, response } = memoryRequest()
    request.addHeader('Content-Type', 'text/plain')
    request.writeBody('i am foobär')
    expect(() => request.prepareHeaders(404)).toThrow(expect.objectContaining({ code: 'HEADERS_SENT' }))
    await request.writeBodyAsync('!')
    request.finish('\n')
    expect(response.head).toEqual({ status: '200 OK', headers: 'Content-Type\0text/plain' })
    expect(Buffer.concat(response.chunks).toString('utf8')).toBe('i am foobär!\n')
    expect(request.responseSize).toBe(14)
    const other = memoryRequest()
    other.request.writeRaw('raw')
    await other.request.finishAsync('end')
    expect([other.response.head, other.response.body]).toEqual([undefined, 'rawend'])
  })

  it('are added, looked up, replaced and removed, whatever the case of their names', () => {
    const { request, response } = memoryRequest()
    request.prepareHeaders('200 OK')
    request.addHeader('X-A', '1')
    request.addHeader('Set-Cookie', 'a=1')
    request.addHeader('set-cookie', 'b=2')
    request.addHeader('X-B', '')
    expect([request.getHeader('SET-COOKIE'), request.getHeader('x-b'), request.getHeader('X-C')]).toEqual(['a=1', '', undefined])
    request.replaceHeader('Set-Cookie', 'c=3')
    request.removeHeader('x-a')
    request.removeHeader('X-C')
    expect(request.headers).toEqual([
      ['X-B', ''],
      ['Set-Cookie', 'c=3'],
    ])
    expect(request.headerCount).toBe(2)
    request.finish()
    expect(response.head).toEqual({ status: '200 OK', headers: 'X-B\0\0Set-Cookie\0c=3' })
    expect(request.getHeader('x-b')).toBe('')
  })

  it('stay as they are when a header is refused', () => {
    const { request } = memoryRequest()
    request.addHeader('X-A', '1')
    for (const [name, value] of [
      ['X-A', 'a\r\nSet-Cookie: forged'],
      ['X-A', 'a\0b'],
      ['X-A', '\u20ac'],
      ['X A', 'a'],
      ['', 'a'],
    ] as const) {
      expect(() => request.replaceHeader(name, value)).toThrow(expect.objectContaining({ code: 'APP_RESPONSE' }))
      expect(() => request.addHeader(name, value)).toThrow(expect.objectContaining({ code: 'APP_RESPONSE' }))
    }
    expect(request.headers).toEqual([['X-A', '1']])
  })

  it('have one method each', () => {
    const moment = new Date(Date.UTC(1994, 10, 6, 8, 49, 37, 999))
    const date = 'Sun, 06 Nov 1994 08:49:37 GMT'
    expect(added((request) => request.addContentLength(12))).toBe('Content-Length: 12')
    expect(added((request) => request.addContentType('text/plain'))).toBe('Content-Type: text/plain')
    expect(added((request) => request.addExpires(moment))).toBe(`Expires: ${date}`)
    expect(added((request) => request.addExpires(moment.getTime() / 1000))).toBe(`Expires: ${date}`)
    expect(added((request) => request.addDate(moment))).toBe(`Date: ${date}`)
    expect(added((request) => request.addDate())).toMatch(/^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/)
    expect(added((request) => request.addLastModified(0))).toBe('Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT')
    expect(added((request) => request.addContentRange(0, 99, 100))).toBe('Content-Range: bytes 0-99/100')
    expect(added((request) => request.addContentRange(5, 5))).toBe('Content-Range: bytes 5-5/*')
    expect(added((request) => request.addConnectionClose())).toBe('Connection: close')
  })

  it('refuse numbers and times that are none', () => {
    const { request } = memoryRequest()
    const refused: ((request: WsgiRequest) => void)[] = [
      (it) => it.addContentLength(-1),
      (it) => it.addContentLength(1.5),
      (it) => it.addContentLength(Number.NaN),
      (it) => it.addContentRange(2, 1, 10),
      (it) => it.addContentRange(0, 10, 10),
      (it) => it.addContentRange(-1, 1),
      (it) => it.addExpires(Number.NaN),
      (it) => it.addExpires(Number.POSITIVE_INFINITY),
      (it) => it.addLastModified(new Date('never')),
      (it) => it.addDate(1e12),
    ]
    for (const refuse of refused) expect(() => refuse(request)).toThrow(expect.objectContaining({ code: 'API_ARGUMENT' }))
    expect(request.headers).toEqual([])
  })

  it('cannot be changed after they have been sent', () => {
    const { request } = memoryRequest()
    request.prepareHeaders(200)
    request.writeBody(Buffer.from('x'))
    const changes: ((request: WsgiRequest) => void)[] = [
      (it) => it.prepareHeaders(500),
      (it) => it.setHead('500', ''),
      (it) => it.addHeader('A', 'b'),
      (it) => it.replaceHeader('A', 'b'),
      (it) => it.removeHeader('A'),
      (it) => it.addContentLength(1),
      (it) => it.addContentType('a/b'),
      (it) => it.addExpires(0),
      (it) => it.addDate(0),
      (it) => it.addLastModified(0),
      (it) => it.addContentRange(0, 1),
      (it) => it.addConnectionClose(),
    ]
    for (const change of changes) expect(() => change(request)).toThrow(expect.objectContaining({ code: 'HEADERS_SENT' }))
  })
})

describe('the counters of a request', () => {
  it('tell how large the response is, and how often it could not be written', async () => {
    const { request, response } = memoryRequest({ SERVER_PROTOCOL: 'HTTP/1.1' })
    request.prepareHeaders(200)
    request.addContentType('text/plain')
    request.writeBody(Buffer.from('12345'))
    expect(request.responseSize).toBe(5)
    expect(request.headersSize).toBe('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n'.length)
    expect([request.writeErrors, request.readErrors]).toEqual([0, 0])
    response.clientGone = true
    expect(() => request.writeBody(Buffer.from('x'))).toThrow(/has closed/)
    await expect(request.writeBodyAsync(Buffer.from('x'))).rejects.toThrow(/has closed/)
    expect(request.writeErrors).toBe(2)
  })

  it('tell when it began, and how long its body is', () => {
    const { request } = memoryRequest({}, new WholeBody(Buffer.from('12345')), { startedAt: 1.5 })
    expect(request.startedAt).toBe(performance.timeOrigin + 1.5)
    expect(request.contentLength).toBe(5)
    const before = Date.now()
    expect(memoryRequest().request.startedAt).toBeGreaterThan(before - 1000)
    expect(memoryRequest().request.startedAt).toBeLessThan(Date.now() + 1000)
  })

  it('give the same reader of the body each time', () => {
    const { request } = memoryRequest({}, new WholeBody(Buffer.from('abc')))
    expect(request.input.read(1).toString()).toBe('a')
    expect(request.input.read().toString()).toBe('bc')
  })
})
