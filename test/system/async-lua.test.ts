// Lua handlers that wait, in one worker with many cores, over the real program: each of these can only end because others are
// served meanwhile.
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Server } from '../support/server.ts'
import { appFile } from '../unit/lua/fixture.ts'

let server: Server
beforeAll(async () => {
  const args = ['--http-socket', '127.0.0.1:0', '--workers', '1', '--async', '64', '--post-buffering', '0']
  server = await Server.start({ args: [...args, '--lua', appFile('cores.lua')] })
})
afterAll(() => server.stop())

const get = async (path: string): Promise<string> => (await fetch(server.http + path)).text()

describe('Lua handlers on the cores of one worker', () => {
  it('wait for each other, sixty at once', async () => {
    const answers = Array.from({ length: 60 }, (_, id) => get(`/barrier/all/60?${id}`))
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 60 }, (_, id) => String(id)))
  })

  it('wait in coroutines inside each other until another request lets them go on', async () => {
    const held = get('/hold/one')
    expect(await get('/release/one')).toBe('done')
    expect(await held).toBe('held one')
  })

  it('sleep beside each other', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => get('/sleep/0.5')))
    expect(new Set(answers)).toEqual(new Set(['slept -1']))
  })

  it('read a body while it arrives', async () => {
    const length = 1_000_000
    const headers = { 'Content-Length': length }
    const upload = httpRequest(`${server.http}/body/upload`, { method: 'POST', headers })
    const rest = Buffer.alloc(length - 6, 'r')
    upload.write('ab')
    // Served while the other one waits for its body.
    expect(await get('/release/upload')).toBe('done')
    upload.write('cdef')
    expect(await get('/barrier/alone/1?x')).toBe('x')
    upload.end(rest)
    const [response] = await once(upload, 'response')
    expect(Buffer.concat(await response.toArray()).toString()).toBe(`abcd|ef${rest}`)
  })

  it('stream while others are served', async () => {
    const response = await fetch(`${server.http}/stream/s`)
    expect(await get('/release/s')).toBe('done')
    expect(await response.text()).toBe('begun ended')
  })

  it('talk to another server', async () => {
    const peer = createServer((socket) => {
      socket.on('data', (data) => socket.end(`answer to ${data}`))
      socket.on('error', () => {})
    }).listen(0, '127.0.0.1')
    await once(peer, 'listening')
    const { port } = peer.address() as AddressInfo
    const answers = await Promise.all(Array.from({ length: 20 }, () => get(`/ask/127.0.0.1:${port}`)))
    expect(new Set(answers)).toEqual(new Set(['answer to question\n']))
    peer.close()
  })

  it('call functions by RPC that wait', async () => {
    const answer = get('/rpc/r')
    expect(await get('/release/r')).toBe('done')
    expect(await answer).toBe('released r')
  })

  it.each(['raise', 'swallow'])('are given up at their deadline, and nothing else is (%s)', async (how) => {
    const held = get(`/hold/${how}`)
    const overrun = await fetch(`${server.http}/overrun/${how}`)
    expect(overrun.status).toBe(504)
    expect(await get(`/release/${how}`)).toBe('done')
    expect(await held).toBe(`held ${how}`)
    expect(server.log).not.toContain('worker 1 died')
  })
})
