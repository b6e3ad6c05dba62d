// Handlers whose time is over while they wait, in the real program: what they hold is let go, and one that does not end by it
// costs its worker no more than the worker's renewal.
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
    expect(await get('/lock')).toEqual([504, 'Gateway Timeout'])
    expect(await get('/free')).toEqual([200, 'free'])
  })

  it('cannot keep its worker by taking its deadline back', async () => {
    expect(await get('/stubborn')).toEqual([504, 'Gateway Timeout'])
    // It may still be given to the worker that is ended.
    await expect.poll(() => get('/worker'), { timeout: 30_000 }).toEqual([200, 'served'])
  })
})
