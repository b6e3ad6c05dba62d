// Workers that die, in every language, with a spare one kept ready: their clients are answered, the log says why, and the next
// request is served by the thread that was ready already.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Server } from '../support/server.ts'
import { getVars, uwsgiRequest } from '../support/uwsgi-client.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'polywsgi-respawn-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** What can happen to a thread, as a plugin has it happen. */
const fatalModifier1 = 250
const plugin = `export default {
  name: 'fatal',
  modifier1: ${fatalModifier1},
  request: (request) => {
    const deaths = {
      '/exit': () => process.exit(3),
      '/abort': () => process.abort(),
      '/throw': () => { setImmediate(() => { throw new Error('out of nowhere') }); for (;;) ; },
      '/reject': () => { Promise.reject(new Error('nobody waits')); return new Promise(() => {}) },
      '/memory': () => { const kept = []; for (;;) kept.push(new Array(1e6).fill(kept.length)) },
      '/trap': () => { new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array([
        0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 8, 1, 0, 10, 5, 1, 3, 0, 0, 11]))) },
    }
    return deaths[request.getVar('PATH_INFO')]()
  },
}
`
const apps = {
  python: [
    'app.py',
    "import uwsgi\nboot = uwsgi.worker_id()\ndef application(environ, start_response):\n    start_response('200 OK', [])\n    return [f'{boot} {uwsgi.worker_id()}'.encode()]\n",
  ],
  lua: [
    'app.lua',
    "local uwsgi = require 'uwsgi'\nlocal boot = uwsgi.worker_id()\nreturn function() return '200 OK', {}, boot .. ' ' .. uwsgi.worker_id() end\n",
  ],
  js: [
    'app.mjs',
    "import uwsgi from 'uwsgi'\nconst boot = uwsgi.workerId()\nexport default () => new Response(boot + ' ' + uwsgi.workerId())\n",
  ],
} as const
const start = (language: keyof typeof apps, ...args: string[]): Promise<Server> => {
  const [name, text] = apps[language]
  writeFileSync(join(folder, name), text)
  writeFileSync(join(folder, 'fatal.mjs'), plugin)
  return Server.start({
    cwd: folder,
    // What fills a thread's memory is done with sooner.
    env: { NODE_OPTIONS: '--max-old-space-size=256' },
    args: [
      ...['--http-socket', '127.0.0.1:0', '--socket', '127.0.0.1:0', '--plugin', './fatal.mjs'],
      ...['--mount', `/=${name}`, ...args],
    ],
  })
}
const said = async (server: Server): Promise<string> => await (await fetch(server.http)).text()
const die = async (server: Server, how: string): Promise<string> =>
  (await uwsgiRequest(server.uwsgi, getVars(how), undefined, fatalModifier1)).slice(0, 'HTTP/1.1 500'.length)

describe('a spare worker', () => {
  it.each(Object.keys(apps) as (keyof typeof apps)[])('stands for one that dies: %s', async (language) => {
    await using server = await start(language, '--spare', '1')
    expect(await said(server)).toBe('1 1')
    await server.logged('spare worker: ready in ')
    for (const death of [1, 2]) {
      expect(await die(server, '/exit')).toBe('HTTP/1.1 500')
      // It was no worker yet when it loaded the app, and is the one that has died now.
      expect(await said(server)).toBe('0 1')
      await server.logged('DAMN ! worker 1 died: its thread exited with code 3 (1 running requests answered 500)', death)
      await server.logged('spare worker: ready in ', death + 1)
    }
    expect(await server.stop()).toBe(0)
  })

  it('has loaded what a reload has loaded', async () => {
    await using server = await start('js', '--spare', '1')
    await server.logged('spare worker: ready in ')
    writeFileSync(join(folder, 'app.mjs'), "export default () => new Response('new')")
    server.kill('SIGHUP')
    await server.logged('reload complete')
    await server.logged('spare worker: ready in ', 2)
    expect(await die(server, '/exit')).toBe('HTTP/1.1 500')
    expect(await said(server)).toBe('new')
  })

  it('runs what a guest has set for the start of a worker as that worker', async () => {
    writeFileSync(
      join(folder, 'forked.mjs'),
      "import uwsgi from 'uwsgi'\nuwsgi.postForkHook = () => uwsgi.log('forked as ' + uwsgi.workerId())\nexport default () => new Response('x')",
    )
    await using server = await start('js', '--mount', '/forked=forked.mjs', '--spare', '1', '--workers', '2')
    await server.logged('spare worker: ready in ')
    expect(server.log.match(/forked as \d/g)?.sort()).toEqual(['forked as 1', 'forked as 2'])
    expect(await die(server, '/exit')).toBe('HTTP/1.1 500')
    await server.logged(/forked as [12]/, 3)
  })
})

describe('a thread that dies', () => {
  it.each([
    ['/exit', 'its thread exited with code 3'],
    ['/throw', undefined],
    ['/reject', 'Error: nobody waits'],
    ['/memory', 'ERR_WORKER_OUT_OF_MEMORY'],
  ] as const)('by %s takes nobody along, and the log says why', async (how, cause) => {
    await using server = await start('js', ...(cause === undefined ? ['--harakiri', '1'] : []))
    expect(await die(server, how)).toBe(cause === undefined ? 'HTTP/1.1 504' : 'HTTP/1.1 500')
    await server.logged(/DAMN ! worker 1 died: /)
    if (cause !== undefined) expect(server.log).toContain(cause)
    expect(await said(server)).toBe('1 1')
    expect(await server.stop()).toBe(0)
  })

  it.each(['/abort', '/trap'])('would have by %s, which is an error of its request', async (how) => {
    await using server = await start('js')
    expect(await die(server, how)).toBe('HTTP/1.1 500')
    expect(await said(server)).toBe('1 1')
    expect(await server.stop()).toBe(0)
  })
})
