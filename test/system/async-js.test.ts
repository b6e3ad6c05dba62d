// JavaScript handlers that wait, in one worker of a real server: all at once, each for its own request and with its own
// connection.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HoldingPeer } from '../support/holding-peer.ts'
import { Server } from '../support/server.ts'

const cores = 150

const app = (port: number): string => `
import uwsgi, { promises } from 'uwsgi'
const story = []
const peer = '127.0.0.1:${port}'
const gate = Promise.withResolvers()
gate.promise.then(() => { try { story.push('fd ' + uwsgi.connectionFd()) } catch (error) { story.push(error.message) } })
const ways = {
  // Functions that wait, as promises.
  async promises(path) {
    const fd = await promises.connect(peer)
    await promises.send(fd, path)
    return await promises.recv(fd, 4096)
  },
  // What the request registers, and then gives way for.
  async registered(path) {
    const fd = await promises.asyncConnect(peer)
    uwsgi.waitFdWrite(fd, 30)
    await uwsgi.suspend()
    await promises.send(fd, path)
    uwsgi.waitFdRead(fd, 30)
    await uwsgi.suspend()
    if (uwsgi.readyFd() !== fd) return 'not ready: ' + uwsgi.readyFd()
    return await promises.recv(fd, 4096)
  },
}
export default async (request) => {
  const { pathname } = new URL(request.url)
  const [, way] = pathname.split('/')
  if (way === 'open') gate.resolve()
  if (way === 'open') return new Response('')
  if (way === 'story') return new Response(story.join('; '))
  if (way === 'hang') {
    request.signal.addEventListener('abort', () => story.push(pathname + ' ' + request.signal.reason.name))
    if (pathname === '/hang/long') uwsgi.setUserHarakiri(1)
    try { await ways.promises(pathname) } catch (error) { story.push(pathname + ' ' + error.code); throw error }
  }
  const core = uwsgi.asyncId()
  const answer = await ways[way](pathname)
  uwsgi.setLogvar('way', way)
  return new Response(answer + (uwsgi.asyncId() === core && uwsgi.getLogvar('way').toString() === way ? '' : ' of another request'))
}
`

describe(`a worker with ${cores} cores`, () => {
  let directory: string
  let server: Server
  let peer: HoldingPeer

  beforeAll(async () => {
    peer = await HoldingPeer.start()
    directory = mkdtempSync(join(tmpdir(), 'polywsgi-async-js-'))
    writeFileSync(join(directory, 'app.js'), app(peer.port))
    const args = [
      '--http-socket',
      '127.0.0.1:0',
      '--async',
      String(cores),
      '--socket-timeout',
      '600',
      '--mount',
      `/=${directory}/app.js`,
    ]
    server = await Server.start({ args })
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await peer[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true, force: true })
  })

  const text = async (path: string): Promise<string> => (await fetch(server.http + path)).text()

  it.each(['promises', 'registered'])('serves as many at once, each with its own answer: %s', async (way) => {
    const paths = Array.from({ length: cores }, (_, index) => `/${way}/${index}`)
    const answers = Promise.all(paths.map(text))
    // Nobody is answered before all have asked.
    await peer.holds(...paths)
    peer.release(paths)
    expect(await answers).toEqual(paths.map((path) => `answer to ${path}`))
  })

  it('tells a handler by its signal that its client has left', async () => {
    const { hostname, port } = new URL(server.http)
    const client = connect(Number(port), hostname)
    client.write('GET /hang/left HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await peer.holds('/hang/left')
    client.destroy()
    await expect.poll(() => text('/story')).toContain('/hang/left AbortError')
  })

  it('runs what no request has begun for none, though a request sets it going', async () => {
    await text('/open')
    await expect.poll(() => text('/story')).toContain('uwsgi.connectionFd(): there is no request at the moment')
  })

  it('gives up one that takes too long, and serves the others', async () => {
    const { status } = await fetch(`${server.http}/hang/long`)
    expect(status).toBe(504)
    await expect.poll(() => text('/story')).toContain('/hang/long TimeoutError; /hang/long HARAKIRI')
    expect(server.log).toContain('HARAKIRI')
    expect(server.log).not.toContain('unhandled')
  })
})
