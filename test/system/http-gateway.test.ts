// HTTP sockets of the running program, driven by raw connections and by Node's own client.
import { once } from 'node:events'
import { Agent, request as httpRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Gate, startProbe } from '../support/probe.ts'
import type { Server } from '../support/server.ts'
import { readToEnd } from '../support/uwsgi-client.ts'

describe('an HTTP socket', () => {
  let server: Server
  beforeAll(async () => {
    server = await startProbe('--limit-post', '3000000', '--post-buffering', '100000', '--buffer-size', '16000')
  })
  afterAll(async () => {
    expect(await server.stop()).toBe(0)
  })

  const open = async (): Promise<Socket> => {
    const { hostname, port } = new URL(server.http)
    const socket = connect(Number(port), hostname)
    await once(socket, 'connect')
    return socket
  }
  /** Sends raw text and returns everything until the server closes. */
  const raw = async (text: string): Promise<string> => {
    const socket = await open()
    socket.write(text, 'latin1')
    return await readToEnd(socket)
  }

  it('keeps connections alive by default', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ports = new Set<number | undefined>()
    for (let n = 0; n < 5; n += 1) {
      const request = httpRequest(`${server.http}/worker`, { agent })
      request.end()
      const [response] = await once(request, 'response')
      ports.add(response.socket.localPort)
      response.resume()
      await once(response, 'end')
    }
    agent.destroy()
    expect(ports.size).toBe(1)
  })

  it('answers requests that were sent one behind the other without waiting, in order', async () => {
    const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`
    const text = await raw(
      get('/status?201%20First') + get('/status?202%20Second') + get('/status?203%20Third', 'Connection: close\r\n'),
    )
    expect(text.match(/HTTP\/1\.1 \d+ \w+/g)).toEqual(['HTTP/1.1 201 First', 'HTTP/1.1 202 Second', 'HTTP/1.1 203 Third'])
  })

  it('passes the request on as the variables that a front end sends', async () => {
    const response = await fetch(`${server.http}/vars?a=1&b=%20`, { headers: { 'X-Thing': 'v', Cookie: 'c=d' } })
    const vars = new Map((await response.text()).split('\n').map((line) => line.split(/=(.*)/s) as [string, string]))
    const { host, port } = new URL(server.http)
    expect(Object.fromEntries(vars)).toMatchObject({
      REQUEST_METHOD: 'GET',
      REQUEST_URI: '/vars?a=1&b=%20',
      PATH_INFO: '/vars',
      QUERY_STRING: 'a=1&b=%20',
      SERVER_PROTOCOL: 'HTTP/1.1',
      REQUEST_SCHEME: 'http',
      REMOTE_ADDR: '127.0.0.1',
      SERVER_PORT: port,
      HTTP_HOST: host,
      HTTP_X_THING: 'v',
      HTTP_COOKIE: 'c=d',
    })
  })

  it('tells the length of a body that is known, and streams one that is not', async () => {
    const whole = await fetch(`${server.http}/worker`)
    expect(whole.headers.get('content-length')).toBe('1')
    await whole.text()
    const streamed = await fetch(`${server.http}/download?1`)
    expect(streamed.headers.get('content-length')).toBeNull()
    expect(streamed.headers.get('transfer-encoding')).toBe('chunked')
    expect((await streamed.bytes()).length).toBe(1024 * 1024)
  })

  it('sends a chunk on when the app writes it, not when the response is complete', async () => {
    using gate = new Gate()
    const response = await fetch(`${server.http}/two-chunks?${gate.query}`)
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    expect((await reader.read()).value).toBe('first\n')
    gate.open()
    expect((await reader.read()).value).toBe('second\n')
  })

  it('answers HEAD without a body but with its length', async () => {
    const text = await raw('HEAD /worker HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(text).toContain('Content-Length: 1\r\n')
    expect(text).toMatch(/\r\n\r\n$/)
  })

  it('decodes chunked bodies and tells the app their length', async () => {
    const body =
      'POST /count HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'
    expect(await raw(body)).toMatch(/5 of 5$/)
  })

  it.each([0, 1, 60_000, 70_000, 150_000, 2_900_000])('carries a body of %i bytes through, byte for byte', async (length) => {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 7) & 255)
    const response = await fetch(`${server.http}/echo`, { method: 'POST', body: bytes })
    expect(Buffer.compare(await response.bytes(), bytes)).toBe(0)
    const asynchronous = await fetch(`${server.http}/count-async`, { method: 'POST', body: bytes })
    expect(await asynchronous.text()).toBe(`${length} of ${length}`)
  })

  it('says 100 Continue to a client that waits for it', async () => {
    const socket = await open()
    socket.write('POST /count HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n')
    const [first] = await once(socket, 'data')
    expect(String(first)).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    socket.write('abc')
    expect(await readToEnd(socket)).toMatch(/3 of 3$/)
  })

  it('answers 413 to a body past limit-post, announced or not, and to one that waits for 100 Continue', async () => {
    const head = 'POST /count HTTP/1.1\r\nHost: a\r\n'
    expect(await raw(`${head}Content-Length: 3000001\r\n\r\n`)).toMatch(/^HTTP\/1\.1 413 /)
    expect(await raw(`${head}Expect: 100-continue\r\nContent-Length: 3000001\r\n\r\n`)).toMatch(/^HTTP\/1\.1 413 /)
    const chunk = `${(100_000).toString(16)}\r\n${'x'.repeat(100_000)}\r\n`
    expect(await raw(`${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(31)}`)).toMatch(/^HTTP\/1\.1 413 /)
  })

  it('answers 431 to a head past buffer-size, and goes on', async () => {
    expect(await raw(`GET /worker HTTP/1.1\r\nHost: a\r\nX-Large: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /)
    expect(await (await fetch(`${server.http}/worker`)).text()).toBe('1')
  })

  it('answers 431 to a chunked request whose variables do not fit, once its body is there', async () => {
    const path = `/${'p'.repeat(7990)}`
    const text = `POST ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`
    expect(await raw(text)).toMatch(/^HTTP\/1\.1 431 /)
    expect(await (await fetch(`${server.http}/worker`)).text()).toBe('1')
  })

  it.each([
    ['a request line that is none', 'NONSENSE\r\n\r\n'],
    ['a header without a colon', 'GET / HTTP/1.1\r\nHost: a\r\nbroken\r\n\r\n'],
    ['two lengths that differ', 'POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    [
      'a length and chunks, as smugglers send',
      'POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a NUL in the path', 'GET /a%00b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
  ])('answers 400 to %s', async (_, text) => {
    expect(await raw(text)).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
  })

  it.each([
    ['/throw', 500],
    ['/nothing', 500],
    ['/no-such-action', 404],
    ['/status?299', 299],
    ['/status?20', 500],
  ])('answers %s with %i', async (path, status) => {
    const response = await fetch(server.http + path)
    await response.text()
    expect(response.status).toBe(status)
  })

  it('calls a plugin again that returns 1', async () => {
    expect(await (await fetch(`${server.http}/again`)).text()).toBe('called 3 times')
  })

  it('cuts the connection when an app fails in the middle of its response, so that nobody takes it for whole', async () => {
    const response = await fetch(`${server.http}/throw-later`)
    expect(response.status).toBe(200)
    await expect(response.text()).rejects.toThrow()
    await server.logged('thrown in the middle')
  })

  it('drops hop-by-hop headers of the app, and cuts a response that is shorter than it promised', async () => {
    const headers = encodeURIComponent('Transfer-Encoding|chunked|Keep-Alive|x|X-Own|kept')
    const response = await fetch(`${server.http}/headers?${headers}`)
    expect(await response.text()).toBe('12345')
    expect(response.headers.get('transfer-encoding')).toBeNull()
    expect(response.headers.get('x-own')).toBe('kept')
    const short = await fetch(`${server.http}/headers?${encodeURIComponent('Content-Length|9')}`)
    await expect(short.text()).rejects.toThrow()
    const long = await fetch(`${server.http}/headers?${encodeURIComponent('Content-Length|3')}`)
    expect(await long.text()).toBe('123')
  })

  it('refuses a header that would forge another, and names it in the log', async () => {
    const response = await fetch(`${server.http}/headers?${encodeURIComponent('X-A|b\r\nSet-Cookie: c')}`)
    expect(response.status).toBe(500)
    await server.logged('the value of header X-A holds a character that HTTP does not allow')
  })

  it('notices a client that goes away in the middle of a response', async () => {
    const socket = await open()
    socket.write('GET /until-gone HTTP/1.1\r\nHost: a\r\n\r\n')
    await once(socket, 'data')
    socket.destroy()
    await server.logged('noticed: CLIENT_GONE')
  })
})
