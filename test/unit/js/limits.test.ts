// What a guest may use up, and that the interpreter serves the next request afterwards.
import { describe, expect, it } from 'vitest'
import { Engine } from '../../../bindings/js/engine.ts'
import { createJsPlugin, FatalGuestError } from '../../../bindings/js/index.ts'
import { mountJs } from './js-apps.ts'

const megabytes = 1024 * 1024

/** Runs each of these in a handler of one app, a harmless request after each. */
const survive = async (bombs: Record<string, string>, memoryLimit: number): Promise<Record<string, string>> => {
  const app = await mountJs(
    `const bombs = { ${Object.entries(bombs)
      .map(([name, code]) => `${JSON.stringify(name)}: () => { ${code} }`)
      .join(',\n')} }
    export default async (request) => {
      const name = request.headers.get('bomb')
      if (name === null) return new Response('alive')
      return new Response(String(await bombs[name]()).slice(0, 100))
    }`,
    { memoryLimit },
  )
  const outcomes: Record<string, string> = {}
  for (const name of Object.keys(bombs)) {
    const response = await app.request({ vars: { HTTP_BOMB: name } })
    outcomes[name] =
      response.status === '200 OK' ? response.text : (app.logLines.splice(0).find((line) => line.startsWith('js app')) ?? '')
    expect((await app.request()).text, `after ${name}: ${app.logLines.splice(0).join()}`).toBe('alive')
  }
  return outcomes
}

describe('memory', () => {
  it('is limited, and running out of it is an error of the request', async () => {
    const outcomes = await survive(
      {
        buffers: 'const all = []; for (;;) all.push(new ArrayBuffer(1 << 20))',
        arrays: 'const all = []; for (;;) all.push(new Array(10000).fill(0))',
        strings: 'let s = "x".repeat(1000); const all = []; for (;;) all.push(s += "y".repeat(100000))',
        doubling: 'let s = "x"; for (;;) s = (s + s).slice(0)',
        objects: 'let o = {}; for (;;) o = { o }',
        maps: 'const m = new Map(); for (let i = 0; ; i++) m.set(i, [i])',
        closures: 'const all = []; for (;;) all.push(() => all)',
        promises: 'const all = []; for (;;) all.push(Promise.resolve({}))',
        header: 'return new Response("", { headers: { a: "x".repeat(1 << 28) } })',
        json: 'return JSON.stringify(new Array(1 << 22).fill("xxxxxxxxxxxx"))',
        encode: 'return new TextEncoder().encode("\\u00e4".repeat(20 << 20)).length',
      },
      32 * megabytes,
    )
    for (const [name, outcome] of Object.entries(outcomes))
      expect(`${name}: ${outcome}`).toMatch(/out of memory|thrown: null|string too long|invalid|200/i)
  })

  it('of a request body that does not fit is refused to the handler', async () => {
    const app = await mountJs(
      `export default async (request) => {
        if (request.method === 'GET') return new Response('alive')
        try { return new Response((await request.text()).length) } catch (error) { return new Response(error.name + ': ' + error.message) }
      }`,
      { memoryLimit: 24 * megabytes },
    )
    const body = new Uint8Array(40 * megabytes).fill(0x61)
    expect((await app.request({ method: 'POST', body })).text).toBe('RangeError: out of memory: the interpreter may use 24 MB')
    expect((await app.request()).text).toBe('alive')
  })

  it('held by forgotten cycles is collected before it runs out', async () => {
    const app = await mountJs(
      `export default () => {
        const node = { data: new Uint8Array(4 << 20) }
        node.self = node
        return new Response('ok')
      }`,
      { memoryLimit: 32 * megabytes },
    )
    for (let round = 0; round < 100; round += 1) expect((await app.request()).status).toBe('200 OK')
    expect(app.logLines).toEqual([])
  })
})

describe('the stack', () => {
  it('is limited, and running over is an error of the request', async () => {
    const deep = 'const f = () => f() + 1; return f()'
    const outcomes = await survive(
      {
        recursion: deep,
        mutual: 'const a = () => [1].map(b), b = () => [1].map(a); return a()',
        getter: 'const o = { get x() { return this.x } }; return o.x',
        string: 'const o = { toString() { return "" + this } }; return "" + o',
        json: 'let o = []; for (let i = 0; i < 100000; i++) o = [o]; return JSON.stringify(o)',
        parse: 'return JSON.parse("[".repeat(100000))',
        regexp: 'return new RegExp("(".repeat(20000) + ")".repeat(20000))',
        code: 'return Function("return " + "(".repeat(50000) + ")".repeat(50000))',
        proxy: 'let p = {}; for (let i = 0; i < 100000; i++) p = new Proxy(p, {}); return p.x',
        sort: 'const f = () => [2, 1].sort(f); return f()',
        async: 'const f = async () => { await f() }; f(); return "ok"',
        console: 'const f = () => { console.log("x"); f() }; f()',
        headers: 'const f = () => { new Headers({ get a() { return f() } }) }; f()',
        catching: 'let n = 0; const f = () => { try { f() } catch { n++; if (n < 200) f() } }; f(); return "caught"',
      },
      64 * megabytes,
    )
    for (const [name, outcome] of Object.entries(outcomes)) {
      expect(`${name}: ${outcome}`).toMatch(/stack overflow|too much recursion|SyntaxError|undefined$|ok$|caught$|true/i)
    }
  })

  it('that runs over while a part of the platform loads spoils nothing', async () => {
    const app = await mountJs(`const dive = (use) => { try { dive(use) } catch (error) { try { use() } catch {} throw error } }
      export default () => {
        const uses = [() => structuredClone({ a: [1] }).a.length, () => new URL('http://a/b').pathname, () => new TransformStream().readable.locked,
          () => new FormData().has('x'), () => btoa('x'), () => AbortSignal.abort(1).reason]
        const results = []
        for (const use of uses) {
          try { dive(use) } catch {}
          results.push(use())
        }
        return Response.json(results)
      }`)
    const response = await app.request()
    expect([response.text, app.logLines]).toEqual(['[1,"/b",false,false,"eA==",1]', []])
  })

  it('survives a hundred overflows', async () => {
    const app = await mountJs(`const f = (n) => n + f(n + 1)
      export default (request) => request.method === 'GET' ? new Response('alive') : new Response(f(0))`)
    for (let round = 0; round < 100; round += 1) {
      expect((await app.request({ method: 'POST' })).status).toBe('500 Internal Server Error')
      expect((await app.request()).text).toBe('alive')
    }
  })
})

describe('an interpreter that is lost', () => {
  it('is an error marked fatal, for every request from then on', async () => {
    const app = await mountJs(`const pending = new Promise(() => {})
      export default (request) => request.method === 'POST' ? pending : new Response('ok')`)
    const waiting = app.request({ method: 'POST' })
    expect((await app.request()).text).toBe('ok')
    const trap = new Error('memory access out of bounds')
    const call = Engine.prototype.call
    Engine.prototype.call = function (this: Engine) {
      return this.enter(() => {
        throw trap
      })
    }
    try {
      await expect(app.request()).rejects.toThrow('the JavaScript interpreter is lost: memory access out of bounds')
    } finally {
      Engine.prototype.call = call
    }
    await expect(waiting).rejects.toThrow('the JavaScript interpreter is lost')
    const error = await app.request().catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(FatalGuestError)
    expect(error).toMatchObject({ fatal: true, cause: trap })
    expect(createJsPlugin().exceptionLog?.(error)).toBe(error)
  })
})
