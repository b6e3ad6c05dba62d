// What the embedding program and its guests have in common: functions, the cache, signals, from both sides, in every language.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { createHost, GuestError, type Host, PolywsgiError } from 'polywsgi'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const apps = fileURLToPath(new URL('../apps/services', import.meta.url))
const mounts = { '/python': 'app.py', '/lua': 'app.lua', '/js': 'app.mjs' }
/** Neither text nor free of zeros. */
const odd = Uint8Array.of(0, 0xff, 0x80, 0, 0x0a)

const string = (bytes: Uint8Array | undefined): string | undefined => bytes && new TextDecoder().decode(bytes)

interface Speech {
  readonly language: 'python' | 'lua' | 'js'
  /** Each is posted to the app, which runs it and answers with what it returns. */
  readonly callsProgram: string
  readonly callsFailing: string
  readonly readsCache: string
  readonly writesCache: string
  readonly raises: string
  readonly listens: (signum: number) => string
  readonly isReload: string
}

const speeches: readonly Speech[] = [
  {
    language: 'python',
    callsProgram: "return uwsgi.call('reverse', b'abc\\x00\\xff')",
    callsFailing: "return uwsgi.call('failing')",
    readsCache: "return uwsgi.cache_get('from-program')",
    writesCache: "return uwsgi.cache_update('from-python', b'\\x00\\xff\\x80\\x00\\x0a')",
    raises: 'return uwsgi.signal(50)',
    listens: (signum) =>
      `uwsgi.register_signal(${signum}, 'worker', lambda signum: uwsgi.call('handled', b'python %d' % signum))`,
    isReload: 'return uwsgi.is_a_reload',
  },
  {
    language: 'lua',
    callsProgram: "return uwsgi.call('reverse', 'abc\\0\\xff')",
    callsFailing: "return uwsgi.call('failing')",
    readsCache: "return uwsgi.cache_get('from-program')",
    writesCache: "return uwsgi.cache_update('from-lua', '\\x00\\xff\\x80\\x00\\x0a')",
    raises: 'return uwsgi.signal(50)',
    listens: (signum) =>
      `uwsgi.register_signal(${signum}, 'worker', function(signum) uwsgi.call('handled', 'lua ' .. signum) end)`,
    isReload: 'return uwsgi.is_a_reload',
  },
  {
    language: 'js',
    callsProgram: "return uwsgi.call('reverse', Uint8Array.of(97, 98, 99, 0, 255))",
    callsFailing: "return uwsgi.call('failing')",
    readsCache: "return uwsgi.cacheGet('from-program')",
    writesCache: "return uwsgi.cacheUpdate('from-js', Uint8Array.of(0, 255, 128, 0, 10))",
    raises: 'return uwsgi.signal(50)',
    listens: (signum) => `uwsgi.registerSignal(${signum}, 'worker', (signum) => uwsgi.call('handled', 'js ' + signum))`,
    isReload: 'return uwsgi.isAReload',
  },
]

let host: Host
beforeAll(async () => {
  host = await createHost({ cwd: apps, mounts, cache: 100, workers: 1 })
})
afterAll(() => host.close())

const post = async (language: string, code: string): Promise<Response> =>
  await host.fetch(`http://localhost/${language}`, { method: 'POST', body: code })

