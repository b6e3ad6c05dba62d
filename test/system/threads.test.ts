// Threads of the running program in trouble: told to stop or reload at the worst moment, asked for what they cannot do, ended in
// the middle of something. Apps are JavaScript, since its threads start quickest.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AppLoadError, createHost, type Host, type HostOptions } from 'polywsgi'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Server } from '../support/server.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'polywsgi-threads-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const write = (name: string, text: string): void => writeFileSync(join(folder, name), `import uwsgi from 'uwsgi'\n${text}\n`)
const answering = (text: string, more = ''): string => `${more}\nexport default () => new Response(${JSON.stringify(text)})`
const hostOf = (options: HostOptions = {}): Promise<Host> =>
  createHost({ cwd: folder, mounts: { '/': 'app.mjs' }, logto: join(folder, 'log'), ...options })
const said = async (host: Host): Promise<string> => await (await host.fetch('http://localhost/')).text()
const serverOf = (...args: string[]): Server =>
  Server.spawn({ cwd: folder, args: ['--http-socket', '127.0.0.1:0', '--mount', '/=app.mjs', ...args] })

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('an app that is being loaded', () => {
  it('may stop the server: the program ends with code 0, and was never ready', async () => {
    write('app.mjs', answering('', 'uwsgi.stop()'))
    await using server = serverOf()
    expect(await server.exited()).toBe(0)
    expect(server.log).toContain('uwsgi.stop(): stopping gracefully')
    expect(server.log).not.toContain('polywsgi ready')
  })

  it('may stop an embedded host, which then never comes to be', async () => {
    write('app.mjs', answering('', 'uwsgi.stop()'))
    await expect(hostOf({ workers: 2, sandbox: false })).rejects.toMatchObject({ code: 'HOST_CLOSED' })
  })

  it('cannot have the server reload for ever', async () => {
    write('app.mjs', answering('here', 'uwsgi.reload()'))
    await using server = serverOf()
    await server.logged('uwsgi.reload() is passed over: apps are being loaded already')
    await server.logged('polywsgi ready')
    server.kill('SIGHUP')
    await server.logged('reload complete')
    expect(await (await fetch(server.http)).text()).toBe('here')
    expect(await server.stop()).toBe(0)
  })

  it('can be stopped from outside, though it never ends', async () => {
    write('app.mjs', answering('', "console.log('loading')\nfor (;;) {}"))
    await using server = serverOf()
    await server.logged('loading')
    expect(await server.stop()).toBe(0)
    expect(server.log).not.toContain('polywsgi ready')
  })
})

describe('a reload', () => {
  it('with need-app is given up for an app that does not load, and all workers serve on', async () => {
    write('app.mjs', answering('old'))
    await using host = await hostOf({ workers: 2, needApp: true })
    write('app.mjs', 'this is no JavaScript')
    await expect(host.reload()).rejects.toThrow(AppLoadError)
    for (let n = 0; n < 10; n += 1) expect(await Promise.all([said(host), said(host)])).toEqual(['old', 'old'])
    write('app.mjs', answering('new'))
    await host.reload()
    for (let n = 0; n < 10; n += 1) expect(await Promise.all([said(host), said(host)])).toEqual(['new', 'new'])
  })

  it('asked for during another one loads what has changed since', async () => {
    write('app.mjs', answering('first'))
    await using host = await hostOf({ workers: 2 })
    write('app.mjs', answering('second'))
    const one = host.reload()
    // The first worker is new by now.
    while (host.stats().workers[0]?.respawn_count !== 1) await turn()
    write('app.mjs', answering('third'))
    const others = [host.reload(), host.reload()]
    await one
    await Promise.all(others)
    for (let n = 0; n < 10; n += 1) expect(await Promise.all([said(host), said(host)])).toEqual(['third', 'third'])
    expect(host.stats().workers.map((worker) => worker.respawn_count)).toEqual([2, 2])
  })

  it('ends with an error when the host is closed meanwhile', async () => {
    write('app.mjs', answering('here'))
    const host = await hostOf({ workers: 2 })
    const reload = host.reload()
    const ended = expect(reload).rejects.toMatchObject({ code: 'HOST_CLOSED' })
    await host.close()
    await ended
  })

  it('lets a thread answer what others have asked of it before', async () => {
    write(
      'app.mjs',
      answering(
        'here',
        `
        uwsgi.registerRpc('slow', async () => {
          uwsgi.cacheSet('begun', '1')
          while (!uwsgi.cacheExists('go')) await new Promise((resolve) => setTimeout(resolve, 1))
          return 'answered'
        })`,
      ),
    )
    await using host = await hostOf({ workers: 1, cache2: ['name=c,items=10'] })
    const answer = host.rpc('slow')
    while (host.cache()?.has('begun') !== true) await turn()
    const reload = host.reload()
    // It is told, and does not end before it has answered.
    while (host.stats().workers[0]?.respawn_count !== 1) await turn()
    host.cache()?.set('go', '1')
    expect(Buffer.from((await answer) ?? []).toString()).toBe('answered')
    await reload
  })

  it('replaces a mule that blocks for ever, and one whose program ends at once', async () => {
    write('app.mjs', answering('here'))
    write('blocks.mjs', "console.log('blocking'); for (;;) {}")
    write('ends.mjs', "console.log('ending')")
    await using server = serverOf('--mule=blocks.mjs', '--mule=ends.mjs')
    await server.logged('mule 2: next start in')
    await server.logged('polywsgi ready')
    server.kill('SIGHUP')
    await server.logged('reload complete')
    await server.logged('blocking', 2)
    expect(await server.stop()).toBe(0)
  })
})

