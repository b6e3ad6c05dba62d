// Python handlers that wait, deep in plain code, in one worker of a real server: all at once, each for its own request and with its
// own connection.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HoldingPeer } from '../support/holding-peer.ts'
import { Server } from '../support/server.ts'

const cores = 150

const app = (port: number): string => `
import threading, time, uwsgi
peer = '127.0.0.1:${port}'
local, lock, story = threading.local(), threading.Lock(), []

def blocking(path):
    fd = uwsgi.connect(peer)
    uwsgi.send(fd, path)
    return uwsgi.recv(fd, 4096)

def registered(path):
    fd = uwsgi.async_connect(peer)
    uwsgi.wait_fd_write(fd, 30)
    uwsgi.suspend()
    uwsgi.send(fd, path)
    uwsgi.wait_fd_read(fd, 30)
    uwsgi.suspend()
    return uwsgi.recv(fd, 4096) if uwsgi.ready_fd() == fd else b'not ready: %d' % uwsgi.ready_fd()

def deep(path, n=40):
    if n: return sorted([path], key=lambda p: deep(p, n - 1)) and local.answer
    local.answer = blocking(path)
    return local.answer

def sleeps(path):
    with lock: time.sleep(0.001)
    return path

def hang(path):
    uwsgi.set_user_harakiri(1)
    try: blocking(path)
    except Exception: story.append('exception')
    finally: story.append('finally')

def tells(path): return '; '.join(story).encode()

ways = {'blocking': blocking, 'registered': registered, 'deep': deep, 'sleeps': sleeps, 'hang': hang, 'story': tells}

def application(environ, start_response):
    path = environ['PATH_INFO'].encode()
    core = uwsgi.async_id()
    answer = ways[path.split(b'/')[1].decode()](path)
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [answer if uwsgi.async_id() == core == environ['uwsgi.core'] else b'of another request']

def stream(environ, start_response):
    fd = uwsgi.connect(peer)
    path = environ['SCRIPT_NAME'].encode() + environ['PATH_INFO'].encode()
    uwsgi.send(fd, path)
    start_response('200 OK', [('Content-Type', 'text/plain')])
    yield b'begin '
    yield environ['x-wsgiorg.fdevent.readable'](fd, 30)
    yield uwsgi.recv(fd, 4096) if environ['uwsgi.ready_fd'] == fd else b'not ready'
`

describe(`a worker with ${cores} cores`, () => {
  let directory: string
  let server: Server
  let peer: HoldingPeer

  beforeAll(async () => {
    peer = await HoldingPeer.start()
    directory = mkdtempSync(join(tmpdir(), 'polywsgi-async-python-'))
    const file = join(directory, 'app.py')
    writeFileSync(file, app(peer.port))
    const mounts = ['--mount', `/=${file}`, '--mount', `/stream=${file}:stream`]
    const args = ['--http-socket', '127.0.0.1:0', '--async', String(cores), '--socket-timeout', '600', ...mounts]
    server = await Server.start({ args })
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await peer[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true, force: true })
  })

  const text = async (path: string): Promise<string> => (await fetch(server.http + path)).text()

  it.each([
    ['blocking', ''],
    ['registered', ''],
    ['deep', ''],
    ['stream', 'begin '],
  ])('serves as many at once, each with its own answer: %s', async (way, begin) => {
    const paths = Array.from({ length: cores }, (_, index) => `/${way}/${index}`)
    const answers = Promise.all(paths.map(text))
    // Nobody is answered before all have asked.
    await peer.holds(...paths)
    peer.release(paths)
    expect(await answers).toEqual(paths.map((path) => `${begin}answer to ${path}`))
  })

  it('lets them wait for each other', async () => {
    const paths = Array.from({ length: cores }, (_, index) => `/sleeps/${index}`)
    expect(await Promise.all(paths.map(text))).toEqual(paths)
  })

  it('gives up one that takes too long, and serves the others', async () => {
    const { status } = await fetch(`${server.http}/hang/long`)
    expect(status).toBe(504)
    expect(await text('/story')).toBe('finally')
    expect(server.log).toContain('HARAKIRI')
  })
})
