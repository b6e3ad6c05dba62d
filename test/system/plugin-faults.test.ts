// Plugins that fail, in each hook and in each way: the message names the plugin and the hook, the server goes on without it, or
// does not start when it is needed; requests of others never notice.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { type HookName, hookTable } from '../../host/plugin/hook-table.ts'
import { Server } from '../support/server.ts'
import { openUwsgi, readToEnd, uwsgiPacket } from '../support/uwsgi-client.ts'

const good = fileURLToPath(new URL('../apps/system/good.lua', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'polywsgi-plugin-faults-'))
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0
const pluginFile = (source: string): string => {
  files += 1
  const file = join(folder, `faulty${files}.mjs`)
  writeFileSync(file, source)
  return file
}

const faulty = (members: string): string =>
  pluginFile(`export default { name: 'faulty', modifier1: 251, request: () => 0, ${members} }`)
const sockets = ['--http-socket', '127.0.0.1:0', '--socket', '127.0.0.1:0', '--mount', `/good=${good}`]

/** A request for the faulty plugin, as uWSGI's clients send one. */
const askFaulty = async (server: Server): Promise<string> => {
  const socket = await openUwsgi(server.uwsgi)
  socket.end(uwsgiPacket({ REQUEST_METHOD: 'GET', PATH_INFO: '/', SERVER_PROTOCOL: 'HTTP/1.1' }, 251))
  return await readToEnd(socket)
}

const startHooks: readonly HookName[] = [
  ...(['onLoad', 'init', 'postInit', 'enableThreads', 'masterFixup', 'postUwsgiFork', 'postFork', 'worker'] as const),
  ...(['preinitApps', 'initApps', 'postinitApps', 'initThread', 'fixup'] as const),
]
/** Both in the master and in threads: here the failure is in the thread. */
const onlyInThreads = `if (step === 0) return; throw new Error('on purpose')`
const bodyOf = (hook: HookName): string =>
  hook === 'masterFixup' || hook === 'postUwsgiFork'
    ? `${hook}(step) { ${onlyInThreads} }`
    : `${hook}() { throw new Error('on purpose') }`

describe('a plugin that throws at the start', () => {
  it.each(startHooks)('in %s is left out, and the others serve', async (hook) => {
    await using server = await Server.start({ args: [...sockets, '--async', '2', '--plugin', faulty(bodyOf(hook))] })
    await server.logged(`plugin faulty: ${hook} hook raised: Error: on purpose`)
    expect(server.log).toContain('the server goes on without plugin faulty')
    expect(await (await fetch(`${server.http}/good`)).text()).toMatch(/good/)
    expect(await askFaulty(server)).toMatch(/^HTTP\/1\.1 501 Not Implemented\r\n/)
    await server.logged('-- unavailable modifier requested: 251 --')
    expect(await server.stop()).toBe(0)
  })

  it.each(startHooks)('in %s and is needed keeps the server from starting', async (hook) => {
    await using server = Server.spawn({ args: [...sockets, '--async', '2', '--need-plugin', faulty(bodyOf(hook))] })
    expect(await server.exited()).toBe(1)
    expect(server.log).toContain(`plugin faulty: ${hook} hook raised: Error: on purpose`)
    expect(server.log).not.toContain('polywsgi ready')
  })
})

describe('a plugin that loops', () => {
  it.each(['init', 'postFork'] as const)('in %s is ended and left out', async (hook) => {
    const file = faulty(`${hook}() { for (;;); }`)
    await using server = await Server.start({ args: [...sockets, '--plugin', file, '--plugin-timeout', '0.5'] })
    expect(server.log).toContain(`plugin faulty: ${hook} hook has not returned within 0.5 seconds`)
    expect(await (await fetch(`${server.http}/good`)).text()).toMatch(/good/)
  })

  it('where its module is run is ended and left out, in the threads too', async () => {
    const code = `import { isMainThread } from 'node:worker_threads'
      if (!isMainThread) for (;;);
      export default { name: 'faulty', modifier1: 251, request: () => 0 }`
    const args = [...sockets, '--plugin', pluginFile(code), '--plugin-timeout', '0.5']
    await using server = await Server.start({ args })
    expect(server.log).toMatch(/!!! UNABLE to load plugin .*: its module has not returned within 0\.5 seconds !!!/)
    expect(await (await fetch(`${server.http}/good`)).text()).toMatch(/good/)
  })

  it('in init and is needed keeps the server from starting', async () => {
    const file = faulty('init() { for (;;); }')
    await using server = Server.spawn({ args: [...sockets, '--need-plugin', file, '--plugin-timeout', '0.5'] })
    expect(await server.exited()).toBe(1)
    expect(server.log).toContain('plugin faulty: init hook has not returned within 0.5 seconds')
  })
})

