// Workers draw their own random numbers: those that start in the same moment from the same memory, and those that stand in for
// workers that died.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Server } from '../support/server.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'polywsgi-randomness-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Each says, as it loads, what it draws; `/die` takes its worker along. */
const apps = {
  python: [
    'app.py',
    `import os, random, secrets, tempfile, uuid
print('drawn', random.random(), random.SystemRandom().random(), secrets.token_hex(8), uuid.uuid4(), uuid.uuid1(),
      tempfile.mktemp(), os.urandom(8).hex())
def application(environ, start_response):
    if environ['PATH_INFO'] == '/die':
        os.abort()
    start_response('200 OK', [])
    return [b'ok']
`,
  ],
  lua: [
    'app.lua',
    `print('drawn', math.random(0), math.random(), math.random(2 ^ 40))
return function() return '200 OK', {}, 'ok' end
`,
  ],
  js: [
    'app.mjs',
    `console.log('drawn', Math.random(), Math.random(), Math.random())
export default () => new Response('ok')
`,
  ],
} as const

it.each(Object.entries(apps))('%s', async (language, [name, text]) => {
  writeFileSync(join(folder, name), text)
  await using server = await Server.start({
    cwd: folder,
    args: ['--http-socket', '127.0.0.1:0', '--workers', '4', '--mount', `/=${name}`],
  })
  const drawn = (): string[][] => [...server.log.matchAll(/drawn(.*)/g)].map(([, line]) => (line as string).trim().split(/\s+/))
  await expect.poll(() => drawn().length, { timeout: 60_000 }).toBe(4)
  let expected = 4
  if (language === 'python') {
    expect((await fetch(new URL('/die', server.http))).status).toBe(500)
    expected += 1
    await expect.poll(() => drawn().length, { timeout: 60_000 }).toBe(expected)
  }
  process.kill(server.pid, 'SIGHUP')
  expected += 4
  await expect.poll(() => drawn().length, { timeout: 60_000 }).toBe(expected)
  const all = drawn()
  const columns = (all[0] as string[]).map((_, column) => new Set(all.map((line) => line[column])).size)
  expect(columns).toEqual(columns.map(() => expected))
})
