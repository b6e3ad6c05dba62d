// Reloads of the running program: new threads boot while the old ones serve, requests move, nothing is lost; what cannot be loaded
// changes nothing. Apps are JavaScript, since its threads start quickest, where nothing is about a language.
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Nginx } from '../support/nginx.ts'
import { describeWithPeers } from '../support/peers.ts'
import { cliPath, Server } from '../support/server.ts'
import { SteadyLoad } from '../support/steady-load.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'polywsgi-reload-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const write = (text: string, name = 'app.mjs'): void => writeFileSync(join(folder, name), text)
/** Says its version; `/held` waits for the cache to have `go`, and keeps its thread meanwhile. */
const version = (text: string, more = ''): string => `import uwsgi from 'uwsgi'
${more}
export default (request) => {
  const { pathname } = new URL(request.url)
  if (pathname === '/held') {
    uwsgi.log('holding ${text}')
    while (!uwsgi.cacheExists('go')) {}
  }
  if (pathname === '/go') uwsgi.cacheSet('go', '1')
  return new Response('${text} of worker ' + uwsgi.workerId())
}
`
const start = (...args: string[]): Promise<Server> =>
  Server.start({
    cwd: folder,
    args: [
      ...['--http-socket', '127.0.0.1:0', '--socket', '127.0.0.1:0', '--mount', '/=app.mjs'],
      ...['--cache2', 'name=c,items=10', '--ctl', join(folder, 'ctl'), ...args],
    ],
  })
const said = async (server: Server, path = '/'): Promise<string> => await (await fetch(`${server.http}${path}`)).text()
const reload = async (kind: string): Promise<{ code: number; text: string }> => {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [
      cliPath,
      'ctl',
      '--socket',
      join(folder, 'ctl'),
      'reload',
      kind,
    ])
    return { code: 0, text: stdout }
  } catch (error) {
    const { code, stderr } = error as { code: number; stderr: string }
    return { code, text: stderr }
  }
}
const isVersion = (body: string): boolean => /^v\d+ of worker [12]$/.test(body)

/** Ten times, each with another version of the app. */
const reloadTenTimes = async (server: Server): Promise<void> => {
  for (let n = 1; n <= 10; n += 1) {
    write(version(`v${n}`))
    server.kill('SIGHUP')
    await server.logged('reload complete', n)
    expect(await said(server)).toMatch(new RegExp(`^v${n} of worker [12]$`))
  }
}

describe('ten reloads under load', () => {
  it('lose no request, on either protocol', async () => {
    write(version('v0'))
    await using server = await start('--workers', '2', '--disable-logging')
    const load = new SteadyLoad(isVersion).http(server.http, 4).uwsgi(server.uwsgi, 4)
    await reloadTenTimes(server)
    await load.stop()
    expect(load.faults).toEqual([])
    expect(load.asked).toBeGreaterThan(100)
    expect(await server.stop()).toBe(0)
  })
})

describeWithPeers('ten reloads under load through nginx', ['nginx'], () => {
  it('lose no request', async () => {
    write(version('v0'))
    await using server = await start('--workers', '2', '--disable-logging')
    await using nginx = await Nginx.start(`location / { UWSGI_PARAMS uwsgi_pass ${server.uwsgi}; }`)
    const load = new SteadyLoad(isVersion).http(nginx.url, 4)
    await reloadTenTimes(server)
    await load.stop()
    expect(load.faults).toEqual([])
    expect(load.asked).toBeGreaterThan(100)
  })
})

describe('a graceful reload', () => {
  it('lets the only worker finish a long request while the new one serves', async () => {
    write(version('old'))
    await using server = await start()
    const held = said(server, '/held')
    await server.logged('holding old')
    write(version('new'))
    server.kill('SIGHUP')
    await server.logged('reload complete')
    expect(await said(server)).toBe('new of worker 1')
    expect(await said(server, '/go')).toBe('new of worker 1')
    expect(await held).toBe('old of worker 1')
    expect(server.log).not.toContain('DAMN')
  })

  it('ends a request that does not, after worker-reload-mercy, and answers it 503', async () => {
    write(version('old'))
    await using server = await start('--worker-reload-mercy', '0.5')
    const held = fetch(`${server.http}/held`)
    await server.logged('holding old')
    server.kill('SIGHUP')
    expect((await held).status).toBe(503)
    await server.logged('worker 1 is taking too much time to die...NO MERCY !!! (1 running requests answered 503)')
    expect(server.log).toContain('it took longer than worker-reload-mercy')
    expect(await said(server)).toBe('old of worker 1')
  })

  it.each([
    ['is no program', 'this is no JavaScript'],
    ['ends its thread', "import uwsgi from 'uwsgi'\nuwsgi.setUserHarakiri(1)\nfor (;;) {}"],
  ])('to an app that %s leaves the old one serving, and says why', async (_, text) => {
    write(version('old'))
    await using server = await start('--workers', '2', '--harakiri-grace', '0.1')
    write(text)
    server.kill('SIGHUP')
    await server.logged(/reload given up: [\s\S]*: the old generation goes on serving/)
    for (let n = 0; n < 4; n += 1) expect(await said(server)).toMatch(/^old of worker/)
    write(version('new'))
    server.kill('SIGHUP')
    await server.logged('reload complete')
    expect(await said(server)).toMatch(/^new of worker/)
  })

  it.each([
    [
      'app.py',
      (text: string) => `def application(environ, start_response):\n    start_response('200 OK', [])\n    return [b'${text}']\n`,
    ],
    ['app.lua', (text: string) => `return function() return '200 OK', {}, '${text}' end`],
    ['app.mjs', (text: string) => `export default () => new Response('${text}')`],
  ])('loads %s anew', async (name, source) => {
    write(source('old'), name)
    await using server = await Server.start({
      cwd: folder,
      args: ['--http-socket', '127.0.0.1:0', '--mount', `/=${name}`],
    })
    expect(await said(server)).toBe('old')
    write(source('new'), name)
    server.kill('SIGHUP')
    await server.logged('reload complete')
    expect(await said(server)).toBe('new')
  })
})

