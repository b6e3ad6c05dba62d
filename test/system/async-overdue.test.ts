// Handlers whose time is over while they wait, in the real program: what they hold is let go, and one that does not end by it
// costs its worker no more than the worker's renewal.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Server } from '../support/server.ts'
import { appFile } from '../unit/lua/fixture.ts'

let server: Server
beforeAll(async () => {
  const args = ['--http-socket', '127.0.0.1:0', '--async', '8', '--harakiri', '1', '--locks', '1']
  server = await Server.start({ args: [...args, '--sharedarea', '1', '--sharedarea', '1', '--lua', appFile('overdue.lua')] })
})
afterAll(() => server.stop())

const get = async (path: string): Promise<[number, string]> => {
  const response = await fetch(server.http + path)
  return [response.status, await response.text()]
}

describe('a handler whose time is over while it waits', () => {
  it('lets go of locks and areas', async () => {
    expect(await get('/lock')).toEqual([504, expect.stringMatching(/^Gateway Timeout\nrequest id: \S+\n$/)])
    expect(await get('/free')).toEqual([200, 'free'])
  })

  it('cannot keep its worker by taking its deadline back', async () => {
    expect(await get('/stubborn')).toEqual([504, expect.stringMatching(/^Gateway Timeout\nrequest id: \S+\n$/)])
    // It may still be given to the worker that is ended.
    await expect.poll(() => get('/worker'), { timeout: 30_000 }).toEqual([200, 'served'])
  })
})

describe('code that goes on after its answer, and never ends', () => {
  const spinning = {
    'app.js': `export default () => {
      setTimeout(() => { while (true) {} }, 1)
      return new Response('answered')
    }`,
    'app.py': `import asyncio
tasks = []
async def spin():
    await asyncio.sleep(0)
    while True: pass
async def application(scope, receive, send):
    if scope['type'] != 'http': raise NotImplementedError
    await send({'type': 'http.response.start', 'status': 200, 'headers': []})
    await send({'type': 'http.response.body', 'body': b'answered'})
    tasks.append(asyncio.create_task(spin()))`,
  }

  it.each(Object.entries(spinning))(
    'is stopped, or costs its worker, and the next request is served: %s',
    async (name, source) => {
      const folder = mkdtempSync(join(tmpdir(), 'polywsgi-spin-'))
      writeFileSync(join(folder, name), source)
      try {
        await using server = await Server.start({
          args: ['--http-socket', '127.0.0.1:0', '--async', '4', '--harakiri', '1', '--mount', `/=${join(folder, name)}`],
        })
        expect(await (await fetch(server.http)).text()).toBe('answered')
        await server.logged('*** HARAKIRI ON WORKER 1 ***')
        // It may still be given to a worker that is ended.
        await expect.poll(async () => await (await fetch(server.http)).text(), { timeout: 30_000 }).toBe('answered')
      } finally {
        rmSync(folder, { recursive: true })
      }
    },
  )
})