describe('a plugin that fails while the server runs', () => {
  it('is told, and every other request is served', async () => {
    const file = faulty(`
      request(request) {
        const path = request.getVar('PATH_INFO')
        if (path === '/throw') throw new TypeError('in the request')
        if (path === '/reject') return Promise.reject(new TypeError('later in the request'))
        if (path === '/odd') return 'odd'
        request.prepareHeaders('200 OK')
        request.finish(Buffer.from('served'))
        if (path === '/answered') return { status: 200 }
        if (path === '/later-odd') return Promise.resolve(Number.NaN)
        return path === '/later' ? Promise.resolve(0) : 0
      },
      suspend() { throw new Error('in suspend') },
      resume() { throw new Error('in resume') },
      afterRequest() { throw new Error('in afterRequest') },
      masterCycle() { throw new Error('in masterCycle') },
      preUwsgiFork() { throw new Error('in preUwsgiFork') },
      masterCleanup() { throw new Error('in masterCleanup') },
      hijackWorker() { throw new Error('in hijackWorker') },
      atexit() { throw new Error('in atexit') }`)
    const http = ['--http-socket', '127.0.0.1:0', '--http-socket-modifier1', '251']
    await using server = await Server.start({ args: [...http, '--async', '2', '--plugin', file] })
    const ask = async (path: string): Promise<string> => {
      const response = await fetch(server.http + path)
      return `${response.status} ${await response.text()}`
    }
    expect(await ask('/')).toBe('200 served')
    expect(await ask('/throw')).toBe('500 Internal Server Error')
    expect(await ask('/reject')).toBe('500 Internal Server Error')
    expect(await ask('/odd')).toBe('500 Internal Server Error')
    expect(await ask('/later')).toBe('200 served')
    // The response was there already.
    expect(await ask('/answered')).toBe('200 served')
    expect(await ask('/later-odd')).toBe('200 served')
    for (const [line, times] of [
      ['a string', 1],
      ['an object', 1],
      ['NaN', 1],
    ] as const) {
      await server.logged(`plugin faulty: request hook returned ${line}, not 0, 1 or -1`, times)
    }
    await server.logged('plugin faulty: masterCycle hook raised: Error: in masterCycle')
    server.kill('SIGHUP')
    await server.logged('reload complete')
    expect(await ask('/')).toBe('200 served')
    expect(await server.stop()).toBe(0)
    for (const [hook, message] of [
      ['request', 'TypeError: in the request'],
      ['request', 'TypeError: later in the request'],
      ...(['suspend', 'resume', 'afterRequest', 'preUwsgiFork', 'masterCleanup', 'hijackWorker', 'atexit'] as const).map(
        (name) => [name, `Error: in ${name}`] as const,
      ),
    ]) {
      expect(server.log).toContain(`plugin faulty: ${hook} hook raised: ${message}`)
    }
  })

  it('keeps its own modifier1 for itself: no other plugin`s failure is answered by it', async () => {
    await using server = await Server.start({ args: [...sockets, '--plugin', faulty('')] })
    const socket = await openUwsgi(server.uwsgi)
    socket.end(uwsgiPacket({ REQUEST_METHOD: 'GET', PATH_INFO: '/', SERVER_PROTOCOL: 'HTTP/1.1' }, 252))
    expect(await readToEnd(socket)).toMatch(/^HTTP\/1\.1 501 Not Implemented\r\n/)
    await server.logged('-- unavailable modifier requested: 252 --')
  })
})

describe('a plugin that takes the worker', () => {
  it('has it until its hook settles, and another worker is started then', async () => {
    const file = faulty(`worker(context) {
      context.log.text('taken worker ' + context.thread.workerId)
      return context.thread.workerId === 1 ? new Promise((resolve) => setTimeout(resolve, 20)) : false
    }`)
    await using server = await Server.start({ args: [...sockets, '--workers', '2', '--plugin', file] })
    // The other worker serves all the while.
    expect(await (await fetch(`${server.http}/good`)).text()).toMatch(/good/)
    await server.logged('worker 1: the plugin that took it has done its work')
    await server.logged('taken worker 1', 2)
    expect(await (await fetch(`${server.http}/good`)).text()).toMatch(/good/)
    expect(await server.stop()).toBe(0)
  })

  it('before its first request keeps it from requests for as long as it likes', async () => {
    const file = faulty(`hijackWorker(context) {
      if (context.thread.workerId !== 1) return
      context.log.text('hijacked')
      return new Promise(() => {})
    }`)
    await using server = await Server.start({ args: [...sockets, '--workers', '2', '--plugin', file] })
    await server.logged('hijacked')
    for (let count = 0; count < 20; count += 1) expect((await fetch(`${server.http}/good`)).status).toBe(200)
    expect(server.log).toMatch(/worker 2: ready/)
    expect(await server.stop()).toBe(0)
  })
})

describe('a plugin with data that cannot cross to the threads', () => {
  it('is told and left out', async () => {
    await using server = await Server.start({ args: [...sockets, '--plugin', faulty('init() { this.data = { fn() {} } }')] })
    expect(server.log).toMatch(
      /plugin faulty: init hook raised: Error: what it left in data cannot cross to the threads: .*could not be cloned/,
    )
    expect((await fetch(`${server.http}/good`)).status).toBe(200)
  })
})

describe('the hook table', () => {
  it('has no hook of the start that is not tried here', () => {
    const tried = new Set<string>([
      ...startHooks,
      'spoolerInit',
      'preUwsgiFork',
      'magic',
      'loadPlugin',
      'mountApp',
      'hijackWorker',
    ])
    const names = Object.keys(hookTable)
    const start = names.slice(0, names.indexOf('request'))
    expect(start.filter((name) => !tried.has(name))).toEqual([])
  })
})