describe('a host that stops', () => {
  it('refuses whatever is asked of it later, and being closed twice is once', async () => {
    write('app.mjs', answering('here', "uwsgi.registerRpc('f', () => 'x')"))
    const host = await hostOf()
    await Promise.all([host.close(), host.close()])
    await host.close()
    const closed = { code: 'HOST_CLOSED' }
    await expect(host.listen({ http: '127.0.0.1:0' })).rejects.toMatchObject(closed)
    await expect(host.reload()).rejects.toMatchObject(closed)
    await expect(host.rpc('f')).rejects.toMatchObject(closed)
    expect(host.signal(1)).toBe(false)
  })

  it('may have been told to by a guest', async () => {
    write('app.mjs', "export default () => { uwsgi.stop(); return new Response('bye') }")
    const host = await hostOf({ sandbox: false })
    expect(await said(host)).toBe('bye')
    await host.close()
    await expect(host.fetch('http://localhost/')).rejects.toMatchObject({ code: 'HOST_CLOSED' })
  })
})

describe('a thread that ends in the middle', () => {
  // A native function that cannot be stopped.
  const overrunning = 'uwsgi.setUserHarakiri(1); new Array(2 ** 28).join()'

  it('has its caller told, by its name, and the next call served', async () => {
    write('app.mjs', answering('here', `uwsgi.registerRpc('f', () => { ${overrunning} })\nuwsgi.registerRpc('g', () => 'g')`))
    await using host = await hostOf()
    await expect(host.rpc('f')).rejects.toMatchObject({ code: 'WORKER_DIED', message: expect.stringMatching(/^worker 1, /) })
    expect(await said(host)).toBe('here')
    expect(Buffer.from((await host.rpc('g')) ?? []).toString()).toBe('g')
  })

  it('is named as a mule or a spooler where a person reads it, and its lock is free', async () => {
    const onMessage = `uwsgi.muleMsgHook = () => { uwsgi.lock(); ${overrunning} }`
    write(
      'app.mjs',
      `${onMessage}\nuwsgi.spooler = () => { ${overrunning} }
      export default () => { uwsgi.muleMsg('x', 1); uwsgi.spool({ a: 'b' }); return new Response('told') }`,
    )
    await using server = serverOf('--workers', '2', '--mule', '--spooler', folder)
    await server.logged('polywsgi ready')
    expect(await (await fetch(server.http)).text()).toBe('told')
    await server.logged('*** HARAKIRI ON MULE 1 ***')
    await server.logged('[deadlock-detector] mule 1 ended while it held lock 0: it is free now')
    await server.logged('*** HARAKIRI ON SPOOLER 1 ***')
    await server.logged('DAMN ! spooler 1 died')
    expect(await server.stop()).toBe(0)
  })
})

describe('memory that is not to be had', () => {
  it.each([
    [['--cache2', 'name=big,items=60000000,blocksize=1000000000'], 'cache "big" needs'],
    [['--workers', '1024', '--async', '65535'], 'workers = 1024, async = 65535, buffer-size = 65535: the memory for requests'],
  ])('is a mistake of the configuration: %j', async (args, message) => {
    write('app.mjs', answering('here'))
    await using server = serverOf(...args)
    expect(await server.exited()).toBe(2)
    expect(server.log).toContain(`polywsgi: ${message}`)
    expect(server.log).not.toMatch(/\n\s+at /)
  })
})
