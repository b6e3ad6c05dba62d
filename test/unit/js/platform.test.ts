// structuredClone, crypto, performance, Blob, and globals that load on first use.
import { describe, expect, it } from 'vitest'
import { guestValue, runJs } from './js-apps.ts'

describe('structuredClone', () => {
  it('copies values of every kind, cycles too', async () => {
    expect(
      await runJs(`const original = { n: 1, s: 'x', b: 2n, d: new Date(5), r: /a/gi, m: new Map([['k', { v: 1 }]]), set: new Set([1]), a: [1, , 3],
          u: new Uint16Array([1, 2]).subarray(1), buf: new ArrayBuffer(2), e: new RangeError('bad', { cause: 'why' }), o: Object(7), nil: null, und: undefined }
        original.self = original
        const c = structuredClone(original)
        return [c !== original, c.self === c, c.n, c.s, String(c.b), c.d instanceof Date && c.d.getTime(), String(c.r), c.m.get('k').v, c.m.get('k') !== original.m.get('k'),
          [...c.set], c.a.length, 1 in c.a, c.u instanceof Uint16Array, [...c.u], c.u.byteOffset, c.buf.byteLength, c.e instanceof RangeError, c.e.message, c.e.cause,
          typeof c.o, c.o + 1, c.nil, 'und' in c]`),
    ).toEqual([
      true, true, 1, 'x', '2', 5, '/a/gi', 1, true, [1], 3, false, true, [2], 2, 2, true, 'bad', 'why', 'object', 8, null, true,
    ]) // biome-ignore format: in the order above
  })

  it('keeps shared parts shared, and drops prototypes', async () => {
    expect(
      await runJs(`class Point { x = 1; #y = 2 }
        const part = {}
        const [a, b, p] = structuredClone([part, part, new Point()])
        return [a === b, p.constructor.name, p.x]`),
    ).toEqual([true, 'Object', 1])
  })

  it('moves what is transferred', async () => {
    expect(
      await runJs(`const buffer = new Uint8Array([1, 2]).buffer
        const copy = structuredClone({ buffer }, { transfer: [buffer] })
        return [buffer.byteLength, copy.buffer.byteLength]`),
    ).toEqual([0, 2])
  })

  it('refuses functions, symbols and objects with a state of their own', async () => {
    expect(
      await runJs(`const names = []
        for (const value of [() => 1, Symbol('s'), { deep: [() => 1] }, new Response(''), new Headers(), Promise.resolve(1), new URL('http://a/'), new ReadableStream()]) {
          try { structuredClone(value); names.push('cloned') } catch (error) { names.push(error.name + error.code) }
        }
        return names`),
    ).toEqual(Array(8).fill('DataCloneError25'))
  })
})

describe('crypto', () => {
  it('makes UUIDs and random bytes', async () => {
    const [uuid, other, same, bytes, many] = (await runJs(`const array = new Uint32Array(64)
      return [crypto.randomUUID(), crypto.randomUUID(), crypto.getRandomValues(array) === array, array.some((n) => n > 0xffff), new Set(crypto.getRandomValues(new Uint8Array(1000))).size]`)) as [
      string,
      string,
      boolean,
      boolean,
      number,
    ]
    expect(uuid).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
    expect(other).not.toBe(uuid)
    expect([bytes, same]).toEqual([true, true])
    expect(many).toBeGreaterThan(200)
  })

  it('refuses what it cannot fill', async () => {
    expect(
      await runJs(`const names = []
        for (const array of [new Float32Array(1), [], new Uint8Array(65537)]) try { crypto.getRandomValues(array) } catch (error) { names.push(error.name) }
        return names`),
    ).toEqual(['TypeMismatchError', 'TypeMismatchError', 'QuotaExceededError'])
  })
})

describe('performance', () => {
  it('measures from the start of the interpreter, in milliseconds', async () => {
    expect(
      await runJs(`const start = performance.now()
        for (let i = 0; i < 10000; i++);
        const end = performance.now()
        return [start >= 0, end > start, Math.abs(performance.timeOrigin + end - Date.now()) < 1000]`),
    ).toEqual([true, true, true])
  })
})

describe('Blob and File', () => {
  it('hold bytes and give them in every form', async () => {
    expect(
      await runJs(`const blob = new Blob(['gr\\u00fc', new Uint8Array([110]), new Blob(['!'])], { type: 'TEXT/x' })
        const file = new File([blob], 'name.txt', { lastModified: 5 })
        const part = blob.slice(1, -1, 'a/b')
        let streamed = ''
        for await (const chunk of blob.stream()) streamed += new TextDecoder().decode(chunk)
        return [blob.size, blob.type, await blob.text(), (await blob.bytes()).length, (await blob.arrayBuffer()).byteLength, streamed,
          file.name, file.lastModified, file.size, file instanceof Blob, await part.text(), part.type, String(file), new Blob().size]`),
    ).toEqual([6, 'text/x', 'gr\u00fcn!', 6, 6, 'gr\u00fcn!', 'name.txt', 5, 6, true, 'r\u00fcn', 'a/b', '[object File]', 0])
  })
})

describe('the globals of the platform', () => {
  it('are there, not enumerable, and may be replaced', async () => {
    expect(
      await runJs(`const names = ['console', 'URL', 'URLSearchParams', 'TextEncoder', 'TextDecoder', 'atob', 'btoa', 'setTimeout', 'setInterval', 'clearTimeout', 'clearInterval',
          'queueMicrotask', 'structuredClone', 'AbortController', 'AbortSignal', 'Event', 'EventTarget', 'ReadableStream', 'WritableStream', 'TransformStream', 'Blob', 'File',
          'FormData', 'Headers', 'Request', 'Response', 'DOMException', 'crypto', 'performance', 'uwsgi', 'UwsgiError', 'self', 'navigator']
        const missing = names.filter((name) => !(name in globalThis) || typeof globalThis[name] === 'undefined')
        const seen = Object.keys(globalThis)
        globalThis.FormData = 'mine'; URL = 'mine too'
        return [missing, seen, FormData, URL, self === globalThis, navigator.userAgent]`),
    ).toEqual([[], [], 'mine', 'mine too', true, 'polywsgi'])
  })

  it('work for each other even where they were replaced before their first use', async () => {
    expect(
      await runJs(`globalThis.Blob = globalThis.AbortController = globalThis.WritableStream = undefined
        const form = new FormData()
        form.append('f', 'x')
        return [(await new Response(form).formData()).get('f'), typeof Blob, new TransformStream().readable.locked]`),
    ).toEqual(['x', 'undefined', false])
  })

  it('answer Function.prototype.toString and instanceof like any class', async () => {
    expect(
      await guestValue(
        '[new Headers() instanceof Headers, typeof Response, String(new ReadableStream()), Object.prototype.toString.call(new URL("http://a"))]',
      ),
    ).toEqual([true, 'function', '[object ReadableStream]', '[object URL]'])
  })
})
