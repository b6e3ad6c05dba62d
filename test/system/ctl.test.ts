// `polywsgi ctl` against a running server, as an operator types it.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FullServer, languages } from '../support/full-server.ts'
import { cliPath } from '../support/server.ts'

let folder: string
let socket: string
let full: FullServer
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'polywsgi-ctl-'))
  socket = join(folder, 'ctl')
  full = await FullServer.start('--ctl', socket)
})
afterAll(async () => {
  await full[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const ctl = async (...args: string[]): Promise<{ code: number; out: string; err: string }> => {
  const child = spawn(process.execPath, [cliPath, 'ctl', '--socket', socket, ...args])
  let out = ''
  let err = ''
  child.stdout.setEncoding('latin1').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  const [code] = await once(child, 'close')
  return { code, out, err }
}

describe('polywsgi ctl', () => {
  it('shows the workers as a table, and as JSON', async () => {
    const { code, out } = await ctl('workers')
    expect(code).toBe(0)
    expect(out).toMatch(/^WORKER +STATUS +RUNNING[^\n]*\n +1 +idle +0 /)
    expect(out).toMatch(/python \d+M/)
    expect(JSON.parse((await ctl('workers', '--json')).out)).toMatchObject([{ id: 1, accepting: true, running: 0 }])
    expect(JSON.parse((await ctl('stats')).out)).toMatchObject({ pid: full.server.pid, workers: [{ id: 1 }] })
  })

  it.each(languages)('has the caches in common with guests in %s', async (language) => {
    expect((await ctl('cache', 'set', 'from-operator', 'a b')).out).toBe('set\n')
    const get = { python: 'return uwsgi.cache_get("from-operator")', lua: 'uwsgi.cache_get("from-operator")' }
    const code = language === 'js' ? 'return uwsgi.cacheGet("from-operator")' : get[language]
    expect((await full.run(language, code)).text).toContain('a b')
    expect((await ctl('cache', 'get', 'from-operator')).out).toBe('a b\n')
    expect((await ctl('cache', 'get', 'from-operator', '--cache', 'other')).code).toBe(1)
    expect((await ctl('cache', 'ls')).out).toMatch(/^CACHE[^\n]*\ndefault +1 +100/)
    expect((await ctl('cache', 'ls', 'default')).out).toBe('from-operator\n')
    expect((await ctl('cache', 'clear')).code).toBe(0)
    expect((await ctl('cache', 'del', 'from-operator')).err).toBe("polywsgi ctl: there is no item 'from-operator'\n")
  })

  it('calls functions of guests, with what they answer byte by byte, and their errors', async () => {
    const registered = await full.run(
      'python',
      'def f(*args):\n  if not args: raise ValueError("no argument")\n  return b"\\xff" + b"|".join(args)\nuwsgi.register_rpc("join", f)',
    )
    expect(registered.ok).toBe(true)
    expect((await ctl('rpc', 'call', 'join', 'a', 'b c')).out).toBe('\xffa|b c\n')
    expect((await ctl('rpc', 'ls')).out).toContain('join\n')
    const raised = await ctl('rpc', 'call', 'join')
    expect([raised.code, raised.out]).toEqual([1, ''])
    expect(raised.err).toContain('no argument')
    expect(await ctl('rpc', 'call', 'nothing')).toMatchObject({
      code: 1,
      err: "polywsgi ctl: there is no rpc function 'nothing'\n",
    })
  })

  it('raises signals, and tells who has them', async () => {
    const code = 'uwsgi.register_signal(42, "worker", lambda n: print(f"signal {n} came"))'
    expect((await full.run('python', code)).ok).toBe(true)
    expect((await ctl('signals')).out).toMatch(/^SIGNAL +RECEIVER +HANDLERS\n +42 +worker +1\n$/)
    expect((await ctl('signal', '42')).out).toBe('signal 42 raised\n')
    await full.server.logged('signal 42 came')
  })

  it('has the apps loaded anew, and returns when they are', async () => {
    expect((await ctl('reload')).out).toBe('reloaded (graceful)\n')
    expect(full.server.log).toContain('polywsgi ctl: reload (graceful)')
    expect(full.server.log).toContain('reload complete')
    expect((await ctl('reload', 'hard')).code).toBe(1)
  })

  it('understands its command line or exits with 2, and with 3 where nobody listens', async () => {
    expect((await ctl('dance')).code).toBe(2)
    expect((await ctl('--socket', join(folder, 'none'), 'workers')).code).toBe(3)
    expect((await ctl('--help')).out).toMatch(/^Usage: polywsgi ctl /)
  })

  it('is for the user of the server alone', () => {
    expect(statSync(socket).mode & 0o777).toBe(0o600)
  })

  it.each(languages)('is out of reach of guests in %s, by whatever path', async (language) => {
    const link = join(folder, `link-${language}`)
    symlinkSync(socket, link)
    for (const path of [socket, link, `/proc/self/root${socket}`]) {
      const answer = await full.run(language, `${language === 'lua' ? '' : 'return '}uwsgi.connect(${JSON.stringify(path)})`)
      expect(answer.text).toContain('guests may not connect to the control socket of their server')
    }
  })

  it('is refused a port, and a path that is another file', () => {
    const start = (path: string) => spawnSync(process.execPath, [cliPath, '--ctl', path], { encoding: 'utf8' })
    expect(start('127.0.0.1:9')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('by the path of a unix socket only'),
    })
    const taken = start(cliPath)
    expect(taken.status).toBe(1)
    expect(taken.stderr).toContain('the file exists and is not a socket')
  })

  it('stops the server, which leaves no socket behind', async () => {
    expect(await ctl('stop')).toMatchObject({ code: 0, out: 'stopping\n' })
    expect(await full.server.exited()).toBe(0)
    expect(existsSync(socket)).toBe(false)
    expect((await ctl('workers')).code).toBe(3)
  })
})
