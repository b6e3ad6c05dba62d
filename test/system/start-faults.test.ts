// What the server cannot start with, each said in one line that names the option or the file, and told apart by the exit
// code: 2 is for who configures, 3 for who writes the app, 1 for a moment that may pass.
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Server } from '../support/server.ts'

const apps = fileURLToPath(new URL('../apps/system', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'polywsgi-start-faults-'))
afterAll(() => rmSync(folder, { recursive: true }))

beforeAll(() => {
  for (const name of ['folder.d', 'folder.py', 'folder.lua', 'folder.mjs']) mkdirSync(join(folder, name))
  for (const name of ['loop.py', 'loop.lua', 'loop.mjs', 'loop.ini']) symlinkSync(name, join(folder, name))
  for (const [name, text] of Object.entries({
    plain: 'x',
    'broken.ini': '[uwsgi]\nworkers = 2\n[broken\n',
    'broken.yaml': 'uwsgi: [1\n  a: {',
    'broken.json': '{"uwsgi": {"workers": 2,}}',
    'broken.xml': '<uwsgi><workers>2</uwsgi>',
    'broken.toml': '[uwsgi]\nworkers = = 2',
    'binary.ini': '\0\xff\xfe[uwsgi]',
    'broken.py': 'def application(:\n',
    'broken.lua': 'return function(\n',
    'broken.mjs': 'export default {\n',
  })) {
    writeFileSync(join(folder, name), Buffer.from(text, 'latin1'))
  }
})

const run = async (...args: string[]): Promise<{ code: number | null; lines: string[] }> => {
  await using server = Server.spawn({ args, cwd: folder })
  const code = await server.exited()
  return { code, lines: server.log.trimEnd().split('\n') }
}
/** What the command says of itself: one line, no stack. */
const complaint = (lines: readonly string[]): string => {
  expect(lines.filter((line) => line.startsWith('polywsgi: '))).toHaveLength(1)
  expect(lines.join('\n')).not.toMatch(/^ {4}at .*(?:node:|dist\/)/m)
  return lines.find((line) => line.startsWith('polywsgi: ')) as string
}

describe('exit code 2', () => {
  it.each<[args: string[], text: RegExp]>([
    [['none.ini'], /cannot read none\.ini: there is no such file/],
    [['loop.ini'], /cannot read loop\.ini: ELOOP/],
    [['--ini', 'folder.d'], /cannot read folder\.d: /],
    [['binary.ini'], /cannot read binary\.ini: it is not UTF-8 text/],
    [['broken.ini'], /broken\.ini:3: /],
    [['broken.yaml'], /broken\.yaml:1: not YAML: /],
    [['broken.json'], /broken\.json:1: not JSON: /],
    [['broken.xml'], /broken\.xml:1: not XML: /],
    [['broken.toml'], /broken\.toml:2: not TOML: /],
    [['--logto', '/dev/full'], /logto = \/dev\/full: the file cannot be written: ENOSPC/],
    [['--logto', '/dev/full', '--log-json'], /logto = \/dev\/full: the file cannot be written: ENOSPC/],
    [['--logto', 'folder.d'], /logto = folder\.d: the file cannot be opened: EISDIR/],
    [['--logto', 'none/log'], /logto = none\/log: the file cannot be opened: ENOENT/],
    [['--log-maxsize', '1k'], /log-maxsize = 1024: there is no file of the log: give logto = FILE too/],
    [['--log-backupname', 'old'], /log-backupname = old: there is no file of the log/],
    [['--touch-logreopen', 'x'], /touch-logreopen = x: there is no file of the log/],
    [['--touch-logrotate', 'x'], /touch-logrotate = x: there is no file of the log/],
    [['--logto', 'log', '--log-backupname', './log'], /log-backupname = \.\/log: this is the file of logto/],
    [['--pidfile', 'none/pid'], /pidfile = none\/pid: the file cannot be written: ENOENT/],
    [['--pidfile', '/dev/full'], /pidfile = \/dev\/full: the file cannot be written: ENOSPC/],
    [['--chdir', 'none'], /chdir = none: the directory cannot be entered: ENOENT/],
    [['--chdir', 'plain'], /chdir = plain: the directory cannot be entered: ENOTDIR/],
    [['--spooler', 'none'], /spooler = none: there is no such directory/],
    [['--spooler', 'plain'], /spooler = plain: it is no directory/],
    [['--cache2', 'name=a,items=9,store=none/store'], /cache2 a: the store .*none\/store cannot be written: ENOENT/],
    [['--cache2', 'name=a,items=9,store=folder.d'], /cache2 a: the store .*folder\.d cannot be read: EISDIR/],
    [['--load-file-in-cache', 'none', '--cache2', 'name=a,items=9'], /load-file-in-cache = none: .*cannot be read: ENOENT/],
    [['--http-socket', '127.0.0.1:99999'], /http-socket = 127\.0\.0\.1:99999: the port '99999'/],
    [['--socket', 'x'.repeat(200)], /socket = x+.*longer than the 107/],
  ])('ends a start with %j, and the line names it', async (args, text) => {
    const { code, lines } = await run(...args)
    expect(complaint(lines)).toMatch(text)
    expect(code).toBe(2)
  })
})

