// Request: what a handler reads of the packet and of the body, and Request objects that programs make.
import { describe, expect, it } from 'vitest'
import { ClientError } from '../../../host/errors.ts'
import type { RequestBody } from '../../../host/request/body.ts'
import { guestValue, mountJs, runJs } from './js-apps.ts'

/** A body that arrives in pieces, each a turn of the event loop later. */
const slowBody = (pieces: readonly (string | Error)[], contentLength = -1): RequestBody => {
  const left = [...pieces]
  const read = (): Uint8Array => {
    const piece = left.shift()
    if (piece instanceof Error) throw piece
    return new TextEncoder().encode(piece ?? '')
  }
  return {
    contentLength,
    whole: undefined,
    read,
    async readAsync() {
      await new Promise((resolve) => setImmediate(resolve))
      return read()
    },
  }
}

describe('request.url', () => {
  const urlOf = (vars: Record<string, string>) => guestValue('request.url', { vars })

  it('is made of scheme, Host header and target', async () => {
    expect(await guestValue('request.url', { path: '/a/b', query: 'c=d' })).toBe('http://localhost:8080/a/b?c=d')
  })

  it('keeps the mount in front', async () => {
    const app = await mountJs('export default (request) => new Response(request.url)')
    await app.harness.mount(`${app.directory}/app.js`, '/api')
    expect((await app.harness.request({ mountpoint: '/api', path: '/x' })).text).toBe('http://localhost:8080/api/x')
  })

  it('says https when the request came so', async () => {
    expect(await urlOf({ REQUEST_SCHEME: 'https', HTTP_HOST: 'example.org' })).toBe('https://example.org/')
    expect(await urlOf({ REQUEST_SCHEME: '', HTTPS: 'on', HTTP_HOST: 'example.org:443' })).toBe('https://example.org/')
    expect(await urlOf({ REQUEST_SCHEME: '', HTTPS: '', HTTP_HOST: 'example.org:80' })).toBe('http://example.org/')
  })

  it('is a valid URL whatever bytes the target has', async () => {
    expect(await urlOf({ REQUEST_URI: '/caf\xc3\xa9 x\xff"<>#?a=\xe4#' })).toBe(
      'http://localhost:8080/caf%C3%A9%20x%FF%22%3C%3E%23?a=%E4%23',
    )
    expect(await urlOf({ REQUEST_URI: '/a\\b' })).toBe('http://localhost:8080/a%5Cb')
    expect(await urlOf({ REQUEST_URI: '//evil.example/x' })).toBe('http://localhost:8080//evil.example/x')
    expect(await urlOf({ REQUEST_URI: '/a/../b/./c' })).toBe('http://localhost:8080/b/c')
    expect(await urlOf({ REQUEST_URI: '/%2E%2e/x%2fy' })).toBe('http://localhost:8080/x%2fy')
  })

  it('takes the path from PATH_INFO where there is no target', async () => {
    expect(await urlOf({ REQUEST_URI: '', SCRIPT_NAME: '/app', PATH_INFO: '/50% ?', QUERY_STRING: 'q=1' })).toBe(
      'http://localhost:8080/app/50%25%20%3F?q=1',
    )
    expect(await urlOf({ REQUEST_URI: '*', SCRIPT_NAME: '', PATH_INFO: '', QUERY_STRING: '' })).toBe('http://localhost:8080/')
  })

  it('understands the target form of proxies', async () => {
    expect(await urlOf({ REQUEST_URI: 'http://other.example/path?q' })).toBe('http://localhost:8080/path?q')
    expect(await urlOf({ REQUEST_URI: 'http://other.example' })).toBe('http://localhost:8080/')
  })

  it('does not let the Host header change its meaning', async () => {
    for (const host of ['evil/path', 'user@evil', 'a b', 'evil?x', 'evil#x', 'evil\\x', '', 'a:b:c', '[::1']) {
      expect(await urlOf({ HTTP_HOST: host, SERVER_NAME: 'me', SERVER_PORT: '81' })).toBe('http://me:81/')
    }
    expect(await urlOf({ HTTP_HOST: '[::1]:8080' })).toBe('http://[::1]:8080/')
    expect(await urlOf({ HTTP_HOST: 'EXAMPLE.org' })).toBe('http://example.org/')
    expect(await urlOf({ HTTP_HOST: '', SERVER_NAME: 'bad name', SERVER_PORT: '' })).toBe('http://localhost/')
  })
})