describe('a chain', () => {
  it('renews thread by thread, and says which is next', async () => {
    write(version('old'))
    await using server = await start('--workers', '2', '--mule')
    write(version('new'))
    expect(await reload('chain')).toEqual({ code: 0, text: 'reloaded (chain)\n' })
    const lines = server.log.split('\n').filter((line) => /^chain|^worker \d: ready|^mule \d: ready/.test(line))
    expect(lines.slice(-7).map((line) => line.replace(/ in .*/, ''))).toEqual([
      'chain next victim is worker 1',
      'worker 1: ready',
      'chain next victim is worker 2',
      'worker 2: ready',
      'chain next victim is mule 1',
      'mule 1: ready',
      'chain reloading complete',
    ])
    for (let n = 0; n < 4; n += 1) expect(await said(server)).toMatch(/^new of worker/)
  })

  it('ends where an app does not load', async () => {
    write(version('old'))
    await using server = await start('--workers', '2')
    write('this is no JavaScript')
    expect((await reload('chain')).code).toBe(1)
    expect(server.log).toContain('chain reload given up, the other threads go on as they are: unable to load the app at /')
    expect(await said(server)).toMatch(/^old of worker/)
  })
})

describe('mules and spoolers', () => {
  const atWork = (text: string): string =>
    version(
      text,
      `const held = (what) => {
        uwsgi.log(what + ' begun by ${text}')
        while (!uwsgi.cacheExists('go')) {}
        uwsgi.log(what + ' done by ${text}')
      }
      uwsgi.muleMsgHook = (message) => held('message ' + message)
      uwsgi.spooler = ({ name }) => {
        held('job ' + name)
        return uwsgi.SPOOL_OK
      }
      uwsgi.registerRpc('send', (what) => { uwsgi.muleMsg(what, 1) })
      uwsgi.registerRpc('spool', (name) => { uwsgi.spool({ name }) })`,
    )
  const ask = async (...args: string[]): Promise<unknown> =>
    await promisify(execFile)(process.execPath, [cliPath, 'ctl', '--socket', join(folder, 'ctl'), ...args])

  it('finish what they are at before their successors take anything', async () => {
    mkdirSync(join(folder, 'jobs'))
    write(atWork('old'))
    await using server = await start('--mule', '--spooler', join(folder, 'jobs'))
    await ask('rpc', 'call', 'send', 'one')
    await ask('rpc', 'call', 'spool', 'one')
    await server.logged('message one begun by old')
    await server.logged('job one begun by old')
    await ask('rpc', 'call', 'send', 'two')
    write(atWork('new'))
    server.kill('SIGHUP')
    // The worker has moved already.
    await server.logged('worker 1: ready', 2)
    await ask('rpc', 'call', 'spool', 'two')
    expect(await said(server, '/go')).toBe('new of worker 1')
    await server.logged('message two done by new')
    await server.logged('job two done by new')
    await server.logged('reload complete')
    const order = [...server.log.matchAll(/(?:message|job) (?:one|two) (?:begun|done) by (?:old|new)/g)].map(([line]) => line)
    for (const what of ['message', 'job'])
      expect(order.filter((line) => line.startsWith(what))).toEqual([
        `${what} one begun by old`,
        `${what} one done by old`,
        `${what} two begun by new`,
        `${what} two done by new`,
      ])
  })

  it('may be reloaded alone', async () => {
    write(atWork('old'))
    await using server = await start('--mule')
    write(atWork('new'))
    expect((await reload('mules')).code).toBe(0)
    expect(await said(server, '/go')).toBe('old of worker 1')
    await ask('rpc', 'call', 'send', 'one')
    await server.logged('message one done by new')
  })
})
