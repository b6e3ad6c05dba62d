// ASGI applications on the built program: with one core and with many, by real clients.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Server } from '../support/server.ts'

const service = fileURLToPath(new URL('../apps/python/service', import.meta.url))
const start = (...args: string[]): Promise<Server> =>
  Server.start({
    args: ['--http-socket', '127.0.0.1:0', '--chdir', service, '--module', 'service:app', '--post-buffering', '0', ...args],
  })

describe.each([
  ['one core', []],
  ['a hundred cores', ['--async', '100']],
])('an application in a worker of %s', (_, args) => {
  let server: Server
  beforeAll(async () => {
    server = await start(...args)
  })
  afterAll(async () => {
    expect(await server.stop()).toBe(0)
    expect(server.log).toMatch(/stopped in worker 1 with 3 jobs done/)
  })

  it('has begun its lifespan, once', () => {
    expect(server.log).toMatch(/python: service is an ASGI application with lifespan/)
    expect(server.log.match(/started in worker 1/g)).toHaveLength(1)
  })

  it('answers, through its middleware', async () => {
    const response = await fetch(server.http)
    expect([response.status, await response.text()]).toEqual([200, 'index'])
    expect(response.headers.get('x-seconds')).toMatch(/^0\.\d+$/)
    expect((await fetch(`${server.http}/nowhere`)).status).toBe(404)
  })

  it('reads bodies, small and large', async () => {
    const echoed = await fetch(`${server.http}/echo`, { method: 'POST', body: '{"a": [1, "\u2603"]}' })
    expect(await echoed.json()).toEqual({ a: [1, '\u2603'] })
    const body = Buffer.alloc(9_000_000, 'abcdefg')
    const digest = await fetch(`${server.http}/digest`, { method: 'POST', body })
    expect(await digest.json()).toEqual({ size: body.length, sha: createHash('sha256').update(body).digest('hex') })
  })

  it('streams both ways, piece by piece', async () => {
    const exchange = request(`${server.http}/upper`, { method: 'POST', headers: { 'transfer-encoding': 'chunked' } })
    exchange.write('first ')
    const [response] = await once(exchange, 'response')
    response.setEncoding('utf8')
    const [first] = await once(response, 'data')
    expect(first).toBe('FIRST ')
    exchange.end('and last')
    let rest = ''
    for await (const piece of response) rest += piece
    expect(rest).toBe('AND LAST')
  })

  it('streams more than the client takes at once', async () => {
    const response = await fetch(`${server.http}/large?chunks=64`)
    const body = Buffer.from(await response.arrayBuffer())
    expect(body.length).toBe(64 * 65536)
    expect(body.at(-1)).toBe(63)
  })

  it('learns that the client has gone, while it sends and while it reads', async () => {
    const watching = request(`${server.http}/ticks`).end()
    const [response] = await once(watching, 'response')
    await once(response, 'data')
    watching.destroy()
    await server.logged('the ticks have ended')
    const { port } = new URL(server.http)
    const half = connect(Number(port), '127.0.0.1')
    await once(half, 'connect')
    half.write('POST /waits HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\nbegin')
    await server.logged('waits for a body')
    half.destroy()
    await server.logged('the client has gone while it sent')
  })

  it('goes on with what it has begun after the response', async () => {
    for (const name of ['a', 'b', 'c']) {
      expect((await fetch(`${server.http}/job`, { method: 'POST', body: name })).status).toBe(202)
    }
    const jobs = async () => (await (await fetch(`${server.http}/jobs`)).json()) as string[]
    while ((await jobs()).length < 3);
    expect(await jobs()).toEqual(['a', 'b', 'c'])
  })

  it('is answered 500 when it raises, with the traceback in the log', async () => {
    const response = await fetch(`${server.http}/fails`)
    expect([response.status, await response.text()]).toEqual([500, 'Internal Server Error'])
    await server.logged('LookupError: asked to fail')
    expect(server.log).toMatch(/service\.py", line \d+, in fails/)
    expect(server.log).not.toContain('<polywsgi>')
  })

  it('may call functions of its own thread', async () => {
    expect(await (await fetch(`${server.http}/rpc`)).text()).toBe('answer to plain')
  })
})

it('fifty requests of one worker sleep at the same time', async () => {
  await using server = await start('--async', '100')
  const answers = await Promise.all(
    Array.from({ length: 50 }, async () => await (await fetch(`${server.http}/sleep?together=50`)).text()),
  )
  expect(new Set(answers)).toEqual(new Set(['one of 50']))
})

it('a request that overruns its deadline is cancelled, and others go on', async () => {
  await using server = await start('--async', '10', '--harakiri', '1')
  const response = await fetch(`${server.http}/overruns`)
  expect(response.status).toBe(504)
  await server.logged('cancelled: the request is given up: it took longer, or more CPU time, than it may')
  expect(await (await fetch(server.http)).text()).toBe('index')
})

it('a startup that fails is in the log with its message', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'polywsgi-asgi-'))
  writeFileSync(
    join(folder, 'app.py'),
    'async def application(scope, receive, send):\n    await receive()\n    await send({"type": "lifespan.startup.failed", "message": "no database"})\n',
  )
  await using server = Server.spawn({ args: ['--http-socket', '127.0.0.1:0', '--wsgi-file', join(folder, 'app.py')] })
  await server.logged('its startup failed: StartupFailed: no database')
  rmSync(folder, { recursive: true })
})

it('the example serves its clock', async () => {
  const example = fileURLToPath(new URL('../../examples/asgi', import.meta.url))
  const folder = mkdtempSync(join(tmpdir(), 'polywsgi-example-'))
  // The example's own file, but for the port, which may be taken on the machine that runs the tests.
  const ini = readFileSync(join(example, 'polywsgi.ini'), 'utf8')
  writeFileSync(join(folder, 'polywsgi.ini'), ini.replace('127.0.0.1:8080', '127.0.0.1:0').replaceAll('%d', `${example}/`))
  await using server = await Server.start({ args: [join(folder, 'polywsgi.ini')] })
  const { stdout } = spawnSync('curl', ['-sN', `${server.http}/clock?5`], { encoding: 'utf8' })
  expect(stdout.match(/id: \d\ndata: \d\d:\d\d:\d\d\n\n/g)).toHaveLength(5)
  const slow = await Promise.all(Array.from({ length: 20 }, async () => (await fetch(`${server.http}/slow`)).text()))
  expect(new Set(slow)).toEqual(new Set(['that took half a second\n']))
  expect(await (await fetch(`${server.http}/visitors`)).json()).toMatchObject({ watching: 0 })
  expect((await fetch(`${server.http}/else`)).status).toBe(404)
  expect(await server.stop()).toBe(0)
  expect(server.log).toContain('the last of the visitors has gone')
  rmSync(folder, { recursive: true })
})