describe('an incoming request', () => {
  it('has its method and headers', async () => {
    expect(
      await runJs(
        `return [request.method, request.headers.get('X-Test'), request.headers.get('content-type'),
          request.headers.get('content-length'), request.headers.get('nope'), request.headers.has('x-test'), [...request.headers]]`,
        {
          method: 'PROPFIND',
          body: 'abc',
          vars: { HTTP_X_TEST: 'caf\xe9', CONTENT_TYPE: 'text/x', HTTP_X_EMPTY: '' },
        },
      ),
    ).toEqual([
      'PROPFIND',
      'caf\xe9',
      'text/x',
      '3',
      null,
      true,
      [
        ['content-length', '3'],
        ['content-type', 'text/x'],
        ['host', 'localhost:8080'],
        ['x-empty', ''],
        ['x-test', 'caf\xe9'],
      ],
    ])
  })

  it('has no headers of which CGI says they are empty', async () => {
    expect(
      await guestValue(
        '[request.headers.get("content-length"), request.headers.has("content-type"), [...request.headers.keys()]]',
      ),
    ).toEqual([null, false, ['host']])
  })

  it('has headers that cannot be changed', async () => {
    expect(
      await runJs(`const errors = []
        for (const change of [h => h.set('a', 'b'), h => h.append('a', 'b'), h => h.delete('host')]) {
          try { change(request.headers) } catch (error) { errors.push(error.message) }
        }
        return errors`),
    ).toEqual(Array(3).fill('the headers of an incoming request cannot be changed'))
  })

  it('can be read as text, JSON, bytes, a buffer and a blob', async () => {
    const body = '{"a":"gr\u00fcn"}'
    for (const [read, value] of [
      ['request.text()', body],
      ['request.json()', { a: 'gr\u00fcn' }],
      ['request.bytes().then(b => [b instanceof Uint8Array, b.length])', [true, 13]],
      ['request.arrayBuffer().then(b => [b instanceof ArrayBuffer, b.byteLength])', [true, 13]],
      ['request.blob().then(b => [b.size, b.type])', [13, 'application/json']],
    ] as const) {
      const sent = { method: 'POST', vars: { CONTENT_TYPE: 'application/json' } }
      expect(await guestValue(`await ${read}`, { ...sent, body })).toEqual(value)
      const pieces = ['{"a":"gr', '\u00fcn"', '}']
      expect(await guestValue(`await ${read}`, { ...sent, bodySource: slowBody(pieces) })).toEqual(value)
    }
  })

  it('keeps every byte of a body', async () => {
    const app = await mountJs('export default async (request) => new Response(await request.bytes())')
    const body = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 7 + (index >> 8)) & 0xff)
    expect(Buffer.compare((await app.request({ method: 'PUT', body })).body, body)).toBe(0)
  })

  it('echoes a megabyte, whole or streamed', async () => {
    const body = Buffer.alloc(1 << 20, 'polywsgi ')
    for (const expression of ['await request.text()', 'await request.bytes()', 'request.body']) {
      const app = await mountJs(`export default async (request) => new Response(${expression})`)
      const response = await app.request({ method: 'PUT', body: new Uint8Array(body) })
      expect(Buffer.compare(response.body, body)).toBe(0)
    }
  })

  it('drops a byte order mark from text and repairs broken UTF-8', async () => {
    expect(await guestValue('await request.text()', { method: 'POST', body: Uint8Array.of(0xef, 0xbb, 0xbf, 0x61, 0xff) })).toBe(
      'a\ufffd',
    )
  })

  it('can be read once', async () => {
    expect(
      await runJs(
        `const first = request.bodyUsed; await request.text()
        return [first, request.bodyUsed, await request.json().catch(e => e.name + ': ' + e.message)]`,
        { method: 'POST', body: 'x' },
      ),
    ).toEqual([false, true, 'TypeError: the body was used already'])
  })

  it('without a body has none', async () => {
    expect(await runJs('return [request.body, await request.text(), await request.text(), request.bodyUsed]')).toEqual([
      null,
      '',
      '',
      false,
    ])
  })

  it('rejects JSON that is none', async () => {
    expect(await guestValue('await request.json().catch(e => e.name)', { method: 'POST', body: '{' })).toBe('SyntaxError')
  })

  it('can be cloned, its body too', async () => {
    for (const sent of [{ body: 'abc' }, { bodySource: slowBody(['a', 'bc']) }]) {
      expect(
        await runJs('const c = request.clone(); return [await c.text(), await request.text(), c.url === request.url, c.method]', {
          method: 'POST',
          ...sent,
        }),
      ).toEqual(['abc', 'abc', true, 'POST'])
    }
  })

  it('streams its body as it arrives', async () => {
    expect(
      await runJs(
        `const parts = []
        for await (const part of request.body) parts.push(new TextDecoder().decode(part))
        return parts`,
        { method: 'POST', bodySource: slowBody(['one', 'two', 'three']) },
      ),
    ).toEqual(['one', 'two', 'three'])
  })

  it('tells when the client leaves before its body is complete', async () => {
    const gone = new ClientError('CLIENT_GONE', 'the client closed its connection')
    expect(
      await runJs('return await request.text().catch(e => [e instanceof UwsgiError, e.code, e.message])', {
        method: 'POST',
        bodySource: slowBody(['begun', gone]),
      }),
    ).toEqual([true, 'CLIENT_GONE', 'the client closed its connection'])
  })

  it('keeps what was not asked for until after its response, but not its body', async () => {
    const app = await mountJs(`let kept
      export default async (request) => {
        const before = kept
        kept = request
        if (!before) return new Response('kept')
        return Response.json([before.url, before.headers.get('x-a'), before.method, await before.text().catch(e => e.message)])
      }`)
    await app.request({ path: '/first', method: 'PUT', body: 'unread', vars: { HTTP_X_A: 'one' } })
    const response = await app.request({ path: '/second', vars: { HTTP_X_A: 'two' } })
    expect(JSON.parse(response.text)).toEqual([
      'http://localhost:8080/first',
      'one',
      'PUT',
      'the request is over, its body cannot be read any more',
    ])
  })
})

