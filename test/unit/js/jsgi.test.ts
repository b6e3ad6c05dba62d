// JSGI 3 apps: the request object, what they may return, bodies of every form.
import { describe, expect, it } from 'vitest'
import { PolywsgiError } from '../../../host/errors.ts'
import { mountJs } from './js-apps.ts'

const answer = async (returned: string, request = {}) => {
  const app = await mountJs(`export const app = (request) => (${returned})`)
  return { ...(await app.request(request)), logLines: app.logLines }
}

describe('a JSGI request', () => {
  it('has the properties of the standard', async () => {
    const response = await answer(
      `{ status: 200, headers: {}, body: [JSON.stringify([request.method, request.scriptName, request.pathInfo, request.queryString, request.host,
        request.port, request.scheme, request.remoteAddr, request.remoteUser, request.serverSoftware, request.version, request.jsgi.version,
        request.jsgi.multithread, request.jsgi.multiprocess, request.jsgi.async, request.jsgi.runOnce, request.env.X_CUSTOM])] }`,
      { method: 'POST', path: '/a b', query: 'x=1', vars: { X_CUSTOM: '\xff', REMOTE_USER: 'ann', HTTP_HOST: '[::1]:8080' } },
    )
    expect(JSON.parse(response.text)).toEqual([
      'POST', '', '/a b', 'x=1', '[::1]', '8080', 'http', '127.0.0.1', 'ann', 'polywsgi', ['1', '1'], [0, 3], false, true, true, false, '\xff',
    ]) // biome-ignore format: in the order above
  })

  it('has lower-case headers', async () => {
    const response = await answer('{ status: 200, headers: {}, body: [JSON.stringify(request.headers)] }', {
      vars: { HTTP_X_TEST: 'v', CONTENT_TYPE: 'a/b' },
    })
    expect(JSON.parse(response.text)).toEqual({ host: 'localhost:8080', 'x-test': 'v', 'content-type': 'a/b' })
  })

  it('can be changed, as middleware does, and shows its properties', async () => {
    const response = await answer(`(() => {
      request.pathInfo = '/changed'; request.extra = 1
      const names = []
      for (const name in request) names.push(name)
      return { status: 200, headers: {}, body: [request.pathInfo + ' ' + names.includes('headers') + names.includes('extra')] }
    })()`)
    expect(response.text).toBe('/changed truetrue')
  })

  it('reads its input in pieces, whole, or piece by piece', async () => {
    const read = async (expression: string) =>
      (
        await answer(`{ status: 200, headers: {}, body: [JSON.stringify(${expression})] }`, {
          method: 'POST',
          body: 'gr\u00fc\u00dfe',
        })
      ).text
    expect(await read('[request.input.read(3).toString(), request.input.read().toString(), request.input.read(5).length]')).toBe(
      JSON.stringify(['gr\ufffd', '\ufffd\u00dfe', 0]),
    )
    expect(await read('request.input.text()')).toBe('"gr\u00fc\u00dfe"')
    expect(
      await read('(() => { const parts = []; request.input.forEach((part) => parts.push(String(part))); return parts })()'),
    ).toBe('["gr\u00fc\u00dfe"]')
  })

  it('writes to the log', async () => {
    const response = await answer("(request.jsgi.errors.print('to the log'), { status: 204, headers: {}, body: [] })")
    expect(response.logLines).toEqual(['to the log'])
    expect(response.status).toBe('204 No Content')
  })
})