describe.each(speeches)('the embedding program and $language', (speech) => {
  const { language } = speech

  it('call each other by name, and every byte arrives', async () => {
    const end = host.registerRpc('reverse', async (bytes) => bytes.toReversed())
    const answer = await post(language, speech.callsProgram)
    expect([...(await answer.bytes())]).toEqual([255, 0, 99, 98, 97])
    end()
    const gone = await post(language, speech.callsProgram)
    expect(await gone.text()).toMatch(/^(None|nil|undefined)$/)
    const echoed = await host.rpc(`${language}_echo`, odd)
    expect(Buffer.from(echoed!).toString('latin1')).toBe(`${language}:${Buffer.from(odd).toString('latin1')}`)
  })

  it("get each other's failures as errors of their own", async () => {
    const end = host.registerRpc('failing', () => {
      throw new Error('the program says no')
    })
    const answer = await post(language, speech.callsFailing)
    expect([answer.status, await answer.text()]).toEqual([500, expect.stringContaining('the program says no')])
    end()
    const refusal = await host.rpc(`${language}_fail`, 'x').catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(GuestError)
    expect((refusal as GuestError).message).toContain(`${language} says no`)
  })

  it('have one cache', async () => {
    const cache = host.cache()
    expect(cache?.set('from-program', `for ${language}`)).toBe(true)
    expect(await (await post(language, speech.readsCache)).text()).toMatch(new RegExp(`for ${language}`))
    await post(language, speech.writesCache)
    expect([...(cache?.get(`from-${language}`) ?? [])]).toEqual([...odd])
    expect(cache?.keys().map(string)).toContain(`from-${language}`)
    expect([cache?.delete(`from-${language}`), cache?.delete(`from-${language}`)]).toEqual([true, false])
  })

  it("hear each other's signals", async () => {
    const heard: number[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    const end = host.onSignal(50, (signum) => {
      heard.push(signum)
      resolve()
    })
    await post(language, speech.raises)
    await promise
    end()
    expect(heard).toEqual([50])
    const signum = 60 + speeches.indexOf(speech)
    await post(language, speech.listens(signum))
    const handled = new Promise<string | undefined>((resolveHandled) => {
      host.registerRpc('handled', (message) => {
        resolveHandled(string(message))
        return ''
      })
    })
    expect(host.signal(signum)).toBe(true)
    expect(await handled).toBe(`${language} ${signum}`)
  })
})

describe('an embedded host', () => {
  it('calls functions of the program itself by the same road', async () => {
    const end = host.registerRpc('own', (a, b) => `${string(a)} and ${string(b)}`)
    expect(string(await host.rpc('own', 'one', 'two'))).toBe('one and two')
    // A guest's function of one language calls, on behalf of the program, a function of the program.
    expect(string(await host.rpc('lua_relay', 'own', 'three'))).toBe('three and undefined')
    end()
  })

  it('refuses a function nobody has, a name nobody can say, and a signal there is not', async () => {
    await expect(host.rpc('nobody')).rejects.toThrow(PolywsgiError)
    await expect(host.rpc('nobody')).rejects.toThrow("there is no rpc function 'nobody'")
    expect(() => host.registerRpc('', () => '')).toThrow('has 1 to 255 bytes, not 0')
    expect(() => host.signal(256)).toThrow(new RangeError('a signal is a number from 0 to 255, not 256'))
    expect(() => host.onSignal(-1, () => {})).toThrow(RangeError)
    expect(host.cache('no such cache')).toBeUndefined()
  })

  it('says what the server has and does', () => {
    const { workers, caches, mules, pid, version } = host.stats()
    expect({ mules, pid, version }).toEqual({ mules: [], pid: process.pid, version: '0.1.0' })
    expect(workers.map(({ id, accepting, respawn_count }) => [id, accepting, respawn_count])).toEqual([[1, 1, 0]])
    expect(workers[0]?.requests).toBeGreaterThan(3)
    expect(caches).toMatchObject([{ name: 'default', items: host.cache()?.size }])
  })

  it('keeps its functions and its cache over a reload, and loads its guests anew', async () => {
    await using own = await createHost({ cwd: apps, mounts, cache: 100, workers: 1 })
    const ask = async (language: string, code: string): Promise<string> =>
      await (await own.fetch(`http://localhost/${language}`, { method: 'POST', body: code })).text()
    own.registerRpc('reverse', (bytes) => bytes.toReversed())
    own.cache()?.set('from-program', 'before the reload')
    for (const { language, isReload } of speeches) expect(await ask(language, isReload)).toMatch(/^false$/i)
    await own.reload()
    for (const { language, isReload, readsCache, callsProgram } of speeches) {
      expect(await ask(language, isReload)).toMatch(/^true$/i)
      expect(await ask(language, readsCache)).toContain('before the reload')
      expect(await ask(language, callsProgram)).toMatch(/cba$/)
      expect(string(await own.rpc(`${language}_echo`, 'new'))).toBe(`${language}:new`)
    }
  })
})

describe('the embedding example', () => {
  it('does what it says', async () => {
    const path = fileURLToPath(new URL('../../examples/embedding/program.ts', import.meta.url))
    const child = spawn(process.execPath, [path], { stdio: ['ignore', 'pipe', 'inherit'] })
    const exit = once(child, 'exit')
    expect((await text(child.stdout)).trim().split('\n')).toEqual([
      'tea costs 3.25.',
      'price of cake: 5.20',
      'There is no coffee.',
      'signal 1: somebody asked for what we do not have',
      'with the new rate: tea costs 3.90.',
      'prices asked for: 3',
      '2 workers, 2 items in their cache',
      'after a reload: tea costs 3.25.',
    ])
    expect((await exit)[0]).toBe(0)
  })
})
