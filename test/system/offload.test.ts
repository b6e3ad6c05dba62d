// Responses that the master sends: the worker is free at once, whatever the client does, and each engine's bytes arrive.
import { randomBytes } from 'node:crypto'
import { renameSync, truncateSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { createHost } from 'polywsgi'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FileTree } from '../support/file-tree.ts'
import { Server } from '../support/server.ts'
import { getVars, openUwsgi, readToEnd, uwsgiPacket, uwsgiRequest } from '../support/uwsgi-client.ts'

const plugin = fileURLToPath(new URL('../apps/offload/plugin.mjs', import.meta.url))
const start = (...args: string[]): Promise<Server> =>
  Server.start({
    args: [
      ...['--http-socket', '127.0.0.1:0', '--socket', '127.0.0.1:0', '--http-socket-modifier1', '250', '--plugin', plugin],
      ...['--workers', '1', ...args],
    ],
  })

/** More than the buffers of both sides of a connection take. */
const largeSize = 40 * 1024 * 1024

/** Sends a request on a connection that is not read from. */
const begin = async (server: Server, protocol: 'http' | 'uwsgi', path: string): Promise<Socket> => {
  if (protocol === 'uwsgi') {
    const socket = await openUwsgi(server.uwsgi)
    socket.pause().on('error', () => {})
    socket.write(uwsgiPacket(getVars(path), 250))
    return socket
  }
  const { hostname, port } = new URL(server.http)
  const socket = connect(Number(port), hostname)
  socket.pause().on('error', () => {})
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
  return socket
}

const readBody = async (socket: Socket): Promise<Buffer> => {
  const answer = Buffer.from(await readToEnd(socket), 'latin1')
  return answer.subarray(answer.indexOf('\r\n\r\n') + 4)
}

describe.each(['http', 'uwsgi'] as const)('over %s', (protocol) => {
  let server: Server
  let tree: FileTree
  let large: string
  const contents = randomBytes(largeSize)
  beforeAll(async () => {
    tree = new FileTree()
    large = tree.file('large.bin', contents)
    server = await start()
  })
  afterAll(async () => {
    expect(await server.stop()).toBe(0)
    tree[Symbol.dispose]()
  })

  const quick = async (): Promise<string> =>
    protocol === 'http'
      ? await (await fetch(`${server.http}/quick`)).text()
      : ((await uwsgiRequest(server.uwsgi, getVars('/quick'), undefined, 250)).split('\r\n\r\n')[1] ?? '')

  it('the only worker answers others while a client does not read its file, which then arrives whole', async () => {
    const slow = await begin(server, protocol, `/file?${large}`)
    await server.logged(/GET \/file.*via offload\(\)/)
    expect(server.log).toContain('after /file\n')
    expect(await tree.openIn(server.pid)).toEqual([large])
    for (let round = 0; round < 5; round += 1) expect(await quick()).toBe('quick')
    expect(tree.openedBy(server.pid)).toEqual([large])
    expect((await readBody(slow)).equals(contents)).toBe(true)
    await tree.closedBy(server.pid)
  })

  it('leaves no file open when the client leaves in the middle', async () => {
    const lines = server.log.split('via offload()').length
    const clients = await Promise.all(Array.from({ length: 10 }, () => begin(server, protocol, `/file?${large}`)))
    await server.logged('via offload()', lines - 1 + clients.length)
    for (const client of clients) client.destroy()
    await tree.closedBy(server.pid)
    expect(await quick()).toBe('quick')
  })

  it('cuts the connection when the file is cut meanwhile', async () => {
    const path = tree.file('cut.bin', contents)
    const slow = await begin(server, protocol, `/file?${path}`)
    await server.logged(`GET /file?${path}`)
    await tree.openIn(server.pid)
    truncateSync(path, 1024)
    const body = await readBody(slow)
    expect(body.length).toBeLessThan(largeSize)
    expect(body.equals(contents.subarray(0, body.length))).toBe(true)
    await server.logged(`${path}: the file was cut to `)
    await tree.closedBy(server.pid)
  })

  it('sends a file as it was when it was opened, though it is replaced and its worker dies', async () => {
    const path = tree.file('old.bin', contents)
    const slow = await begin(server, protocol, `/file?${path}`)
    await tree.openIn(server.pid)
    renameSync(tree.file('new.bin', 'new'), path)
    const died = await readToEnd(await begin(server, protocol, '/die'))
    expect(died).toMatch(/^HTTP\/1\.1 500/)
    expect((await readBody(slow)).equals(contents)).toBe(true)
    expect((await readBody(await begin(server, protocol, `/file?${path}`))).toString()).toBe('new')
  })

  it('sends memory of any size, moved from the worker', async () => {
    for (const size of [0, 1, 1000, 70_000, 20_000_000]) {
      const body = await readBody(await begin(server, protocol, `/memory?${size}`))
      expect(body.equals(Buffer.alloc(size, 'm'))).toBe(true)
    }
    expect(server.log).toContain('left 0 bytes, offloaded true, again false')
  })

  it('frees the worker of memory that a client does not read', async () => {
    const slow = await begin(server, protocol, '/memory?30000000')
    await server.logged('GET /memory?30000000')
    expect(await quick()).toBe('quick')
    expect((await readBody(slow)).length).toBe(30_000_000)
  })
})

