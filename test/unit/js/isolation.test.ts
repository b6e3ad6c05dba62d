// Guests are guests: what they try to get at the host, at its objects and its files, and what they may change.
import { describe, expect, it } from 'vitest'
import { guestValue, mountJs, runJs } from './js-apps.ts'

describe('a guest', () => {
  it('has the language and the platform, and nothing of the host', async () => {
    expect(
      await guestValue(
        `['process', 'require', 'module', 'exports', 'Buffer', 'global', 'fetch', 'WebAssembly', 'std', 'os', 'scriptArgs', 'print', 'gc', 'Worker', 'XMLHttpRequest', 'host', 'lib']
          .filter((name) => name in globalThis)`,
      ),
    ).toEqual([])
  })

  it('cannot get out through constructors', async () => {
    expect(
      await runJs(`const roots = [uwsgi, uwsgi.log, uwsgi.version, request, request.headers, ctx, env, console.log, setTimeout, URL, structuredClone, crypto, new Response('')]
        return roots.map((root) => {
          try { return typeof root.constructor.constructor('return typeof process + typeof require')() === 'string' ? root.constructor.constructor('return typeof process + typeof require')() : 'odd' }
          catch (error) { return error.name }
        })`),
    ).toEqual([
      'TypeError', // no prototype, no constructor
      ...Array(5).fill('undefinedundefined'),
      'TypeError',
      ...Array(6).fill('undefinedundefined'),
    ])
  })

  it('sees no host path in the stacks of errors that the host caused', async () => {
    expect(
      await runJs(`const stacks = []
        for (const f of [() => uwsgi.log(), () => new URL('x'), () => new Headers({ 'a b': '' }), () => new TextDecoder('x'), () => atob('*')]) {
          try { f() } catch (error) { stacks.push(error.stack) }
        }
        return stacks.some((stack) => /bindings|node_modules|node:|\\.ts/.test(stack))`),
    ).toBe(false)
  })

  it('cannot reach host functions by patching what they are called through', async () => {
    const app = await mountJs(`
      const caught = [], reflectApply = Reflect.apply
      const note = (value) => { if (typeof value === 'function' && /^(respond|write|fail|log|requestVar|bodyWhole|loadGlue|startTimer)$/.test(value.name)) caught.push(value.name) }
      const spy = (object, name) => {
        const original = object[name]
        object[name] = function (...args) { note(this); for (let i = 0; i < args.length; i++) note(args[i]); return reflectApply(original, this, args) }
      }
      const names = { Function: ['call', 'apply', 'bind'], Array: ['push', 'shift', 'slice', 'splice', 'join', 'sort', 'map', 'forEach'], Promise: ['then'],
        Map: ['get', 'set', 'delete', 'has'], String: ['slice', 'indexOf', 'split', 'charCodeAt'], Uint8Array: ['set', 'slice', 'subarray'] }
      const call = Function.prototype.call
      for (const type in names) for (const name of names[type]) if (type !== 'Function') spy(globalThis[type].prototype, name)
      for (const name of ['apply', 'bind']) {
        const original = Function.prototype[name]
        Object.defineProperty(Function.prototype, name, { value(...args) { note(this); return reflectApply(original, this, args) }, configurable: true })
      }
      Object.defineProperty(Function.prototype, 'call', { value(...args) { note(this); return reflectApply(call, this, args) }, configurable: true })
      const define = Object.defineProperty
      const pass = (object, name, value) => define(object, name, { __proto__: null, value, writable: true, enumerable: true, configurable: true })
      define(Array.prototype, '0', { set(v) { note(v); pass(this, '0', v) }, configurable: true })
      define(Object.prototype, 'value', { set(v) { note(v); pass(this, 'value', v) }, get() {}, configurable: true })
      const iterator = Array.prototype[Symbol.iterator]
      Array.prototype[Symbol.iterator] = function () { for (let i = 0; i < this.length; i++) note(this[i]); return reflectApply(iterator, this, []) }
      export default async (request) => {
        const text = await request.text()
        const url = new URL(request.url)
        setTimeout(() => {}, 0)
        console.log('patched %s', text, url.pathname, new Map([[1, { a: 1 }]]))
        const stream = new ReadableStream({ async pull(c) { await null; c.enqueue(new TextEncoder().encode(JSON.stringify(caught))); c.close() } })
        return new Response(stream, { headers: { 'X-A': request.headers.get('x-b') ?? 'none', ...Object.fromEntries(new Headers({ q: '1' })) } })
      }`)
    const response = await app.request({ method: 'POST', body: 'body', vars: { HTTP_X_B: 'b' } })
    expect([response.status, response.text, app.logLines.filter((line) => !line.startsWith('patched'))]).toEqual([
      '200 OK',
      '[]',
      [],
    ])
  })

  it('may break its own built-ins without breaking its requests', async () => {
    const app = await mountJs(`
      for (const name of ['push', 'pop', 'shift', 'slice', 'splice', 'join', 'sort', 'map', 'forEach', 'indexOf']) Array.prototype[name] = () => { throw new Error('patched') }
      for (const name of ['slice', 'split', 'indexOf', 'toLowerCase', 'trim', 'startsWith']) String.prototype[name] = () => { throw new Error('patched') }
      for (const name of ['get', 'set', 'has', 'delete']) Map.prototype[name] = () => { throw new Error('patched') }
      for (const name of ['set', 'subarray', 'slice']) Object.getPrototypeOf(Uint8Array.prototype)[name] = () => { throw new Error('patched') }
      Object.keys = Object.defineProperty = JSON.stringify = JSON.parse = () => { throw new Error('patched') }
      Promise.prototype.then = () => { throw new Error('patched') }
      globalThis.Headers = globalThis.TypeError = globalThis.Uint8Array = globalThis.Map = globalThis.Promise = undefined
      export default async (request) => {
        const text = await request.text()
        console.log('still %s', 'here')
        return new Response(text + request.method + new URL(request.url).pathname, { headers: { a: request.headers.get('x-b') } })
      }`)
    const response = await app.request({ method: 'POST', path: '/p', body: 'body ', vars: { HTTP_X_B: 'b' } })
    expect(response).toMatchObject({ status: '200 OK', text: 'body POST/p' })
    expect(app.logLines).toEqual(['still here'])
  })

  it('cannot make the objects of the platform that only the platform makes', async () => {
    expect(
      await runJs(`const out = []
        const wire = {}
        for (const make of [() => new ctx.constructor('x').vars, () => new Request(wire, 'packet', 1).method, () => new Headers(wire, ['a', 'a', 'b\\r\\n']).get('a'),
          () => new AbortSignal({}), () => Object.getOwnPropertyDescriptor(Request.prototype, 'url').get.call({})]) {
          try { out.push(make()) } catch (error) { out.push(error.name) }
        }
        return out`),
    ).toEqual([null, 'TypeError', null, 'TypeError', 'TypeError'])
  })

  it('finds no way to what was deleted from the classes of the platform', async () => {
    expect(
      await guestValue(
        `[Request, Response, Headers, URL, URLSearchParams, ReadableStream, AbortSignal, Event, Blob, FormData, WritableStream].flatMap((c) => Object.getOwnPropertyNames(c))
          .filter((name) => !['length', 'name', 'prototype'].includes(name)).sort()`,
      ),
    ).toEqual(['abort', 'any', 'canParse', 'error', 'from', 'json', 'parse', 'redirect', 'timeout'])
  })

  it('cannot read the body of a request that is not its own', async () => {
    const app = await mountJs(`export const app = (request) => {
      let stolen = 'nothing'
      try { stolen = String(new request.input.constructor(1).read()) } catch (error) { stolen = error.name }
      return { status: 200, headers: {}, body: [stolen] }
    }`)
    expect((await app.request({ method: 'POST', body: 'secret' })).text).toBe('TypeError')
  })

  it('shares no memory with the host: a body it was given is its own', async () => {
    const app = await mountJs(`let kept
      export default async (request) => {
        const before = kept === undefined ? '' : new TextDecoder().decode(kept)
        kept = await request.bytes()
        return new Response(before)
      }`)
    await app.request({ method: 'POST', body: 'first' })
    expect((await app.request({ method: 'POST', body: 'other' })).text).toBe('first')
  })

  it('may transfer, detach and resize buffers as it likes', async () => {
    const app = await mountJs(`export default async (request) => {
      const bytes = await request.bytes()
      const moved = bytes.buffer.transfer()
      const resizable = new ArrayBuffer(8, { maxByteLength: 16 })
      const view = new Uint8Array(resizable, 4, 4)
      resizable.resize(2)
      return request.method === 'POST' ? new Response(bytes) : request.method === 'PUT' ? new Response(view) : new Response(moved)
    }`)
    expect(await app.request({ method: 'POST', body: 'x' })).toMatchObject({ status: '200 OK', text: '' })
    expect((await app.request({ method: 'PATCH', body: 'moved' })).text).toBe('moved')
    expect((await app.request({ method: 'PUT', body: 'x' })).text).toBe('')
  })

  it('sets prototypes without the host noticing', async () => {
    expect(await runJs('Object.prototype.polluted = 1; uwsgi.log(new Uint8Array(0)); return ({}).polluted')).toBe(1)
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
  })
})
