// Plugins that throw what is no error, answer with promises where none is waited for, or are objects that cannot be read:
// the message names the plugin, the server goes on, no thread dies of it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { Server } from '../support/server.ts'

const folder = mkdtempSync(join(tmpdir(), 'polywsgi-plugin-oddities-'))
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0
const moduleFile = (source: string): string => {
  files += 1
  const file = join(folder, `odd${files}.mjs`)
  writeFileSync(file, source)
  return file
}
const odd = (members: string): string => moduleFile(`export default { name: 'odd', modifier1: 251, ${members} }`)
const http = ['--http-socket', '127.0.0.1:0', '--http-socket-modifier1', '251']
const serve = `request(request) { request.prepareHeaders('200 OK'); request.finish(Buffer.from('served')) }`
const unspeakable = `throw { toString() { throw new Error('no text') } }`

const ask = async (server: Server): Promise<string> => {
  const response = await fetch(server.http)
  return `${response.status} ${await response.text()}`
}

describe('a plugin that throws what has no text', () => {
  it.each(['init', 'postFork', 'fixup'])('in %s is left out', async (hook) => {
    await using server = await Server.start({
      args: [...http, '--plugin', odd(`request: () => 0, ${hook}() { ${unspeakable} }`)],
    })
    expect(server.log).toContain(`plugin odd: ${hook} hook raised: something that cannot be shown`)
    expect(server.log).toContain('the server goes on without plugin odd')
    expect(await server.stop()).toBe(0)
  })

  it('in hooks of a request keeps its core and its worker', async () => {
    const hooks = ['suspend', 'resume', 'afterRequest'].map((hook) => `${hook}() { ${unspeakable} }`).join()
    const file = odd(
      `async request(request) { if (request.getVar('PATH_INFO') === '/x') { ${unspeakable} } throw undefined }, ${hooks}`,
    )
    const more = ['--catch-exceptions', '--reload-on-exception-type', 'Other']
    await using server = await Server.start({ args: [...http, ...more, '--plugin', file] })
    for (const path of ['/x', '/y', '/x']) {
      const response = await fetch(server.http + path)
      expect(response.status).toBe(500)
      expect(await response.text()).toContain('Exception: Error: ')
    }
    expect(await server.stop()).toBe(0)
    expect(server.log).not.toContain('DAMN')
  })

  it('in its exception hooks does not take the worker with it', async () => {
    const hooks = ['exceptionClass', 'exceptionMsg', 'exceptionRepr', 'backtrace', 'exceptionLog']
    const file = odd(
      `request() { throw new Error('the first') }, ${hooks.map((hook) => `${hook}() { throw new Error('another') }`).join()}`,
    )
    const more = ['--catch-exceptions', '--reload-on-exception-type', 'Other']
    await using server = await Server.start({ args: [...http, ...more, '--plugin', file] })
    expect(await ask(server)).toContain('Exception message: the first')
    expect(await ask(server)).toContain('Exception message: the first')
    expect(await server.stop()).toBe(0)
    expect(server.log).not.toContain('DAMN')
  })

  it('in a timer of a worker costs the worker alone', async () => {
    const file = odd(`afterRequest() { setTimeout(() => { throw undefined }) }, ${serve}`)
    await using server = await Server.start({ args: [...http, '--plugin', file] })
    expect(await ask(server)).toBe('200 served')
    await server.logged('worker 1 died: undefined')
    expect(await server.stop()).toBe(0)
  })

  it('in a function and an action of hooks is told', async () => {
    const file = odd(`${serve}, functions: { f() { throw undefined } }, hookActions: { act() { throw undefined } }`)
    const hooks = ['--hook-as-user-atexit', 'call:f', '--hook-as-user-atexit', 'act:x', '--hook-as-user-atexit', 'print:the last']
    await using server = await Server.start({ args: [...http, '--plugin', file, ...hooks] })
    expect(await server.stop()).toBe(0)
    expect(server.log).toContain('plugin odd: function f raised: undefined')
    expect(server.log).toContain('the last')
  })

  it('in spoolerInit is left out of the spooler, which lives', async () => {
    const spool = mkdtempSync(join(folder, 'spool-'))
    const file = odd(`${serve}, spoolerInit() { throw undefined }`)
    await using server = await Server.start({ args: [...http, '--spooler', spool, '--plugin', file] })
    await server.logged('plugin odd: spoolerInit hook raised: undefined')
    expect(await ask(server)).toBe('200 served')
    expect(await server.stop()).toBe(0)
    expect(server.log).not.toContain('DAMN')
  })
})

