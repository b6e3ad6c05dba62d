// Many connections that ask at once: the process of its own that holds them, against servers that answer rightly and wrongly.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { startCompanion } from '../../../bench/companion.ts'
import { failuresOf, httpRequest, openCrowd, uwsgiRequest } from '../../../bench/crowd.ts'
import { Crowd, type CrowdPlan } from '../../../bench/crowd-client.ts'
import { decodeHeader, headerSize, iterateVars } from '../../../protocol/index.ts'

const cleanUps: (() => Promise<unknown> | void)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

/** @returns the server's port, or its path when it is given one */
async function listen(onConnection: (socket: Socket, number: number) => void, path?: string): Promise<number | string> {
  const sockets = new Set<Socket>()
  let number = 0
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    onConnection(socket, number++)
  })
  await new Promise<void>((resolve) =>
    path === undefined ? server.listen(0, '127.0.0.1', resolve) : server.listen({ path, backlog: 1 }, resolve),
  )
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  const address = server.address()
  return typeof address === 'string' ? address : address!.port
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nslept'
const planFor = (address: number | string, changes: Partial<CrowdPlan> = {}): CrowdPlan => ({
  address,
  connections: 200,
  request: httpRequest('/lua?sleep=1'),
  answer: 'slept',
  patienceMs: 60_000,
  ...changes,
})

describe('a crowd', () => {
  it('has all its connections open before the first request, and each asks once', async () => {
    let open = 0
    const seen: { open: number; text: string }[] = []
    const address = await listen((socket) => {
      open += 1
      socket.on('data', (bytes) => {
        seen.push({ open, text: bytes.toString() })
        // In two pieces, so that an answer is not taken for whole too soon.
        socket.write(ok.slice(0, -2), () => socket.write(ok.slice(-2)))
      })
    })
    await using crowd = await openCrowd(planFor(address))
    // Its connections are open; the server may still have to take some of them from the system's queue.
    await expect.poll(() => open).toBe(200)
    expect(seen).toEqual([])
    const report = await crowd.ask()
    expect(report).toMatchObject({ answered: 200, failures: {} })
    expect(failuresOf(report)).toBe(0)
    expect(seen).toHaveLength(200)
    for (const each of seen) {
      expect(each).toEqual({ open: 200, text: 'GET /lua?sleep=1 HTTP/1.1\r\nHost: localhost\r\n\r\n' })
    }
  })

  it('tells when it asked, and the first and the last answer from then on', async () => {
    const waiting: Socket[] = []
    const address = await listen((socket) => {
      socket.on('data', () => {
        if (waiting.push(socket) === 3) for (const each of waiting) each.write(ok)
      })
    })
    const before = performance.timeOrigin + performance.now()
    await using crowd = await openCrowd(planFor(address, { connections: 3 }))
    const { firstMs, lastMs, askedAt } = await crowd.ask()
    const after = performance.timeOrigin + performance.now()
    expect(firstMs).toBeLessThanOrEqual(lastMs)
    // The clocks of two processes may be apart by the precision of their origins.
    expect(askedAt).toBeGreaterThan(before - 100)
    expect(askedAt + lastMs).toBeLessThan(after + 100)
  })

  it('counts each connection that fails, by the kind of failure', async () => {
    const answers: ((socket: Socket) => void)[] = [
      (socket) => socket.end(ok),
      (socket) => socket.end(),
      (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nsle'),
      (socket) => socket.write('HTTP/1.1 502 Bad Gateway\r\n\r\n'),
      (socket) => socket.write(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(70_000)}`),
    ]
    const address = await listen((socket, number) => {
      socket.on('data', () => answers[number % answers.length]!(socket))
    })
    await using crowd = await openCrowd(planFor(address, { connections: 10 }))
    const report = await crowd.ask()
    expect(report).toMatchObject({
      answered: 2,
      failures: { 'closed without an answer': 2, 'wrong answer': 2, 'status 502': 2, 'answer too long': 2 },
    })
    expect(failuresOf(report)).toBe(8)
  })

  it('counts those that get no answer in time', async () => {
    const address = await listen(() => undefined)
    await using crowd = await openCrowd(planFor(address, { connections: 2, patienceMs: 1 }))
    expect(await crowd.ask()).toMatchObject({ answered: 0, failures: { 'no answer in time': 2 }, firstMs: Number.NaN })
  })

  it('counts those that cannot be opened', async () => {
    await using crowd = await openCrowd(planFor('/nowhere/http.sock', { connections: 70 }))
    expect(await crowd.ask()).toMatchObject({ answered: 0, failures: { 'not opened: ENOENT': 70 } })
  })

  it('counts those that were closed before they asked', async () => {
    const closed: Promise<unknown>[] = []
    const address = await listen((socket, number) => {
      socket.on('data', () => socket.end(ok))
      if (number !== 0) return
      closed.push(new Promise((resolve) => socket.once('close', resolve)))
      socket.end()
    })
    const crowd = new Crowd(planFor(address, { connections: 3 }))
    await crowd.open()
    await Promise.all(closed)
    const report = await crowd.ask()
    expect(report.answered).toBe(2)
    expect(failuresOf(report)).toBe(1)
  })

  it('comes over unix sockets too, however few may wait at one', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'polywsgi-crowd-'))
    cleanUps.push(() => rmSync(directory, { recursive: true }))
    const address = await listen((socket) => socket.on('data', () => socket.end(ok)), join(directory, 'http.sock'))
    await using crowd = await openCrowd(planFor(address))
    expect(await crowd.ask()).toMatchObject({ answered: 200, failures: {} })
  })
})

describe('uwsgiRequest', () => {
  it('is a packet whose variables name the path and the query', () => {
    const packet = Buffer.from(uwsgiRequest('/lua?sleep=1', 6), 'base64')
    expect(decodeHeader(packet)).toEqual({ modifier1: 6, modifier2: 0, size: packet.length - headerSize })
    expect(Object.fromEntries(iterateVars(packet.subarray(headerSize)))).toMatchObject({
      REQUEST_METHOD: 'GET',
      PATH_INFO: '/lua',
      QUERY_STRING: 'sleep=1',
      REQUEST_URI: '/lua?sleep=1',
    })
  })
})

describe('a companion', () => {
  it('that ends without an answer is an error, not a silence', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'polywsgi-companion-'))
    cleanUps.push(() => rmSync(directory, { recursive: true }))
    const file = join(directory, 'ends.ts')
    writeFileSync(file, 'process.exit()')
    await using companion = startCompanion<object, { kind: 'never' }>(file)
    await expect(companion.next('never')).rejects.toThrow('ends.ts ended without an answer')
  })
})