describe('forms', () => {
  it('are read from urlencoded bodies', async () => {
    expect(
      await guestValue('[...await request.formData()]', {
        method: 'POST',
        body: 'a=1+2&b=%C3%A4&a=%00',
        vars: { CONTENT_TYPE: 'application/x-www-form-urlencoded; charset=utf-8' },
      }),
    ).toEqual([
      ['a', '1 2'],
      ['b', '\u00e4'],
      ['a', '\0'],
    ])
  })

  it('are read from multipart bodies, files too', async () => {
    const body = Buffer.concat([
      Buffer.from('preamble\r\n--xyz\r\nContent-Disposition: form-data; name="a%22b"\r\n\r\ngr\u00fcn\r\n'),
      Buffer.from('--xyz\r\nContent-Type: image/png\r\ncontent-disposition: form-data; filename="p.png"; name=f\r\n\r\n'),
      Buffer.from([0, 255, 13, 10, 45, 45]),
      Buffer.from('\r\n--xyz\r\nContent-Disposition: form-data; name="e"\r\n\r\n\r\n--xyz--\r\nepilogue'),
    ])
    expect(
      await runJs(
        `const form = await request.formData()
        const file = form.get('f')
        return [form.get('a"b'), form.get('e'), file.name, file.type, file instanceof File, Array.from(await file.bytes()), [...form.keys()]]`,
        { method: 'POST', body: new Uint8Array(body), vars: { CONTENT_TYPE: 'multipart/form-data; boundary="xyz"' } },
      ),
    ).toEqual(['gr\u00fcn', '', 'p.png', 'image/png', true, [0, 255, 13, 10, 45, 45], ['a"b', 'f', 'e']])
  })

  it('survive being written and read again', async () => {
    expect(
      await runJs(`const form = new FormData()
        form.append('n"\\r\\n', 'line\\nbreak')
        form.append('file', new Blob([new Uint8Array([1, 2])], { type: 'a/b' }), 'x"y.bin')
        const again = await new Response(form).formData()
        const file = again.get('file')
        return [...again.keys(), again.get('n"\\r\\n'), file.name, file.type, file.size]`),
    ).toEqual(['n"\r\n', 'file', 'line\r\nbreak', 'x"y.bin', 'a/b', 2])
  })

  it('are refused when they are broken or of another type', async () => {
    const read = 'await request.formData().catch(e => e.message)'
    const post = { method: 'POST', body: '--x\r\nbroken' }
    expect(await guestValue(read, { ...post, vars: { CONTENT_TYPE: 'multipart/form-data; boundary=x' } })).toBe(
      'the body is not well-formed multipart/form-data',
    )
    expect(await guestValue(read, { ...post, vars: { CONTENT_TYPE: 'multipart/form-data' } })).toBe(
      'the content type names no boundary',
    )
    expect(await guestValue(read, { ...post, vars: { CONTENT_TYPE: 'text/plain' } })).toBe(
      'formData() cannot read a body of type "text/plain"',
    )
  })
})

describe('a Request that a program makes', () => {
  it('has what it was given', async () => {
    expect(
      await runJs(`const r = new Request('http://a.example/x y', { method: 'post', body: 'b', headers: { 'X-A': '1' } })
        return [r.method, r.url, r.headers.get('x-a'), r.headers.get('content-type'), await r.text(), String(r), r.signal.aborted]`),
    ).toEqual(['POST', 'http://a.example/x%20y', '1', 'text/plain;charset=UTF-8', 'b', '[object Request]', false])
  })

  it('takes over the body of another one', async () => {
    expect(
      await runJs(
        'const r = new Request(request, { headers: { a: "b" } }); return [r.method, await r.text(), request.bodyUsed, r.headers.get("host")]',
        {
          method: 'POST',
          body: 'moved',
        },
      ),
    ).toEqual(['POST', 'moved', true, null])
  })

  it('is refused what fetch refuses', async () => {
    expect(
      await runJs(`const errors = []
        for (const args of [['/relative'], ['http://u:p@a/'], ['http://a', { method: 'bad method' }], ['http://a', { method: 'TRACE' }],
          ['http://a', { body: 'x' }], ['http://a', { signal: {} }]]) {
          try { new Request(...args) } catch (error) { errors.push(error.message) }
        }
        return errors`),
    ).toEqual([
      'Invalid URL: /relative',
      'a request URL must not hold credentials',
      'invalid method: "bad method"',
      'forbidden method: TRACE',
      'a GET request has no body',
      "a request's signal must be an AbortSignal",
    ])
  })
})
