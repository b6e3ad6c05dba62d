// Requests, messages, jobs and handlers that take more CPU time than they may, in the real program and in each language: they end as at a
// harakiri deadline, while what waits, and whoever shares the thread with them, goes on.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Server } from '../support/server.ts'

interface Language {
  readonly file: string
  /** Where its loop stands, in its own words. */
  readonly place: RegExp
}

const languages: Record<string, Language> = {
  javascript: { file: 'app.js', place: /at spin \(\S*app\.js:[56]:\d+\)/ },
  lua: { file: 'app.lua', place: /app\.lua:4: in / },
  python: { file: 'app.py', place: /app\.py", line 1[0-2], in spin/ },
}

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'polywsgi-cpu-limit-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const start = (file: string, ...more: readonly string[]): Promise<Server> => {
  const app = fileURLToPath(new URL(`../apps/harakiri/${file}`, import.meta.url))
  const options = ['--http-socket', '127.0.0.1:0', '--cache2', 'name=default,items=10', '--mount', `/=${app}`]
  return Server.start({ args: [...options, ...more] })
}
const get = async (server: Server, path: string, headers: Record<string, string> = {}): Promise<[number, string]> => {
  const response = await fetch(server.http + path, { headers })
  return [response.status, await response.text()]
}
const timeout = (id: string): [number, string] => [504, `Gateway Timeout\nrequest id: ${id}\n`]

describe.each(Object.entries(languages))('in %s', (_name, { file, place }) => {
  it('a loop without an end is answered 504, told with its place, and its worker goes on with all it has', async () => {
    await using server = await start(file, '--cpu-limit', '0.5')
    expect(await get(server, '/')).toEqual([200, 'served 1'])
    expect(await get(server, '/loop', { 'X-Request-Id': 'mine-7' })).toEqual(timeout('mine-7'))
    expect(await get(server, '/')).toEqual([200, 'served 3'])
    await server.logged('GET / => generated', 2)
    expect(server.log).toContain('*** CPU-LIMIT ON WORKER 1 CORE 0 ***')
    expect(server.log).toMatch(/CPU-LIMIT \[core 0\] 127\.0\.0\.1 - GET \/loop since \d{10}\n/)
    expect(server.log).toContain('CPU-LIMIT [core 0] request id: mine-7\n')
    expect(server.log).toContain('CPU-LIMIT [core 0] the code that ran was stopped at:\n')
    expect(server.log).toMatch(place)
    expect(server.log).not.toMatch(/HARAKIRI|DAMN/)
  })

  it.each([1, 2])('a wait costs nothing, with %i cores, and is not what a harakiri deadline is for', async (cores) => {
    await using server = await start(
      file,
      '--cpu-limit',
      '0.5',
      '--harakiri',
      '30',
      '--harakiri-grace',
      '0.1',
      '--async',
      `${cores}`,
    )
    expect(await get(server, '/sleep')).toEqual([200, 'slept'])
    expect(await get(server, '/')).toEqual([200, 'served 2'])
    expect(server.log).not.toMatch(/CPU-LIMIT|HARAKIRI|DAMN/)
  })

  it('stretches that are too short to be asked anything add up, and another core goes on', async () => {
    await using server = await start(file, '--cpu-limit', '0.5', '--async', '2')
    const waiting = get(server, '/wait')
    await expect.poll(() => get(server, '/')).toEqual([200, expect.stringMatching(/^served [2-9]/)])
    expect(await get(server, '/stretches', { 'X-Request-Id': 'short-1' })).toEqual(timeout('short-1'))
    expect(await get(server, '/loop', { 'X-Request-Id': 'long-1' })).toEqual(timeout('long-1'))
    expect(await get(server, '/release')).toEqual([200, 'released'])
    expect(await waiting).toEqual([200, 'waited'])
    expect(server.log).toMatch(/\*\*\* CPU-LIMIT ON WORKER 1 CORE \d \*\*\*/)
    expect(server.log).toContain('request id: short-1\n')
    expect(server.log).not.toMatch(/HARAKIRI|DAMN/)
  })

  it('what cannot be stopped costs its worker: the client is answered 504, others of that worker 503, and the next is served', async () => {
    await using server = await start(file, '--cpu-limit', '0.5', '--harakiri-grace', '0.5', '--async', '2')
    const waiting = fetch(`${server.http}/wait`, { headers: { 'X-Request-Id': 'waiter' } })
    await expect.poll(() => get(server, '/')).toEqual([200, expect.stringMatching(/^served [2-9]/)])
    expect(await get(server, '/stubborn', { 'X-Request-Id': 'stubborn-1' })).toEqual(timeout('stubborn-1'))
    expect((await waiting).status).toBe(503)
    expect(await get(server, '/')).toEqual([200, 'served 1'])
    expect(server.log).toContain('*** CPU-LIMIT ON WORKER 1 ***')
    expect(server.log).toMatch(/CPU-LIMIT \[core \d\] 127\.0\.0\.1 - GET \/stubborn since \d{10}\n/)
    expect(server.log).toContain('DAMN ! worker 1 died: its code took more CPU time than it may (cpu-limit)')
    expect(server.log).toMatch(
      /\/wait since \d+: its worker was ended for the CPU time of another request: answered 503, request id: waiter/,
    )
    expect(server.log).not.toContain('HARAKIRI')
  })

  it('a signal handler, in a worker or a mule, and a message to a mule are stopped, and the thread goes on', async () => {
    await using server = await start(file, '--cpu-limit', '0.5', '--mule')
    await get(server, '/signal')
    await server.logged('*** CPU-LIMIT ON WORKER 1 HANDLING SIGNAL 5 ***')
    await server.logged('error managing signal 5 on worker 1')
    expect(await get(server, '/')).toEqual([200, 'served 2'])
    await get(server, '/mule-signal')
    await server.logged('*** CPU-LIMIT ON MULE 1 HANDLING SIGNAL 6 ***')
    await get(server, '/mule')
    await server.logged('*** CPU-LIMIT ON MULE 1 ***')
    await server.logged('lock 0 was held by code that was stopped: it is free again')
    await expect.poll(() => get(server, '/seen')).toEqual([200, expect.stringMatching(/^next /)])
    expect(server.log).not.toMatch(/HARAKIRI|DAMN/)
  })

  it('a job of a spooler is stopped, has failed by that, and the next one runs', async () => {
    await using server = await start(file, '--cpu-limit', '0.5', '--spooler', folder)
    expect(await get(server, '/spool')).toEqual([200, 'true'])
    await server.logged('*** CPU-LIMIT ON SPOOLER 1 ***')
    await server.logged('has failed (try 1 of')
    await expect.poll(() => get(server, '/seen')).toEqual([200, expect.stringMatching(/ next$/)])
    expect(server.log).not.toMatch(/HARAKIRI|DAMN/)
  })
})

