// A plugin of a third party in the running program: the members of its request, the bodies it reads, and the servers it asks,
// over both protocols.
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeWithPeers } from '../support/peers.ts'
import { RealUwsgi } from '../support/real-uwsgi.ts'
import { Server } from '../support/server.ts'
import { getVars, uwsgiRequest } from '../support/uwsgi-client.ts'

const apps = fileURLToPath(new URL('../apps/system', import.meta.url))

const start = async (...args: string[]): Promise<Server> =>
  await Server.start({
    args: [
      ...['--http-socket', '127.0.0.1:0', '--socket', '127.0.0.1:0', '--http-socket-modifier1', '250'],
      ...['--plugin', `${apps}/request-plugin.mjs`, ...args],
    ],
  })

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

interface Question {
  readonly headers?: Record<string, string>
  readonly body?: Uint8Array
}

/** The two doors to a server, as one client each. */
const doors = ['http', 'uwsgi'] as const
const ask = async (server: Server, door: (typeof doors)[number], path: string, question: Question = {}): Promise<Answer> => {
  const { headers = {}, body } = question
  if (door === 'http') {
    const response = await fetch(
      server.http + path,
      body === undefined ? { headers } : { headers, method: 'POST', body: new Uint8Array(body) },
    )
    return { status: response.status, headers: response.headers, body: await response.text() }
  }
  const vars: Record<string, string> = { ...getVars(path), REQUEST_METHOD: body === undefined ? 'GET' : 'POST' }
  for (const [name, value] of Object.entries(headers)) vars[`HTTP_${name.toUpperCase().replaceAll('-', '_')}`] = value
  const [head = '', text = ''] = (await uwsgiRequest(server.uwsgi, vars, body, 250)).split(/\r\n\r\n(.*)/s)
  const [statusLine = '', ...lines] = head.split('\r\n')
  const pairs = lines.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string])
  return { status: Number(statusLine.split(' ')[1]), headers: new Headers(pairs), body: text }
}

/** A server on a free port whose connections wait for the test. */
const upstreamOf = async (serve: (socket: Socket) => void) => {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    serve(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  return { to: `to=127.0.0.1:${port}`, address: `127.0.0.1:${port}`, close: () => server.close() }
}

describe.each(doors)('a plugin behind %s', (door) => {
  let server: Server
  let streaming: Server
  beforeAll(async () => {
    server = await start('--async', '2', '--workers', '1', '--socket-timeout', '1')
    streaming = await start('--post-buffering', '0')
  })
  afterAll(async () => {
    expect(await server.stop()).toBe(0)
    expect(await streaming.stop()).toBe(0)
  })

  it('knows its request by names, and changes its variables', async () => {
    const headers = { Cookie: 'a=1; b=two', Range: 'bytes=0-4', 'User-Agent': 'tester' }
    const { body } = await ask(server, door, '/members?x=1', { headers })
    expect(JSON.parse(body)).toMatchObject({
      ...{ method: 'GET', uri: '/members?x=1', pathInfo: '/members', queryString: 'x=1', protocol: 'HTTP/1.1' },
      ...{ contentType: '', contentLength: 0, remoteAddr: '127.0.0.1', userAgent: 'tester', range: 'bytes=0-4', scheme: 'http' },
      ...{ cookie: 'two', mine: 'set', hostNow: '', isNow: true },
    })
    expect(JSON.parse(body).host).toMatch(/^(?:127\.0\.0\.1|localhost)/)
  })

  it('answers 200 when it says nothing else', async () => {
    const { status, headers, body } = await ask(server, door, '/foobar')
    expect([status, headers.get('content-type'), body]).toEqual([200, 'text/plain', 'i am foobar'])
  })

  it('makes the head of its response', async () => {
    const { status, headers, body } = await ask(server, door, '/head')
    expect([status, body]).toEqual([206, '12345'])
    expect(headers.get('content-range')).toBe('bytes 0-4/10')
    expect(headers.get('last-modified')).toBe('Thu, 01 Jan 1970 00:00:00 GMT')
    expect([headers.get('x-gone'), headers.get('x-kept'), headers.get('x-late')]).toEqual([null, '2', null])
    await server.logged('after the head: HEADERS_SENT')
  })

  it.each([
    ['a small body', 1000],
    ['one in a file', 3 * 1024 * 1024],
  ])('reads %s', async (_, size) => {
    const body = Buffer.alloc(size, 'abcdefg')
    body[20] = 10
    const parked = await ask(server, door, '/body', { body })
    expect(parked.body).toBe(`21 10 5 ${size - 36} ${size} cde`)
    expect((await ask(server, door, '/body-async', { body })).body).toBe(`21 10 ${size - 31} 0`)
    const arriving = await ask(streaming, door, '/body', { body })
    // What has come with the request can seek in any case.
    expect(arriving.body).toMatch(size > 65_536 ? /^21 10 [1-5] \d+ \d+ no$/ : /^21 10 [1-5] \d+ \d+ (?:no|cde)$/)
    const [, , third = 0, rest = 0, position] = arriving.body.split(' ').map(Number)
    expect([31 + third + rest, position]).toEqual([size, size])
    expect((await ask(streaming, door, '/body-async', { body })).body).toBe(`21 10 ${size - 31} 0`)
  })

  it('is told of a body larger than its limit', async () => {
    const body = Buffer.alloc(101)
    for (const place of [server, streaming]) {
      expect((await ask(place, door, '/body-limit', { body })).body).toBe(
        'PolywsgiError API_REFUSED the rest of the body is longer than the limit of 100 bytes',
      )
      expect((await ask(place, door, '/body-limit', { body: body.subarray(1) })).body).toBe('100')
    }
  })

  it('passes a request on while its worker answers another', async () => {
    let open = (): void => {}
    const upstream = await upstreamOf((socket) => (open = () => void socket.end('open\n')))
    const held = ask(server, door, `/hold?${upstream.to}`)
    await server.logged('holding')
    // One worker: it is the same that holds the first.
    expect((await ask(server, door, '/free')).body).toBe('free')
    expect((await ask(server, door, '/members?x')).status).toBe(200)
    open()
    expect((await held).body).toBe('open\n')
    upstream.close()
  })

  it('waits for silent servers as long as the option socket-timeout says', async () => {
    const upstream = await upstreamOf(() => {})
    const { body } = await ask(server, door, `/silent?${upstream.to}`)
    expect(body).toBe(`true true TimeoutError API_IO ${upstream.address}: was silent for 1 second`)
    upstream.close()
  })

  it('keeps a request out of the log and the counters', async () => {
    const total = () => [...server.log.matchAll(/req: -?\d+\/(\d+)\]/g)].map((match) => Number(match[1])).at(-1) as number
    const lines = () => server.log.split('/free').length
    const before = lines()
    await ask(server, door, '/free')
    await server.logged('/free', before)
    const first = total()
    await ask(server, door, '/quiet')
    // Nor are health checks of the protocol.
    expect(await uwsgiRequest(server.uwsgi, {}, undefined, 100)).toBe('d\0\0\x01')
    await ask(server, door, '/free')
    await server.logged('/free', before + 1)
    expect(total()).toBe(first + 1)
    expect(server.log).not.toContain('/quiet')
  })
})

