// As many workers as are needed: started under load, stopped when there is little to do, by hand too.
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Server } from '../support/server.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'polywsgi-cheaper-'))
  // It holds its worker until the gate is open.
  const app = [
    'return function(environ)',
    "  if environ.PATH_INFO == '/open' then uwsgi.cache_update('open', 'yes') end",
    "  while environ.PATH_INFO == '/wait' and not uwsgi.cache_exists('open') do",
    '    uwsgi.async_sleep(0.02)',
    '    uwsgi.suspend()',
    '  end',
    "  return '200 OK', {}, coroutine.wrap(function() coroutine.yield('done') end)",
    'end',
  ]
  writeFileSync(join(folder, 'app.lua'), app.join('\n'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const args = [
  '--http-socket',
  '127.0.0.1:0',
  '--mount',
  '/=app.lua',
  '--workers',
  '4',
  '--cache2',
  'name=default,items=10',
  '--master-fifo',
  'fifo',
]
const start = (...more: readonly string[]): Promise<Server> => Server.start({ cwd: folder, args: [...args, ...more] })
const ask = async (server: Server, path: string): Promise<string> => await (await fetch(server.http + path)).text()
/** The status of each worker, as the server tells it when it is asked. */
const states = async (server: Server): Promise<string[]> => {
  const before = server.log.length
  appendFileSync(join(folder, 'fifo'), 's')
  await server.logged(/worker 4: \w+, /, server.log.split(/worker 4: \w+, /).length)
  return [...server.log.slice(before).matchAll(/worker \d: (\w+), /g)].map((match) => match[1] as string)
}

it('starts with few workers, has more when none is idle, and fewer again when there is nothing to do', async () => {
  await using server = await start('--cheaper', '1', '--cheaper-step', '2', '--cheaper-overload', '1')
  expect(await states(server)).toEqual(['idle', 'cheap', 'cheap', 'cheap'])
  // The first one waits in the only worker; the one after it for another worker.
  const waiting = [ask(server, '/wait'), ask(server, '/')]
  await server.logged('[cheaper] 3 workers are to run (of 4; 1 before)')
  expect(await waiting[1]).toBe('done')
  await ask(server, '/open')
  expect(await waiting[0]).toBe('done')
  await server.logged('[cheaper] 1 workers are to run (of 4; 2 before)')
  let now: string[]
  do now = await states(server)
  while (now.filter((state) => state === 'cheap').length < 3)
  expect(now.toSorted()).toEqual(['cheap', 'cheap', 'cheap', 'idle'])
  expect(await ask(server, '/')).toBe('done')
  expect(await server.stop()).toBe(0)
})

it('has more workers when requests wait, with the algorithm backlog', async () => {
  await using server = await start('--cheaper', '1', '--cheaper-algo', 'backlog', '--cheaper-overload', '2')
  const waiting = [ask(server, '/wait'), ...Array.from({ length: 4 }, () => ask(server, '/'))]
  await server.logged('[cheaper] 2 workers are to run (of 4; 1 before)')
  await server.logged(/worker [234]: ready in/)
  await ask(server, '/open')
  expect(await Promise.all(waiting)).toEqual(new Array(5).fill('done'))
})

it('changes by hand alone with the algorithm manual, and no request is lost by it', async () => {
  await using server = await start('--cheaper', '1', '--cheaper-initial', '2', '--cheaper-algo', 'manual')
  expect(await states(server)).toEqual(['idle', 'idle', 'cheap', 'cheap'])
  let isOver = false
  const client = async (): Promise<void> => {
    while (!isOver) expect(await ask(server, '/')).toBe('done')
  }
  const clients = Array.from({ length: 4 }, client)
  appendFileSync(join(folder, 'fifo'), '+++')
  await server.logged('[cheaper] 4 workers are to run')
  await server.logged('worker 4: ready in')
  appendFileSync(join(folder, 'fifo'), '-----')
  await server.logged('[cheaper] 1 workers are to run')
  let now: string[]
  do now = await states(server)
  while (now.filter((state) => state === 'cheap').length < 3)
  isOver = true
  await Promise.all(clients)
  expect(await server.stop()).toBe(0)
})

it.each([
  [['--cheaper', '4'], 'cheaper = 4: invalid cheaper value: must be lower than processes (4)'],
  [
    ['--cheaper', '1', '--cheaper-algo', 'x'],
    'cheaper-algo = x: there is no such algorithm: spare, backlog, busyness and manual are known',
  ],
])('is refused where it cannot be: %j', async (more, message) => {
  await using server = Server.spawn({ cwd: folder, args: [...args, ...more] })
  expect(await server.exited()).toBe(2)
  expect(server.log).toContain(message)
})
