// What a fetch handler may be, what it gets, and what becomes of what it returns or throws.
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { bootJs, mountJs } from './js-apps.ts'

const serverError = { status: '500 Internal Server Error', text: 'Internal Server Error' }

describe('a fetch handler', () => {
  it('is an object with a fetch function', async () => {
    const harness = await bootJs()
    await harness.mount(fileURLToPath(new URL('../../apps/js/hello.js', import.meta.url)))
    expect(await harness.request()).toMatchObject({
      status: '200 OK',
      text: 'Hello World',
      headers: [['Content-Type', 'text/plain;charset=UTF-8']],
      result: 0,
    })
  })

  it('may be a default function, sync or async', async () => {
    const sync = await mountJs('export default (request) => new Response(request.method)')
    expect((await sync.request({ method: 'PATCH' })).text).toBe('PATCH')
    const async = await mountJs('export default async function (request) { await null; return new Response(request.method) }')
    expect((await async.request({ method: 'PATCH' })).text).toBe('PATCH')
  })

  it('answers before request() returns when it is sync, or its promise is settled already', async () => {
    for (const fetch of ['fetch: () => new Response("now")', 'fetch: async () => new Response("now")']) {
      const app = await mountJs(`export default { ${fetch} }`)
      const sends: unknown[] = []
      const response = app.request({ onSend: (chunk) => void sends.push(chunk) })
      expect(sends).toHaveLength(1)
      expect((await response).text).toBe('now')
    }
  })

  it('is called as a method of its object', async () => {
    const app = await mountJs('export default { name: "me", fetch() { return new Response(this.name) } }')
    expect((await app.request()).text).toBe('me')
  })

  it('may be an instance of a class', async () => {
    const app = await mountJs(
      'class App { #count = 0; fetch() { return new Response(String(++this.#count)) } }\nexport default new App()',
    )
    await app.request()
    expect((await app.request()).text).toBe('2')
  })

  it('may return any thenable', async () => {
    const app = await mountJs('export default () => ({ then(resolve) { resolve(new Response("later")) } })')
    expect((await app.request()).text).toBe('later')
  })

  it('gets the options as env and the request variables as ctx.vars', async () => {
    const app = await mountJs(
      'export default (request, env, ctx) => Response.json([env.workers, ctx.vars.REMOTE_ADDR, ctx.vars.X_CUSTOM, Object.getPrototypeOf(ctx.vars)])',
      { opt: new Map([['workers', ['2']]]) },
    )
    const response = await app.request({ vars: { X_CUSTOM: 'caf\xe9' } })
    expect(JSON.parse(response.text)).toEqual(['2', '127.0.0.1', 'caf\xe9', null])
  })

  it('goes on with waitUntil after the response, and its failure is logged', async () => {
    const app = await mountJs(`let done = 'no'
      export default (request, env, ctx) => {
        if (request.url.endsWith('/ask')) return new Response(done)
        ctx.waitUntil(new Promise((resolve) => setTimeout(resolve)).then(() => { done = 'yes'; throw new Error('afterwards') }))
        return new Response('first')
      }`)
    expect((await app.request()).text).toBe('first')
    expect((await app.request({ path: '/ask' })).text).toBe('no')
    await expect.poll(async () => (await app.request({ path: '/ask' })).text).toBe('yes')
    expect(app.logLines.join('\n')).toMatch(/waitUntil\(\) was rejected: Error: afterwards\n {4}at .*app\.js:4/)
  })

  it('may be pending many at once, each with its own request', async () => {
    const app = await mountJs(`const waiting = []
      export default async (request) => {
        if (request.url.endsWith('/release')) {
          for (const release of waiting.reverse()) release()
          return new Response(String(waiting.length))
        }
        await new Promise((resolve) => waiting.push(resolve))
        return new Response(request.url)
      }`)
    const pending = Array.from({ length: 500 }, (_, index) => app.request({ path: `/${index}` }))
    expect((await app.request({ path: '/release' })).text).toBe('500')
    const texts = (await Promise.all(pending)).map((response) => response.text)
    expect(texts).toEqual(pending.map((_, index) => `http://localhost:8080/${index}`))
  })
})