describe('the engines', () => {
  let server: Server
  let tree: FileTree
  beforeAll(async () => {
    tree = new FileTree()
    server = await start()
  })
  afterAll(async () => {
    expect(await server.stop()).toBe(0)
    tree[Symbol.dispose]()
  })
  const ask = async (path: string, headers: Record<string, string> = {}): Promise<Response> =>
    await fetch(`${server.http}${path}`, { headers })

  it('send a file with all that is to be said of it, whole or in part', async () => {
    const path = tree.file('page.html', '0123456789')
    const whole = await ask(`/file?${path}`)
    expect([whole.status, whole.headers.get('content-type'), whole.headers.get('content-length')]).toEqual([
      200,
      'text/html',
      '10',
    ])
    expect(await whole.text()).toBe('0123456789')
    const lastModified = whole.headers.get('last-modified') as string
    expect((await ask(`/file?${path}`, { 'If-Modified-Since': lastModified })).status).toBe(304)
    const range = await ask(`/file?${path}`, { Range: 'bytes=2-4', 'If-Range': lastModified })
    expect([range.status, range.headers.get('content-range'), await range.text()]).toEqual([206, 'bytes 2-4/10', '234'])
    expect((await ask(`/file?${path}`, { Range: 'bytes=10-' })).status).toBe(416)
    // A part that the app chose is not the client's to cut again.
    expect(await (await ask(`/part?${path},3,4`, { Range: 'bytes=0-0' })).text()).toBe('3456')
    const page = await ask(`/page?${path}`, { 'If-Modified-Since': lastModified })
    expect([page.status, page.headers.get('x-own'), await page.text()]).toEqual([404, 'yes', '0123456789'])
    expect((await ask(`/typed?${path}`)).headers.get('content-type')).toBe('application/x-own')
    expect(await (await ask(`/after-begin?${path}`)).text()).toBe('first|0123456789')
    const head = await fetch(`${server.http}/file?${path}`, { method: 'HEAD' })
    expect([head.headers.get('content-length'), await head.text()]).toEqual(['10', ''])
  })

  it('refuse a file that is not there, is none, or lies elsewhere', async () => {
    const path = tree.file('inside/a.txt')
    const link = tree.link('inside/link.txt', '/etc/passwd')
    const inside = `${tree.root}/inside`
    const said = async (file: string): Promise<string> => await (await ask(`/refused?${file},${inside}`)).text()
    expect(await said(path)).toBe('inside/a.txt')
    expect(await said(link)).toContain('API_REFUSED: the file')
    expect(await said(`${inside}/../../../etc/passwd`)).toMatch(/^API_(REFUSED|IO)/)
    expect(await said(`${inside}/none`)).toContain('API_IO: there is no file')
    expect(await said(inside)).toContain('is no regular file')
    expect(await said('')).toContain('is no path of a file')
  })

  it('transfer what another server answers, as a response or as a body, and give it up in time', async () => {
    const peer = createServer((socket) => {
      socket.once('data', (line) => {
        const asked = line.toString()
        if (asked === 'raw\n') socket.end('HTTP/1.1 202 Accepted\r\nX-Peer: yes\r\nContent-Length: 4\r\n\r\npeer')
        else if (asked === 'body\n') socket.write('of the ', () => socket.end('peer'))
      })
      socket.on('error', () => {})
    })
    await new Promise<void>((resolve) => peer.listen(0, '127.0.0.1', resolve))
    const address = `127.0.0.1:${(peer.address() as { port: number }).port}`
    try {
      const raw = await ask(`/net?${address}`)
      expect([raw.status, raw.headers.get('x-peer'), await raw.text()]).toEqual([202, 'yes', 'peer'])
      expect(await (await ask(`/net-body?${address}`)).text()).toBe('of the peer')
      // Each is given away before the request that has opened it ends.
      const piped = Array.from({ length: 100 }, async () => await (await ask(`/pipe?${address}`)).text())
      expect(new Set(await Promise.all(piped))).toEqual(new Set(['of the peer']))
      expect(await uwsgiRequest(server.uwsgi, getVars(`/net?${address}`), undefined, 250)).toMatch(/^HTTP\/1\.1 202[\s\S]*peer$/)
      expect((await ask(`/silent?${address}`)).status).toBe(504)
      await server.logged('nothing came in 0.1 seconds')
    } finally {
      peer.close()
    }
    expect((await ask('/net?/nowhere/socket')).status).toBe(503)
    await server.logged('unable to connect to /nowhere/socket')
  })

  it('send the answer of an RPC function under the head that was set', async () => {
    const answer = await ask('/rpc?upper,hello')
    expect([answer.status, answer.headers.get('x-own'), await answer.text()]).toEqual([201, 'yes', 'HELLO'])
    expect(answer.headers.get('content-length')).toBe('5')
    expect((await ask('/rpc?nobody')).status).toBe(500)
    await server.logged("there is no rpc function 'nobody'")
  })
})