describe('exit code 3', () => {
  it.each<[app: string, text: RegExp]>([
    ['loop.py', /loop\.py.*(?:ELOOP|symbolic links)/],
    ['loop.lua', /loop\.lua.*ELOOP/],
    ['loop.mjs', /loop\.mjs.*no such file/],
    ['folder.py', /folder\.py: it is not a file/],
    ['folder.lua', /folder\.lua.*EISDIR/],
    ['folder.mjs', /folder\.mjs: no such file/],
    ['none.py', /cannot load .*none\.py: .*no such file/i],
    ['none.lua', /cannot load .*none\.lua: .*no such file/i],
    ['none.mjs', /cannot load .*none\.mjs: .*no such file/i],
    ['folder.d', /no plugin loads .*folder\.d: /],
    ['broken.py', /broken\.py.*SyntaxError/],
    ['broken.lua', /broken\.lua:\d/],
    ['broken.mjs', /broken\.mjs.*SyntaxError/],
  ])('ends a start with need-app and the app %s, and the line names it', async (app, text) => {
    const { code, lines } = await run('--need-app', '--mount', `/x=${app}`)
    expect(complaint(lines)).toMatch(/^polywsgi: unable to load the app at \/x: /)
    expect(complaint(lines)).toMatch(text)
    expect(lines.at(-1)).toBe('*** no app loaded. GAME OVER ***')
    expect(code).toBe(3)
  })

  it('ends a start with need-app and no app', async () => {
    const { code, lines } = await run('--need-app')
    expect(complaint(lines)).toBe('polywsgi: no app is configured, and need-app is set')
    expect(code).toBe(3)
  })
})

describe('exit code 1', () => {
  it('is for a port that another program has', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as { port: number }
    for (const option of ['--http-socket', '--socket']) {
      const { code, lines } = await run(option, `127.0.0.1:${port}`)
      expect(complaint(lines)).toBe(`polywsgi: cannot listen on 127.0.0.1:${port}: the address is in use by another program`)
      expect(code).toBe(1)
    }
    other.close()
  })

  it.each<[address: string, text: string]>([
    ['none/x.sock', 'cannot listen on none/x.sock: the directory none does not exist'],
    ['plain/x.sock', 'cannot listen on plain/x.sock: plain is no directory'],
    ['folder.d', 'cannot listen on folder.d: the file exists and is not a socket'],
    ['203.0.113.9:80', 'cannot listen on 203.0.113.9:80: this machine has no such address'],
  ])('is for a socket at %s', async (address, text) => {
    const { code, lines } = await run('--socket', address)
    expect(complaint(lines)).toBe(`polywsgi: ${text}`)
    expect(code).toBe(1)
  })

  it('is for a unix socket that a living server holds; the one of a dead server is replaced, for HTTP and uwsgi', async () => {
    for (const option of ['--http-socket', '--socket']) {
      const path = join(folder, `left${option}.sock`)
      const dead = await Server.start({ args: [option, path] })
      dead.kill('SIGKILL')
      await dead.exited()
      await using next = await Server.start({ args: [option, path] })
      const { code, lines } = await run(option, path)
      expect(complaint(lines)).toBe(`polywsgi: cannot listen on ${path}: the address is in use by another program`)
      expect(code).toBe(1)
      // It was refused without harm to the one that serves.
      expect(await next.stop()).toBe(0)
    }
  })

  it('leaves the pidfile of another server alone', async () => {
    const pidfile = join(folder, 'other.pid')
    await using server = await Server.start({ args: ['--http-socket', '127.0.0.1:0', '--pidfile', pidfile] })
    const { port } = new URL(server.http)
    expect((await run('--http-socket', `127.0.0.1:${port}`, '--pidfile', pidfile)).code).toBe(1)
    expect(readFileSync(pidfile, 'utf8')).toBe(`${server.pid}\n`)
  })
})

