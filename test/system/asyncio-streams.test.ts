// asyncio's streams over the server's connections: in the event loop of ASGI, and in loops of their own of WSGI handlers.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server as NetServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Server } from '../support/server.ts'

const folder = mkdtempSync(join(tmpdir(), 'polywsgi-streams-'))
const path = join(folder, 'lines')
const talk = fileURLToPath(new URL('../apps/python/service/talk.py', import.meta.url))

/** Answers each line in capitals, one at a time, and `quit` with the end. */
const serve = (socket: Socket): void => {
  let rest = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line === 'quit') socket.end('bye\n')
      else socket.write(`${line.toUpperCase()}\n`)
    }
  })
  socket.on('error', () => {})
}

const listening: NetServer[] = []
const listen = async (where: number | string): Promise<number> => {
  const server = createServer(serve)
  await new Promise<void>((resolve) => server.listen(where, resolve as () => void))
  listening.push(server)
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

let port: number
beforeAll(async () => {
  port = await listen(0)
  await listen(path)
})
afterAll(() => {
  for (const server of listening) server.close()
  rmSync(folder, { recursive: true })
})

const said = 'A 0\nA 1\nbye\nB 0\nB 1\nbye\nC 0\nC 1\nbye\n'

describe.each([
  ['asgi', []],
  ['asgi', ['--async', '20']],
  ['wsgi', []],
  ['wsgi', ['--async', '20']],
])('%s with %s', (callable, args) => {
  let server: Server
  const ask = async (query: string): Promise<string> => await (await fetch(`${server.http}${query}`)).text()
  beforeAll(async () => {
    server = await Server.start({
      args: ['--http-socket', '127.0.0.1:0', '--wsgi-file', talk, '--callable', callable, ...args],
    })
  })
  afterAll(async () => {
    expect(await server.stop()).toBe(0)
  })

  it('talks over several connections at once, TCP and unix', async () => {
    expect(await ask(`/?port=${port}`)).toBe(said)
    expect(await ask(`/?path=${path}`)).toBe(said)
    expect(await Promise.all(Array.from({ length: 5 }, () => ask(`/?port=${port}`)))).toEqual(Array(5).fill(said))
  })

  it('says why there is no connection', async () => {
    expect(await ask(`/?path=${path}-none`)).toMatch(/^(OSError|ConnectionRefusedError|FileNotFoundError): /)
  })
})

it('a connection that one request has opened serves others', async () => {
  await using server = await Server.start({ args: ['--http-socket', '127.0.0.1:0', '--wsgi-file', talk, '--callable', 'asgi'] })
  for (let count = 0; count < 3; count += 1) {
    expect(await (await fetch(`${server.http}/pool?port=${port}`)).text()).toBe('POOLED\n')
  }
})