describe('a JSGI response', () => {
  it('has a status, headers with one or more values, and a body', async () => {
    const response = await answer(
      '{ status: 404, headers: { "X-A": "1", "Set-Cookie": ["a=1", "b=2"], "X-N": 5 }, body: ["not ", "here"] }',
    )
    expect(response).toMatchObject({ status: '404 Not Found', text: 'not here', result: 0 })
    expect(response.headers).toEqual([
      ['X-A', '1'],
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
      ['X-N', '5'],
    ])
    expect(response.chunks).toHaveLength(1)
  })

  it('may have a body of text, bytes, a mixture, or none', async () => {
    for (const [body, text] of [
      ['"te\u00fct"', 'te\u00fct'],
      ['new TextEncoder().encode("bytes")', 'bytes'],
      ['["a", new Uint8Array([98]), new Uint8Array([99]).buffer]', 'abc'],
      ['[]', ''],
      ['null', ''],
      ['undefined', ''],
    ]) {
      expect((await answer(`{ status: 200, headers: {}, body: ${body} }`)).text).toBe(text)
    }
  })

  it('may push its body, at once or later', async () => {
    expect((await answer('{ status: 200, headers: {}, body: { forEach(write) { write("one "); write("two") } } }')).text).toBe(
      'one two',
    )
    const later = await answer(`{ status: 200, headers: {}, body: { async forEach(write) {
      write('one '); await new Promise((resolve) => setTimeout(resolve)); write('two') } } }`)
    expect(later.text).toBe('one two')
    expect(later.chunks.map(String)).toHaveLength(2)
  })

  it('sends much pushed text in pieces', async () => {
    const response = await answer(
      '{ status: 200, headers: {}, body: { forEach(write) { for (let i = 0; i < 100; i++) write("x".repeat(1000)) } } }',
    )
    expect(response.body).toHaveLength(100_000)
    expect(response.chunks.length).toBeGreaterThan(1)
  })

  it('may come later', async () => {
    for (const wait of [
      'async () => response',
      '() => Promise.resolve(response)',
      'async () => { await null; return response }',
    ]) {
      const app = await mountJs(`const response = { status: 200, headers: {}, body: ['later'] }\nexport const app = ${wait}`)
      expect((await app.request()).text).toBe('later')
    }
  })

  it('that is none is refused with its form', async () => {
    for (const [returned, message] of [
      ['undefined', 'a JSGI app returns { status, headers, body }, not undefined'],
      ['[200, {}, []]', 'a JSGI app returns { status, headers, body }, not [ 200, {}, [] ]'],
      ['{ status: "abc", headers: {}, body: [] }', "the status of a JSGI response is a number of three digits, not 'abc'"],
      ['{ status: 200, headers: "x", body: [] }', 'the headers of a JSGI response are an object'],
      ['{ status: 200, headers: { "a b": "x" }, body: [] }', 'invalid header name: "a b"'],
      ['{ status: 200, headers: {}, body: 5 }', 'the body of a JSGI response is text, bytes or has forEach, not 5'],
      ['{ status: 200, headers: {}, body: [5] }', 'a body must deliver text or bytes, not 5'],
    ] as const) {
      const response = await answer(returned)
      expect(response).toMatchObject({ status: '500 Internal Server Error', result: -1 })
      expect(response.logLines[0]).toContain(message)
    }
  })

  it('that fails half way is left for the host to cut', async () => {
    const response = await answer(
      `{ status: 200, headers: {}, body: { async forEach(write) { write('begun'); await null; throw new Error('dry') } } }`,
    )
    expect(response).toMatchObject({ status: '200 OK', text: 'begun', isCut: true, result: -1 })
    expect(response.logLines[0]).toContain('Error: dry')
  })

  it.each([
    ['pushed at once', 'forEach(push) { for (let n = 0; n < 9; n += 1) push("x".repeat(100000)) }'],
    [
      'whose app goes on after the error',
      'forEach(push) { for (let n = 0; n < 9; n += 1) try { push("x".repeat(100000)) } catch {} }',
    ],
    [
      'that goes on later',
      'async forEach(push) { for (let n = 0; n < 9; n += 1) { await null; await push("x".repeat(100000)) } }',
    ],
  ])('%s, of which a chunk is refused (response-limit), is left for the host to cut', async (_, body) => {
    const app = await mountJs(`export const app = () => ({ status: 200, headers: {}, body: { ${body} } })`)
    let sends = 0
    const onSend = (): void => {
      sends += 1
      if (sends > 2) throw new PolywsgiError('LIMIT_EXCEEDED', 'the body of the response is too long')
    }
    const response = await app.request({ onSend })
    expect(response).toMatchObject({ isCut: true, result: -1 })
  })

  it('by an app that throws or rejects is a 500', async () => {
    for (const thrower of [
      '() => { throw new Error("x") }',
      'async () => { throw new Error("x") }',
      'async () => { await null; throw new Error("x") }',
    ]) {
      const app = await mountJs(`export const app = ${thrower}`)
      expect(await app.request()).toMatchObject({ status: '500 Internal Server Error', result: -1 })
      expect(app.logLines[0]).toMatch(/Error: x$/)
    }
  })
})
