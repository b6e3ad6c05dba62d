// Where guests may connect, in the real program and for an embedding one: every function that opens a connection asks.
import { createServer, type Server as TcpServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { createHost } from 'polywsgi'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FullServer, type Language, languages } from '../support/full-server.ts'
import { Server } from '../support/server.ts'

const apps = fileURLToPath(new URL('../apps/console', import.meta.url))
const mounts = { '/python': 'console.py', '/lua': 'console.lua', '/js': 'console.mjs' }
const refusal = 'is not among the addresses that guests may connect to (allow-connect)'

/** Each asks the address in its own way. */
const attempts = (address: string): Readonly<Record<string, Readonly<Record<Language, string>>>> => {
  const same = (code: string): Record<Language, string> => ({ python: code, lua: code, js: code })
  return {
    connect: same(`return uwsgi.connect('${address}')`),
    async_connect: {
      python: `return uwsgi.async_connect('${address}')`,
      lua: `return uwsgi.async_connect('${address}')`,
      js: `return uwsgi.asyncConnect('${address}')`,
    },
    rpc: same(`return uwsgi.rpc('${address}', 'nobody')`),
    cache: {
      python: `return uwsgi.cache_get('key', 'default@${address}')`,
      lua: `return uwsgi.cache_get('key', 'default@${address}')`,
      js: `return uwsgi.cacheGet('key', 'default@${address}')`,
    },
  }
}

/** Closes whatever connects, which it counts. */
class Listener {
  readonly server: TcpServer
  count = 0

  constructor() {
    this.server = createServer((socket) => {
      this.count += 1
      socket.on('error', () => {}).destroy()
    })
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve))
    return `127.0.0.1:${(this.server.address() as { port: number }).port}`
  }
}

describe('allow-connect', () => {
  const allowed = new Listener()
  const other = new Listener()
  let allowedAddress: string
  let otherAddress: string
  let server: FullServer

  beforeAll(async () => {
    allowedAddress = await allowed.listen()
    otherAddress = await other.listen()
    server = await FullServer.start('--allow-connect', allowedAddress, '--allow-connect', '/run/others/')
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    allowed.server.close()
    other.server.close()
  })

  it.each(languages)('refuses every function of %s an address that is not named', async (language) => {
    for (const [name, code] of Object.entries(attempts(otherAddress))) {
      const { ok, text } = await server.run(language, code[language])
      expect([name, ok]).toEqual([name, false])
      expect(text).toContain(`${otherAddress} ${refusal}`)
      if (language === 'python') expect(text).toMatch(/^ValueError: /)
    }
    const { ok } = await server.run(language, `return uwsgi.signal(1, '${otherAddress}')`)
    expect(ok).toBe(false)
    for (const way of ['/run/others/../x.sock', `[::ffff:127.0.0.1]:${otherAddress.split(':')[1]}`, '@/run/others/x']) {
      expect((await server.run(language, `return uwsgi.connect('${way}')`)).text).toContain(`${way} ${refusal}`)
    }
    expect(other.count).toBe(0)
  })

  it.each(languages)('lets every function of %s connect to one that is', async (language) => {
    const before = allowed.count
    const all = Object.entries(attempts(allowedAddress))
    for (const [name, code] of all) {
      const { ok, text } = await server.run(language, code[language])
      expect([name, ok, text]).toEqual([name, true, text])
    }
    await server.run(language, `return uwsgi.signal(1, '${allowedAddress}')`)
    // What async_connect has begun may be closed, with its request, before it is there.
    while (allowed.count < before + all.length) await new Promise((resolve) => allowed.server.once('connection', resolve))
    expect((await server.run(language, "return uwsgi.connect('/run/others/none.sock')")).text).toContain(
      'there is no such socket',
    )
  })

  it('allows every address unless it is given', async () => {
    await using free = await FullServer.start()
    expect((await free.run('lua', `return uwsgi.connect('${otherAddress}')`)).ok).toBe(true)
  })

  it('allows none to the guests of an embedding program unless it is given', async () => {
    const ask = async (allowConnect: readonly string[] | undefined, language: Language): Promise<string> => {
      const own = { [`/${language}`]: mounts[`/${language}`] }
      await using host = await createHost({ cwd: apps, mounts: own, logto: '/dev/null', ...(allowConnect && { allowConnect }) })
      const body = `return uwsgi.connect('${otherAddress}')`
      return await (await host.fetch(`http://localhost/${language}`, { method: 'POST', body })).text()
    }
    for (const language of languages) expect(await ask(undefined, language)).toContain(`${otherAddress} ${refusal}`)
    expect(await ask([], 'lua')).toContain(refusal)
    expect(await ask(['none'], 'lua')).toContain(refusal)
    expect(await ask(['127.0.0.1'], 'lua')).toMatch(/^\d+$/)
    expect(await ask(['*'], 'lua')).toMatch(/^\d+$/)
    await expect(createHost({ allowConnect: ['::1'] })).rejects.toThrow(
      'allow-connect = ::1: write an IPv6 address in brackets: [::1]',
    )
  })

  it('is refused with what is wrong with it', async () => {
    await using command = Server.spawn({ args: ['--allow-connect', '10.0.0.0/8', '--http-socket', '127.0.0.1:0'] })
    expect(await command.exited()).toBe(2)
    expect(command.log).toContain('allow-connect = 10.0.0.0/8: it is a network: name its hosts')
  })
})