describe('a plugin of a server that logs no requests', () => {
  it('has its request logged all the same', async () => {
    await using server = await start('--disable-logging')
    await ask(server, 'http', '/free')
    await ask(server, 'http', '/loud')
    await server.logged('GET /loud')
    expect(server.log).not.toContain('/free')
  })
})

describeWithPeers('a plugin before real uWSGI', ['uwsgi'], () => {
  let real: RealUwsgi
  let server: Server
  beforeAll(async () => {
    real = await RealUwsgi.start('--plugin', 'python3,ping', '--buffer-size', '65535', '--wsgi-file', `${apps}/upstream.py`)
    server = await start('--post-buffering', '0')
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await real[Symbol.asyncDispose]()
  })

  it.each(doors)('passes requests on to it, bodies and answers of any size with them (%s)', async (door) => {
    const to = `to=${encodeURIComponent(real.address)}`
    const body = Buffer.alloc(2 * 1024 * 1024, 'body')
    const answer = await ask(server, door, `/proxy?${to}`, { body, headers: { 'X-Mine': 'yes' } })
    expect([answer.status, answer.headers.get('x-said')]).toEqual([201, 'yes'])
    expect(answer.body.length).toBe(body.length)
    expect(answer.body === body.toString('latin1')).toBe(true)
  })

  it('serves as the example of the documentation does', async () => {
    const page = readFileSync(fileURLToPath(new URL('../../docs/plugin-sockets.md', import.meta.url)), 'utf8')
    const program = (/```js\n(.*?)```/s.exec(page)?.[1] ?? '')
      .replace("'127.0.0.1:3032'", JSON.stringify(real.address))
      .replace(/'(polywsgi\/\w+)'/g, (_, name: string) => JSON.stringify(import.meta.resolve(name)))
    const folder = mkdtempSync(join(tmpdir(), 'polywsgi-example-'))
    const file = join(folder, 'gate.mjs')
    writeFileSync(file, program)
    try {
      await using server = await Server.start({
        args: ['--http-socket', '127.0.0.1:0', '--http-socket-modifier1', '250', '--async', '2', '--plugin', file],
      })
      const answer = await ask(server, 'http', '/', { body: Buffer.from('all of it'), headers: { 'X-Mine': 'me' } })
      expect([answer.status, answer.headers.get('x-said'), answer.body]).toEqual([201, 'me', 'all of it'])
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('reads the packet that it answers', async () => {
    const { body } = await ask(server, 'http', `/ask?to=${encodeURIComponent(real.address)}`)
    expect(body).toBe('100 1 0')
  })
})

describeWithPeers('headers of all responses', ['uwsgi'], () => {
  it('are those of real uWSGI with the same options', async () => {
    const options = [
      '--add-header',
      'X-A: one',
      '--add-header',
      'X-Both: forced',
      '--rem-header',
      'X-B',
      '--del-header',
      'x-both',
    ]
    const file = `${apps}/headers.py`
    await using real = await RealUwsgi.start('--plugin', 'python3', '--wsgi-file', file, ...options)
    await using server = await Server.start({ args: ['--socket', '127.0.0.1:0', '--wsgi-file', file, ...options] })
    const expected = await uwsgiRequest(real.address, getVars('/'))
    expect(expected).toContain('X-A: app\r\nX-A: one\r\nX-Both: forced\r\n')
    expect(await uwsgiRequest(server.uwsgi, getVars('/'))).toBe(expected)
    const size = expected.length - 'body'.length
    await server.logged(`generated 4 bytes in`)
    expect(server.log).toMatch(new RegExp(`4 headers in ${size} bytes`))
  })

  it('are told at the start when they are none', async () => {
    await using server = Server.spawn({ args: ['--http-socket', '127.0.0.1:0', '--add-header', 'nothing'] })
    expect(await server.exited()).toBe(2)
    expect(server.log).toContain('add-header = nothing: write a name, a colon and a value')
  })
})