describe('a disk that fills while the server serves', () => {
  it('costs lines of the log, which are counted and told, and no request', async () => {
    const log = join(folder, 'filling.log')
    const app = join(apps, 'good.lua')
    await using server = await Server.start({
      args: ['--http-socket', '127.0.0.1:0', '--mount', `/=${app}`, '--logto', log],
      largestFile: 8192,
    })
    const path = `/${'x'.repeat(500)}`
    const get = async (): Promise<number> => {
      const response = await fetch(`${server.http}${path}`)
      await response.arrayBuffer()
      return response.status
    }
    const isFull = (): boolean => server.log.includes(`polywsgi: logto = ${log}: lines are lost: EFBIG`)
    for (let n = 0; n < 30; n += 1) expect(await get()).toBe(200)
    // The lines of requests are written by the worker, whose losses nobody is told until lines can be written again.
    server.kill('SIGHUP')
    while (!isFull()) await new Promise((resolve) => setImmediate(resolve))
    expect(readFileSync(log).length).toBe(8192)
    // The reload renewed the worker and its count: so requests whose lines are lost now.
    expect(await get()).toBe(200)
    closeSync(openSync(log, 'w'))
    expect(await get()).toBe(200)
    await server.stop()
    const text = readFileSync(log, 'utf8')
    expect(text).toMatch(/\[log\] \d+ earlier lines? could not be written\n/)
    expect(text).toContain(`GET ${path} => generated`)
  })

  it.each(['http', 'uwsgi'] as const)(
    'costs a body that does not fit a 507 over %s, said in the log, and nobody else',
    async (protocol) => {
      const { getVars, uwsgiRequest } = await import('../support/uwsgi-client.ts')
      await using server = await Server.start({
        args: [
          '--http-socket',
          '127.0.0.1:0',
          '--socket',
          '127.0.0.1:0',
          '--mount',
          `/=${apps}/good.lua`,
          '--post-buffering',
          '4096',
        ],
        largestFile: 65_536,
      })
      const body = Buffer.alloc(1_000_000)
      const post = async (): Promise<string> => {
        if (protocol === 'uwsgi') return await uwsgiRequest(server.uwsgi, getVars('/', { REQUEST_METHOD: 'POST' }), body)
        const response = await fetch(server.http, { method: 'POST', body })
        return `HTTP/1.1 ${response.status} ${await response.text()}`
      }
      expect(await post()).toMatch(/^HTTP\/1\.1 507 .*Insufficient Storage\n$/s)
      await server.logged('127.0.0.1: a request body could not be spooled: EFBIG')
      expect(await (await fetch(server.http)).text()).toBe('good')
    },
  )

  it('a directory for bodies that is not there costs a body a 503, said in the log', async () => {
    await using server = await Server.start({
      args: ['--http-socket', '127.0.0.1:0', '--mount', `/=${apps}/good.lua`, '--post-buffering', '4096'],
      env: { TMPDIR: join(folder, 'none') },
    })
    const response = await fetch(server.http, { method: 'POST', body: Buffer.alloc(100_000) })
    expect(response.status).toBe(503)
    await server.logged(/127\.0\.0\.1: a request body could not be spooled: ENOENT/)
  })
})