describe("tasks of python's event loop", () => {
  it.each([1, 2])('are counted by their requests, with %i cores', async (cores) => {
    await using server = await start('tasks.py', '--cpu-limit', '0.5', '--async', `${cores}`)
    expect(await get(server, '/sleep')).toEqual([200, 'slept'])
    expect(await get(server, '/stretches', { 'X-Request-Id': 'short-1' })).toEqual(timeout('short-1'))
    expect(await get(server, '/loop', { 'X-Request-Id': 'long-1' })).toEqual(timeout('long-1'))
    expect(await get(server, '/sleep')).toEqual([200, 'slept'])
    expect(server.log).not.toMatch(/HARAKIRI|DAMN/)
  })

  it('are told apart', async () => {
    await using server = await start('tasks.py', '--cpu-limit', '0.5', '--async', '4')
    const waiting = get(server, '/ticks')
    expect(await get(server, '/stretches', { 'X-Request-Id': 'short-1' })).toEqual(timeout('short-1'))
    expect(await get(server, '/loop', { 'X-Request-Id': 'long-1' })).toEqual(timeout('long-1'))
    expect(await get(server, '/release')).toEqual([200, 'released'])
    expect(await waiting).toEqual([200, 'waited'])
    expect(server.log).not.toMatch(/HARAKIRI|DAMN/)
  })
})

describe('in javascript', () => {
  it.each(['/timers', '/promises'])('what goes on by itself (%s) is counted for the request that began it', async (path) => {
    await using server = await start('app.js', '--cpu-limit', '0.5', '--async', '4')
    const waiting = get(server, '/wait')
    expect(await get(server, path, { 'X-Request-Id': 'mine-7' })).toEqual(timeout('mine-7'))
    expect(await get(server, '/release')).toEqual([200, 'released'])
    expect(await waiting).toEqual([200, 'waited'])
    expect(server.log).not.toMatch(/HARAKIRI|DAMN/)
  })
})

it.each([
  ['-1', 'cpu-limit = -1: must be at least 0 seconds'],
  ['abc', "cpu-limit = abc: 'abc' is not a number of seconds"],
  ['', 'cpu-limit: needs a value'],
])('%j is no limit', async (value, why) => {
  const server = Server.spawn({ args: ['--http-socket', '127.0.0.1:0', `--cpu-limit=${value}`] })
  expect(await server.exited()).toBe(2)
  expect(server.log).toContain(why)
})