describe('a hook that answers with a promise where none is waited for', () => {
  it('is told when that is rejected, and nothing ends', async () => {
    const names = ['suspend', 'resume', 'afterRequest', 'masterCycle', 'preUwsgiFork', 'masterCleanup']
    const hooks = names.map((name) => `async ${name}() { throw new Error('late in ${name}') }`).join()
    const file = odd(
      `async request(request) { request.prepareHeaders('200 OK'); request.finish(Buffer.from('served')) }, ${hooks}`,
    )
    await using server = await Server.start({ args: [...http, '--plugin', file] })
    expect(await ask(server)).toBe('200 served')
    for (const name of ['suspend', 'resume', 'afterRequest', 'masterCycle', 'preUwsgiFork']) {
      await server.logged(`plugin odd: ${name} hook raised: Error: late in ${name}`)
    }
    expect(await server.stop()).toBe(0)
    expect(server.log).not.toContain('DAMN')
  })

  it('and is of no class of ours is waited for as any other', async () => {
    const slow = odd(`request(request) {
      return { then(done) { setTimeout(() => { request.prepareHeaders('200 OK'); request.finish(Buffer.from('late')); done(0) }) } }
    }`)
    await using server = await Server.start({ args: [...http, '--plugin', slow] })
    expect(await ask(server)).toBe('200 late')
    const never = odd('request: () => 0, init: () => ({ then() {} })')
    await using other = await Server.start({ args: [...http, '--plugin', never, '--plugin-timeout', '0.5'] })
    expect(other.log).toContain('plugin odd: init hook has not returned within 0.5 seconds')
  })

  it('and says 1 later is called again', async () => {
    const file = odd(`async request(request) {
      this.calls = (this.calls ?? 0) + 1
      if (this.calls < 3) return 1
      request.prepareHeaders('200 OK')
      request.finish(Buffer.from('call ' + this.calls))
      return 0
    }`)
    await using server = await Server.start({ args: [...http, '--plugin', file] })
    expect(await ask(server)).toBe('200 call 3')
  })

  it('and is the set of an option refuses its value', async () => {
    const file = odd(`${serve}, options: [{ name: 'odd-x', type: 'flag', help: 'X', async set() { throw new Error('not so') } }]`)
    await using server = Server.spawn({ args: [...http, '--plugin', file, '--odd-x'] })
    expect(await server.exited()).toBe(2)
    expect(server.log).toContain('polywsgi: plugin odd: odd-x: not so')
  })
})

describe('a plugin object', () => {
  it('may be frozen', async () => {
    const file = moduleFile(`export default Object.freeze({ name: 'odd', modifier1: 251, data: { a: 1 }, ${serve} })`)
    await using server = await Server.start({ args: [...http, '--need-plugin', file] })
    expect(await ask(server)).toBe('200 served')
  })

  it.each([
    `{ name: 'odd', get modifier1() { throw new Error('unreadable') } }`,
    `new Proxy({}, { get() { throw new Error('unreadable') } })`,
    `{ name: 'odd', options: [{ get name() { throw new Error('unreadable') } }] }`,
  ])('that cannot be read is refused: %s', async (object) => {
    const file = moduleFile(`export default ${object}`)
    await using server = await Server.start({ args: ['--http-socket', '127.0.0.1:0', '--plugin', file] })
    expect(server.log).toMatch(/UNABLE to load plugin .*odd\d+\.mjs: .* cannot be read: unreadable/)
  })
})

describe('a command of a hook', () => {
  it('that will not end does not keep the server from its end', async () => {
    const command = `exec:trap '' TERM; echo "it runs"; while :; do sleep 1; done`
    await using server = Server.spawn({ args: ['--http-socket', '127.0.0.1:0', '--hook-asap', command] })
    await server.logged(/^it runs$/m)
    await server.stop()
    expect(server.log).toContain('was ended by SIGKILL')
  })
})
