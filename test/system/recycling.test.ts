// Workers that are followed by new ones for what they have served, for their age and for their memory: no client sees it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type RecycledApp, recycledApps } from '../support/recycled-app.ts'
import { Server } from '../support/server.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'polywsgi-recycling-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const start = async ({ file, code }: RecycledApp, ...args: readonly string[]): Promise<Server> => {
  writeFileSync(join(folder, file), code)
  return await Server.start({ cwd: folder, args: ['--http-socket', '127.0.0.1:0', '--mount', `/=${file}`, ...args] })
}

/** Which worker has answered, and its how-many-eth answer that was. */
const ask = async (server: Server, query = ''): Promise<{ worker: number; count: number }> => {
  const response = await fetch(`${server.http}/${query}`)
  const text = await response.text()
  expect([response.status, text]).toEqual([200, expect.stringMatching(/^\d+ \d+$/)])
  const [worker, count] = text.split(' ').map(Number)
  return { worker: worker as number, count: count as number }
}

describe.each(recycledApps)('$language', (app) => {
  it('renews a worker after max-requests, and answers every request meanwhile', async () => {
    await using server = await start(app, '--max-requests', '20', '--min-worker-lifetime', '0')
    const done = '...The work of worker 1 is done (max requests reached (20)). Seeya!'
    let asked = 0
    let highest = 0
    // Four clients at once, as long as it takes until two workers have been followed by others.
    const client = async (): Promise<void> => {
      while (server.log.split(done).length < 3 || asked < 100) {
        asked += 1
        highest = Math.max(highest, (await ask(server)).count)
      }
    }
    await Promise.all([client(), client(), client(), client()])
    expect(highest).toBeGreaterThanOrEqual(20)
    expect(highest).toBeLessThan(asked)
    expect(server.log).toContain('worker 1 is renewed: max requests reached (20)')
    expect(server.log).not.toContain('DAMN')
    expect(await server.stop()).toBe(0)
  })

  it('renews a worker whose interpreter has grown past reload-on-rss', async () => {
    await using server = await start(app, '--reload-on-rss', '110', '--min-worker-lifetime', '0', '--mem-collector-freq', '0.1')
    const first = await ask(server)
    expect(first).toEqual({ worker: 1, count: 1 })
    expect((await ask(server, '?120')).count).toBe(2)
    await server.logged(/\.\.\.The work of worker 1 is done \(reload-on-rss limit reached \(\d+ > 110 MiB\)\)\. Seeya!/)
    await server.logged('worker 1: ready in', 2)
    let count: number
    do count = (await ask(server)).count
    while (count > 2)
    expect(await server.stop()).toBe(0)
  })
})

const [, lua] = recycledApps as [RecycledApp, RecycledApp, RecycledApp]

it('renews workers by age, one after the other with a delta', async () => {
  await using server = await start(lua, ...['--workers', '2', '--max-worker-lifetime', '1', '--max-worker-lifetime-delta', '1'])
  await server.logged('...The work of worker 1 is done (lifetime reached (2 s)). Seeya!')
  await server.logged('...The work of worker 2 is done (lifetime reached (3 s)). Seeya!')
  await ask(server)
})

it('gives a worker its least lifetime', async () => {
  await using server = await start(lua, '--max-requests', '1', '--min-worker-lifetime', '2')
  const counts: number[] = []
  do counts.push((await ask(server)).count)
  while (!server.log.includes('Seeya'))
  // It has served on after its first request, until its time came.
  expect(counts.length).toBeGreaterThan(2)
  expect(counts).toEqual(counts.map((_, index) => index + 1))
})

it('leaves a worker that is due serving while its successor cannot load its apps, and follows it when they are mended', async () => {
  await using server = await start(lua, '--max-requests', '3', '--min-worker-lifetime', '0')
  writeFileSync(join(folder, lua.file), '}{')
  for (let count = 1; count <= 3; count += 1) await ask(server)
  await server.logged('worker 1 is not renewed, it goes on as it is')
  expect((await ask(server)).count).toBeGreaterThan(3)
  writeFileSync(join(folder, lua.file), lua.code)
  await server.logged('worker 1 is renewed', 2)
  let count: number
  do count = (await ask(server)).count
  while (count > 3)
  expect(await server.stop()).toBe(0)
})
