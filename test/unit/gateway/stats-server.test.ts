import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Answer } from '../../../host/control/lines.ts'
import { askServer, createControlServer } from '../../../host/gateway/control-socket.ts'
import { listen } from '../../../host/gateway/listen.ts'
import { createDumpServer, createPageServer, type ObservedServer } from '../../../host/gateway/stats-server.ts'

let folder: string
const opened: ObservedServer[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'polywsgi-watch-'))
})
afterEach(() => {
  for (const server of opened.splice(0)) server.close()
  rmSync(folder, { recursive: true, force: true })
})

const open = async (server: ObservedServer, name = 'socket', isPrivate = false): Promise<string> => {
  opened.push(server)
  const path = join(folder, name)
  return await listen(server.server, {
    address: { kind: 'unix', path, text: path },
    ...{ backlog: 64, mode: isPrivate ? 0o600 : undefined, isPrivate },
  })
}

const connected = async (path: string): Promise<Socket> => {
  const socket = connect(path)
  await once(socket, 'connect')
  // A server that closes while there is something to be sent resets the connection.
  socket.on('error', () => {})
  return socket
}

const everything = async (socket: Socket): Promise<string> => {
  let text = ''
  for await (const chunk of socket) text += chunk
  return text
}

describe('a server that dumps a text', () => {
  it('sends it to whoever connects, and closes, whatever they say', async () => {
    let count = 0
    const path = await open(createDumpServer(() => `text ${++count}`))
    const quiet = await connected(path)
    expect(await everything(quiet)).toBe('text 1')
    const loud = await connected(path)
    loud.write('GET / HTTP/1.0\r\n\r\n')
    expect(await everything(loud)).toBe('text 2')
  })

  it('closes a client that does not take it in ten seconds, and serves others meanwhile', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      // More than the buffers of a socket hold.
      const large = 'x'.repeat(8 * 1024 * 1024)
      let text = large
      const path = await open(createDumpServer(() => text))
      const stuck = await connected(path)
      stuck.pause()
      text = 'small'
      expect(await everything(await connected(path))).toBe('small')
      vi.advanceTimersByTime(10_000)
      expect((await everything(stuck)).length).toBeLessThan(large.length)
    } finally {
      vi.useRealTimers()
    }
  })

  it('closes whom it has no room for', async () => {
    const path = await open(createDumpServer(() => 'x'.repeat(8 * 1024 * 1024)))
    const held = await Promise.all(Array.from({ length: 64 }, async () => (await connected(path)).pause()))
    expect(await everything(await connected(path))).toBe('')
    for (const socket of held) socket.destroy()
  })
})

describe('a unix socket', () => {
  it("is removed when its server closes, and left when it is another server's by then", async () => {
    const own = createDumpServer(() => 'own')
    const path = await open(own)
    rmSync(path)
    const next = createDumpServer(() => 'next')
    await open(next)
    own.close()
    expect(await everything(await connected(path))).toBe('next')
    next.close()
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('a server of pages', () => {
  const ask = async (path: string, text: string): Promise<string> => {
    const socket = await connected(path)
    socket.write(text)
    return await everything(socket)
  }

  it('answers GET and HEAD, says what is not there, refuses the rest, and closes', async () => {
    const path = await open(createPageServer((page) => (page === '/a' ? { type: 'text/plain', text: 'é' } : undefined)))
    const page = await ask(path, 'GET /a?query HTTP/1.1\r\nHost: x\r\n\r\n')
    expect(page).toMatch(/^HTTP\/1\.1 200 OK\r\nConnection: close\r\nContent-Type: text\/plain\r\nContent-Length: 2\r\n/)
    expect(await ask(path, 'GET http://x:9/a?query HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 OK/)
    expect(page).toContain('Access-Control-Allow-Origin: *\r\n')
    expect(page.endsWith('\r\n\r\né')).toBe(true)
    expect((await ask(path, 'HEAD /a HTTP/1.0\r\n\r\n')).endsWith('\r\n\r\n')).toBe(true)
    expect(await ask(path, 'GET /b HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 404 Not Found[\s\S]*Not Found\n$/)
    const refused = await ask(path, 'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n')
    expect(refused).toMatch(/^HTTP\/1\.1 405 Method Not Allowed[\s\S]*Allow: GET, HEAD\r\n[\s\S]*GET and HEAD only\n$/)
    expect(await ask(path, 'nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 Bad Request/)
  })
})

describe('the control socket', () => {
  it('is for the user of the server alone from the first moment', async () => {
    const path = await open(createControlServer({ run: async () => 1 }), 'ctl', true)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(process.umask()).not.toBe(0o177)
  })

  it('answers questions in order, one after the other, and goes on after a bad one', async () => {
    const gate = Promise.withResolvers<void>()
    const run: string[] = []
    const path = await open(
      createControlServer({
        run: async ({ command: [word] }) => {
          run.push(`begin ${word}`)
          if (word === 'slow') await gate.promise
          run.push(`end ${word}`)
          if (word === 'bad') throw new Error('it cannot be done')
          return word
        },
      }),
    )
    const socket = await connected(path)
    socket.end('{"command":["slow"]}\nnonsense\n{"command":["bad"]}\n{"command":["last"]}\n')
    await vi.waitFor(() => expect(run).toEqual(['begin slow']))
    expect(await askServer(path, { command: ['other'], options: {} })).toEqual({ ok: true, result: 'other' })
    gate.resolve()
    const answers = (await everything(socket))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Answer)
    expect(answers).toEqual([
      { ok: true, result: 'slow' },
      { ok: false, error: 'a question is a JSON object on one line' },
      { ok: false, error: 'it cannot be done' },
      { ok: true, result: 'last' },
    ])
  })

  it('runs the next question of a client that reads no answers only when the last answer has gone', async () => {
    let count = 0
    const large = 'x'.repeat(4 * 1024 * 1024)
    const path = await open(
      createControlServer({
        run: async () => {
          count += 1
          return large
        },
      }),
    )
    const socket = await connected(path)
    socket.pause()
    socket.write('{"command":["x"]}\n'.repeat(1000))
    await vi.waitFor(() => expect(count).toBe(1))
    for (let turn = 0; turn < 20; turn += 1) expect((await askServer(path, { command: ['y'], options: {} })).ok).toBe(true)
    expect(count).toBe(21)
    socket.destroy()
  })

  it('tells a client why there is no server, or no answer', async () => {
    const question = { command: ['x'], options: {} }
    await expect(askServer(join(folder, 'none'), question)).rejects.toThrow(/^no server at .*none: there is no such socket$/)
    const dump = await open(createDumpServer(() => 'nonsense\n'))
    await expect(askServer(dump, question)).rejects.toThrow('what came is not the answer of a polywsgi server')
    const mute = await open(
      createDumpServer(() => ''),
      'mute',
    )
    await expect(askServer(mute, question)).rejects.toThrow(/^no answer from .*mute: /)
  })
})