it('a client that takes nothing of a file is given up after http-timeout', async () => {
  using tree = new FileTree()
  const path = tree.file('large.bin', Buffer.alloc(largeSize))
  await using server = await start('--http-timeout', '1')
  const stalled = await begin(server, 'http', `/file?${path}`)
  await server.logged('the client took nothing of its response in 1 s, connection closed')
  await tree.closedBy(server.pid)
  stalled.destroy()
})

it('a stop waits for a file that is on its way', async () => {
  using tree = new FileTree()
  const contents = randomBytes(largeSize)
  const path = tree.file('large.bin', contents)
  await using server = await start()
  const slow = await begin(server, 'http', `/file?${path}`)
  await server.logged('via offload()')
  server.kill('SIGTERM')
  expect((await readBody(slow)).equals(contents)).toBe(true)
  expect(await server.exited()).toBe(0)
})

it('is counted, and goes to an embedding program too', async () => {
  using tree = new FileTree()
  const contents = randomBytes(1_000_000)
  const path = tree.file('a.bin', contents)
  await using host = await createHost({
    plugin: [plugin],
    needApp: false,
    httpSocketModifier1: 250,
    workers: 1,
    enableMetrics: true,
    disableLogging: true,
    staticMap: [`/files=${tree.root}`],
  })
  for (const url of [`http://x/file?${path}`, 'http://x/files/a.bin']) {
    const response = await host.fetch(new Request(url))
    expect(response.headers.get('content-length')).toBe(String(contents.length))
    expect(Buffer.from(await response.arrayBuffer()).equals(contents)).toBe(true)
  }
  const left = await host.fetch(new Request(`http://x/file?${path}`))
  await left.body?.cancel()
  await tree.closedBy(process.pid)
  const { workers, static_requests, metrics } = host.stats()
  expect([workers[0]?.offloaded_requests, workers[0]?.requests, static_requests]).toEqual([2, 2, 1])
  expect(metrics['worker.1.core.0.offloaded_requests']?.value).toBe(2)
})