describe('a handler that fails', () => {
  it('by throwing, is answered 500 and logged with file and line', async () => {
    const app = await mountJs('export default {\n  fetch() {\n    throw new TypeError("no way")\n  },\n}')
    expect(await app.request()).toMatchObject({ ...serverError, result: -1, headers: [['Content-Type', 'text/plain']] })
    expect(app.logLines[0]).toMatch(/^js app .*app\.js: TypeError: no way$/)
    expect(app.logLines[1]).toMatch(/^ {4}at fetch \(.*\/app\.js:3:\d+\)$/)
  })

  it('by rejecting, at once or later, is answered and logged alike', async () => {
    for (const wait of ['', 'await null;', 'await new Promise((resolve) => setTimeout(resolve));']) {
      const app = await mountJs(`export default {\n  async fetch() {\n    ${wait} throw new RangeError("later")\n  },\n}`)
      expect(await app.request()).toMatchObject({ ...serverError, result: -1 })
      expect(app.logLines[0]).toMatch(/RangeError: later$/)
      expect(app.logLines[1]).toMatch(/app\.js:3:\d+\)$/)
      expect(app.logLines.join('\n')).not.toContain('unhandled')
    }
  })

  it('by throwing what is no error, is logged with that value', async () => {
    const app = await mountJs('export default () => { throw { code: 7 } }')
    expect(await app.request()).toMatchObject(serverError)
    expect(app.logLines).toEqual([expect.stringMatching(/app\.js: thrown: \{ code: 7 \}$/)])
  })

  it('by throwing an error whose parts throw, is answered and logged all the same', async () => {
    const app = await mountJs(`export default () => {
      throw new Proxy(new Error('x'), { get() { throw new Error('gotcha') }, getOwnPropertyDescriptor() { throw 1 } })
    }`)
    expect(await app.request()).toMatchObject(serverError)
    expect(app.logLines).toHaveLength(1)
  })

  it('by returning no Response, is told what it returned', async () => {
    for (const [returned, shown] of [
      ['undefined', 'undefined'],
      ['"text"', "'text'"],
      ['{ status: 200 }', '{ status: 200 }'],
      ['null', 'null'],
    ]) {
      const app = await mountJs(`export default () => (${returned})`)
      expect(await app.request()).toMatchObject({ ...serverError, result: -1 })
      expect(app.logLines[0]).toContain(`the handler returned ${shown}, not a Response`)
    }
  })

  it('shows what caused its error', async () => {
    const app = await mountJs('export default () => { throw new Error("outer", { cause: new TypeError("inner") }) }')
    await app.request()
    expect(app.logLines.join('\n')).toMatch(/Error: outer\n[\s\S]*caused by: TypeError: inner/)
  })

  it('does not disturb other requests', async () => {
    const app = await mountJs(
      'export default (request) => { if (request.method === "POST") throw new Error("x"); return new Response("ok") }',
    )
    for (let round = 0; round < 20; round += 1) {
      expect((await app.request({ method: 'POST' })).status).toBe('500 Internal Server Error')
      expect((await app.request()).text).toBe('ok')
    }
  })
})

describe('a rejected promise that nobody handles', () => {
  it('is logged when the turn is over', async () => {
    const app = await mountJs(`const later = async () => { throw new Error('forgotten') }
      export default () => { later(); return new Response('ok') }`)
    expect((await app.request()).text).toBe('ok')
    expect(app.logLines.join('\n')).toMatch(/^unhandled promise rejection: Error: forgotten\n {4}at later \(.*app\.js:1/)
  })

  it('is not logged when it is handled in the same turn', async () => {
    const app = await mountJs(`export default async () => {
      const promise = Promise.reject(new Error('handled'))
      await null
      await promise.catch(() => {})
      return new Response('ok')
    }`)
    expect((await app.request()).text).toBe('ok')
    expect(app.logLines).toEqual([])
  })

  it('is counted when there are very many', async () => {
    const app = await mountJs(
      'export default () => { for (let i = 0; i < 1500; i++) Promise.reject(i); return new Response("ok") }',
    )
    await app.request()
    expect(app.logLines.at(-1)).toBe('unhandled promise rejection: 500 more')
    expect(app.logLines).toHaveLength(1001)
  })
})
