// The command: exit codes, what it says, signals, files it writes.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { Server } from '../support/server.ts'

const apps = fileURLToPath(new URL('../apps/system', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'polywsgi-command-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs the command to its end. */
const run = async (...args: string[]): Promise<{ code: number | null; err: string; out: string }> => {
  const server = Server.spawn({ args, cwd: folder })
  const code = await server.exited()
  return { code, err: server.log, out: server.output }
}

describe('the command', () => {
  it('prints its version and its help, and exits 0', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    expect(await run('--version')).toEqual({ code: 0, err: '', out: `${version}\n` })
    const help = await run('--help')
    expect(help.code).toBe(0)
    expect(help.out).toContain('--http-socket')
  })

  it('says nothing of a reader who has had enough', async () => {
    const server = Server.spawn({ args: ['--dot-h'], cwd: folder })
    server.process.stdout?.destroy()
    expect(await server.exited()).toBe(0)
    expect(server.log).toBe('')
  })

  it('refuses an unknown option by name, with the nearest one, and exits 2', async () => {
    const { code, err } = await run('--wokers', '2')
    expect(code).toBe(2)
    expect(err).toMatch(/^polywsgi: .*--wokers.*--workers/)
    expect(err).not.toContain('    at ')
  })

  it.each([
    [['--buffer-size', '70000'], /buffer-size.*65535/],
    [['--workers', 'many'], /workers.*many/],
    [['no-such.ini'], /no-such\.ini/],
  ])('refuses %j with what is wrong, and exits 2', async (args, message) => {
    const { code, err } = await run(...args)
    expect(code).toBe(2)
    expect(err).toMatch(message)
  })

  it('says that an address is in use, and exits 1', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as { port: number }
    const { code, err } = await run('--http-socket', `127.0.0.1:${port}`)
    expect(code).toBe(1)
    expect(err).toContain(`polywsgi: cannot listen on 127.0.0.1:${port}: the address is in use by another program`)
    other.close()
  })

  it('replaces a unix socket that a dead server left, and nothing else', async () => {
    const path = join(folder, 'left.sock')
    const dead = await Server.start({ args: ['--socket', path] })
    dead.kill('SIGKILL')
    await dead.exited()
    expect(existsSync(path)).toBe(true)
    await using next = await Server.start({ args: ['--socket', path] })
    expect((await run('--socket', path)).err).toContain(`cannot listen on ${path}: the address is in use by another program`)
    await next.stop()
    writeFileSync(join(folder, 'file'), 'kept')
    expect((await run('--socket', join(folder, 'file'))).err).toContain('the file exists and is not a socket')
    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('kept')
  })

  it('ends when an app cannot be loaded and need-app is set, with the guest traceback', async () => {
    const { code, err } = await run('--need-app', '--mount', `/broken=${apps}/broken.lua`)
    expect(code).toBe(3)
    expect(err).toContain('unable to load the app at /broken')
    expect(err).toMatch(/broken\.lua:2:/)
    expect(err).toContain('*** no app loaded. GAME OVER ***')
    expect((await run('--need-app')).err).toContain('no app is configured, and need-app is set')
  })

  it('without need-app serves 500 for an app that could not be loaded, names it in the log, and serves the others', async () => {
    await using server = await Server.start({
      args: ['--http-socket', '127.0.0.1:0', '--mount', `/broken=${apps}/broken.lua`, '--mount', `/good=${apps}/good.lua`],
    })
    const broken = await fetch(`${server.http}/broken/x`)
    expect([broken.status, await broken.text()]).toEqual([500, 'Internal Server Error\n'])
    await server.logged(`--- the app at /broken (${apps}/broken.lua) could not be loaded: see the log of the start ---`)
    expect(await (await fetch(`${server.http}/good`)).text()).toBe('good')
    const nowhere = await fetch(`${server.http}/nowhere`)
    expect([nowhere.status, await nowhere.text()]).toEqual([404, 'Not Found\n'])
  })

  it('refuses a file that no language loads', async () => {
    writeFileSync(join(folder, 'app.rb'), '')
    const { code, err } = await run('--need-app', '--mount', '/x=app.rb')
    expect(code).toBe(3)
    expect(err).toMatch(/no plugin loads .*app\.rb: .*\.py.*\.lua.*\.js/)
  })

  it('writes its pid, and removes the file at the end', async () => {
    const pidfile = join(folder, 'server.pid')
    const server = await Server.start({ args: ['--pidfile', pidfile] })
    expect(readFileSync(pidfile, 'utf8')).toBe(`${server.pid}\n`)
    expect(await server.stop()).toBe(0)
    expect(existsSync(pidfile)).toBe(false)
  })

  it("leaves a pidfile that is another server's by then", async () => {
    const pidfile = join(folder, 'next.pid')
    const server = await Server.start({ args: ['--pidfile', pidfile] })
    writeFileSync(pidfile, '1\n')
    expect(await server.stop()).toBe(0)
    expect(readFileSync(pidfile, 'utf8')).toBe('1\n')
  })

  it('leaves nothing behind when a second signal ends it at once', async () => {
    const left = mkdtempSync(join(folder, 'left-'))
    const paths = ['pidfile', 'stats', 'ctl', 'socket', 'master-fifo'].flatMap((name) => [`--${name}`, join(left, name)])
    // Nothing that is told to a mule ends it: the stop takes its time.
    writeFileSync(join(folder, 'busy.py'), 'while True: pass\n')
    await using server = await Server.start({ args: [...paths, `--mule=${join(folder, 'busy.py')}`] })
    expect(readdirSync(left).length).toBe(5)
    server.kill('SIGTERM')
    await server.logged('stopping gracefully')
    server.kill('SIGTERM')
    expect(await server.exited()).toBe(0)
    expect(server.log).toContain('SIGTERM again: stopping at once')
    expect(readdirSync(left)).toEqual([])
  })

  it('writes one line per request in the format of uWSGI, and none with disable-logging', async () => {
    const args = ['--http-socket', '127.0.0.1:0', '--mount', `/good=${apps}/good.lua`]
    const server = await Server.start({ args })
    await (await fetch(`${server.http}/good/x?y`)).text()
    await server.logged(
      /\[pid: \d+\|app: 0\|req: 1\/1\] 127\.0\.0\.1 \(\) \{\d+ vars in \d+ bytes\} \[\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\] GET \/good\/x\?y => generated 4 bytes in \d+ msecs \(HTTP\/1\.1 200\) 1 headers in 45 bytes \(1 switches on core 0\)\n/,
    )
    await server.stop()
    const silent = await Server.start({ args: [...args, '--disable-logging'] })
    await (await fetch(`${silent.http}/good`)).text()
    await silent.stop()
    expect(silent.log).not.toContain('/good =>')
  })

  it('logs to a file, in a format of the operator or in JSON', async () => {
    const logto = join(folder, 'server.log')
    const args = ['--http-socket', '127.0.0.1:0', '--mount', `/good=${apps}/good.lua`, '--logto', logto]
    const formatted = await Server.start({ args: [...args, '--log-format', '%(method) %(uri) -> %(status)'] })
    await (await fetch(`${formatted.http}/good`)).text()
    await formatted.stop()
    expect(readFileSync(logto, 'utf8')).toContain('\nGET /good -> 200\n')
    rmSync(logto)
    const json = await Server.start({ args: [...args, '--log-json'] })
    await (await fetch(`${json.http}/good`)).text()
    await json.stop()
    const lines = readFileSync(logto, 'utf8').trimEnd().split('\n')
    const objects = lines.map((line) => JSON.parse(line))
    expect(objects).toContainEqual(
      expect.objectContaining({ msg: 'request', method: 'GET', uri: '/good', status: 200, worker: 1, app: 0 }),
    )
  })

  it('refuses a log file that it cannot write, and exits 2', async () => {
    const { code, err } = await run('--logto', '/no/such/folder/log')
    expect(code).toBe(2)
    expect(err).toMatch(/^polywsgi: logto = \/no\/such\/folder\/log: the file cannot be opened: ENOENT/)
  })

  it('lists its plugins as uWSGI does', async () => {
    const { code, out } = await run('--plugins-list')
    expect(code).toBe(0)
    expect(out).toBe(
      '*** polywsgi loaded generic plugins ***\n\n*** polywsgi loaded request plugins ***\n0: python\n6: lua\n24: js\n100: ping\n101: echo\n110: signal\n111: cache\n173: rpc\n--- end of plugins list ---\n',
    )
  })

  it.each([
    ['python3,http', /polywsgi ready/],
    ['0:python3', /polywsgi ready/],
    ['nonsense', /!!! UNABLE to load plugin nonsense: .* !!!\n(?:.*\n)*polywsgi ready/],
  ])('takes --plugin %s as it should', async (plugin, message) => {
    await using server = Server.spawn({ args: ['--plugin', plugin], cwd: folder })
    await server.logged(message)
  })

  it('reloads on SIGHUP', async () => {
    await using server = await Server.start({ args: [] })
    server.kill('SIGHUP')
    await server.logged('SIGHUP: reloading')
    await server.logged('reload complete')
    expect(await server.stop()).toBe(0)
  })

  it('tells what it does while it starts', async () => {
    await using server = await Server.start({
      args: ['--http-socket', '127.0.0.1:0', '--workers', '2', '--mount', `/good=${apps}/good.lua`],
    })
    for (const worker of [1, 2]) {
      expect(server.log).toMatch(new RegExp(`worker ${worker}: lua booted in \\d+\\.\\d\\d s`))
      expect(server.log).toMatch(
        new RegExp(`worker ${worker}: app 0 \\(mountpoint='/good', .*good\\.lua\\) ready in \\d+\\.\\d\\d s \\(lua\\)`),
      )
      expect(server.log).toMatch(new RegExp(`worker ${worker}: ready in \\d+\\.\\d\\d s`))
    }
    expect(server.log.match(/polywsgi ready/g)).toHaveLength(1)
    expect(server.log.trimEnd().split('\n').at(-1)).toMatch(/^polywsgi ready \(http:\/\/127\.0\.0\.1:\d+\)$/)
  })

  it('holds requests that come before its workers are ready', async () => {
    const path = join(folder, 'early.sock')
    const server = Server.spawn({ args: ['--http-socket', path, '--mount', `/py=${apps}/slow_start.py`] })
    while (!existsSync(path)) await new Promise((resolve) => setImmediate(resolve))
    const { request } = await import('node:http')
    const status = await new Promise((resolve, reject) => {
      request({ socketPath: path, path: '/py' }, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end()
      expect(server.log).not.toContain('polywsgi ready')
    })
    expect(status).toBe(200)
    await server.logged('polywsgi ready')
    expect(await server.stop()).toBe(0)
  })

  it('says in one line what to do when its Node is too old', async () => {
    const { spawnSync } = await import('node:child_process')
    const old = ['/usr/bin/node', '/usr/local/bin/node'].find(
      (path) => existsSync(path) && spawnSync(path, ['-v']).stdout.toString() < 'v26',
    )
    if (old === undefined) return
    const { status, stderr } = spawnSync(old, [fileURLToPath(new URL('../../dist/cli.js', import.meta.url)), '--version'])
    expect(status).toBe(2)
    expect(stderr.toString()).toMatch(/^polywsgi needs Node\.js 26 or newer, this is \d+\.\d+\.\d+\..*\n$/)
  })
})
