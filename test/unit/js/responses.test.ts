// Response: what bodies and heads it takes, and what of them reaches the client.
import { describe, expect, it } from 'vitest'
import { guestValue, headerValues, mountJs } from './js-apps.ts'

const respond = async (expression: string) => {
  const app = await mountJs(`export default { fetch: async (request) => (${expression}) }`)
  return { ...(await app.request({ body: 'sent', method: 'POST' })), logLines: app.logLines }
}

describe('a response body', () => {
  it('may be text, sent as UTF-8', async () => {
    const response = await respond('new Response("gr\\u00fc\\u00dfe \\ud83d\\ude00 \\0 \\ud800")')
    expect(response.text).toBe('gr\u00fc\u00dfe \ud83d\ude00 \0 \ufffd')
    expect(response.headers).toEqual([['Content-Type', 'text/plain;charset=UTF-8']])
  })

  it('may be Latin-1 text without being mistaken for bytes', async () => {
    expect([...(await respond('new Response("\\u00ff\\u0080")')).body]).toEqual([0xc3, 0xbf, 0xc2, 0x80])
  })

  it('may be a long text made of many pieces', async () => {
    const response = await respond(
      '(() => { let s = ""; for (let i = 0; i < 50000; i++) s += "line " + i + "\\n"; return new Response(s) })()',
    )
    expect(response.text.length).toBe(538_890)
    expect(response.text.slice(-12)).toBe('\nline 49999\n')
  })

  it('may be bytes, views of them, or a buffer, every byte intact', async () => {
    const all = '(() => { const a = new Uint8Array(256); for (let i = 0; i < 256; i++) a[i] = i; return a })()'
    for (const body of [all, `${all}.buffer`, `new DataView(${all}.buffer)`, `new Int16Array(${all}.buffer)`]) {
      const response = await respond(`new Response(${body})`)
      expect([...response.body]).toEqual(Array.from({ length: 256 }, (_, index) => index))
      expect(response.headers).toEqual([])
    }
  })

  it('may be a part of a buffer', async () => {
    expect((await respond('new Response(new TextEncoder().encode("abcdef").subarray(2, 4))')).text).toBe('cd')
  })

  it('is copied when the response is made', async () => {
    const response = await respond(
      '(() => { const b = new TextEncoder().encode("before"); const r = new Response(b); b.fill(0); return r })()',
    )
    expect(response.text).toBe('before')
  })

  it('may be URLSearchParams, a Blob or FormData, with their types', async () => {
    const params = await respond('new Response(new URLSearchParams({ a: "1 2", b: "\\u00e4" }))')
    expect(params).toMatchObject({
      text: 'a=1+2&b=%C3%A4',
      headers: [['Content-Type', 'application/x-www-form-urlencoded;charset=UTF-8']],
    })
    const blob = await respond('new Response(new Blob(["a", new Uint8Array([66]), new Blob(["c"])], { type: "Text/Plain" }))')
    expect(blob).toMatchObject({ text: 'aBc', headers: [['Content-Type', 'text/plain']] })
    const form = await respond('(() => { const f = new FormData(); f.append("name", "v"); return new Response(f) })()')
    expect(headerValues(form, 'content-type')[0]).toMatch(/^multipart\/form-data; boundary=/)
    expect(form.text).toContain('Content-Disposition: form-data; name="name"\r\n\r\nv\r\n')
  })

  it('may be missing', async () => {
    for (const expression of ['new Response()', 'new Response(null)', 'new Response(undefined)']) {
      expect(await respond(expression)).toMatchObject({ status: '200 OK', text: '', headers: [] })
    }
  })

  it('is text for any other value', async () => {
    expect((await respond('new Response(12.5)')).text).toBe('12.5')
    expect((await respond('new Response({})')).text).toBe('[object Object]')
  })

  it('may be the body of the request', async () => {
    expect((await respond('new Response(request.body)')).text).toBe('sent')
  })

  it('cannot be sent twice', async () => {
    const response = await respond('(async () => { const r = new Response("x"); await r.text(); return r })()')
    expect(response.status).toBe('500 Internal Server Error')
    expect(response.logLines[0]).toContain("the response's body was used already")
  })
})

describe('a response head', () => {
  it('has the status, and the reason given or the standard one', async () => {
    expect((await respond('new Response("", { status: 404 })')).status).toBe('404 Not Found')
    expect((await respond('new Response("", { status: 299 })')).status).toBe('299 Unknown')
    expect((await respond('new Response("", { status: 200, statusText: "Fine" })')).status).toBe('200 Fine')
  })

  it('keeps header names and values as they were given, in order', async () => {
    const response = await respond('new Response("", { headers: { "X-B": "2", "x-a": " 1\\t", "X-Latin": "\\u00e9" } })')
    expect(response.headers).toEqual([
      ['X-B', '2'],
      ['x-a', '1'],
      ['X-Latin', '\xe9'],
      ['Content-Type', 'text/plain;charset=UTF-8'],
    ])
  })

  it('sends each Set-Cookie on a line of its own', async () => {
    const response = await respond(`(() => {
      const headers = new Headers([['Set-Cookie', 'a=1']])
      headers.append('set-cookie', 'b=2, c')
      return new Response('', { headers })
    })()`)
    expect(headerValues(response, 'set-cookie')).toEqual(['a=1', 'b=2, c'])
  })

  it('can be changed through response.headers', async () => {
    const response = await respond(`(() => {
      const response = new Response('x')
      response.headers.set('Content-Type', 'text/html')
      response.headers.append('X-A', '1')
      return response
    })()`)
    expect(response.headers).toEqual([
      ['Content-Type', 'text/html'],
      ['X-A', '1'],
    ])
  })

  it('can be rid of its content type', async () => {
    expect(
      (await respond('(() => { const r = new Response("x"); r.headers.delete("content-type"); return r })()')).headers,
    ).toEqual([])
  })

  it('never holds a header that would split it', async () => {
    for (const value of ['a\\r\\nX-Evil: 1', 'a\\nb', 'a\\0b']) {
      const response = await respond(`new Response('', { headers: { 'X-A': '${value}' } })`)
      expect(response.status).toBe('500 Internal Server Error')
      expect(response.logLines[0]).toMatch(/TypeError: invalid header value: "a/)
    }
  })

  it('refuses control characters that Headers take and HTTP does not', async () => {
    const response = await respond('new Response("", { headers: { "X-A": "a\\u0001b" } })')
    expect(response.status).toBe('500 Internal Server Error')
    expect(response.logLines[0]).toContain('the value of header X-A holds a character that HTTP does not allow')
  })

  it('refuses what fetch refuses', async () => {
    for (const [expression, message] of [
      ['new Response("", { status: 199 })', "RangeError: a response's status must be a whole number from 200 to 599, not 199"],
      ['new Response("", { status: "abc" })', "from 200 to 599, not 'abc'"],
      ['new Response("x", { status: 204 })', 'TypeError: a response with status 204 has no body'],
      ['new Response("", { statusText: "a\\nb" })', 'TypeError: statusText holds a character'],
      ['new Response("", { headers: { "bad name": "x" } })', 'TypeError: invalid header name: "bad name"'],
      ['new Response("", { headers: { a: "\\u0100" } })', 'TypeError: invalid header value: "\u0100"'],
      ['Response.error()', 'TypeError: the handler returned Response.error()'],
    ] as const) {
      const response = await respond(expression)
      expect(response.status).toBe('500 Internal Server Error')
      expect(response.logLines[0]).toContain(message)
    }
  })
})

describe('the static makers of responses', () => {
  it('make JSON', async () => {
    expect(await respond('Response.json({ a: [1, null] })')).toMatchObject({
      text: '{"a":[1,null]}',
      headers: [['Content-Type', 'application/json']],
    })
    const custom = await respond('Response.json(1, { status: 201, headers: { "content-type": "application/problem+json" } })')
    expect(custom).toMatchObject({ status: '201 Created', text: '1', headers: [['content-type', 'application/problem+json']] })
    expect((await respond('Response.json(undefined)')).logLines[0]).toContain('the data has no JSON form')
  })

  it('make redirects', async () => {
    expect(await respond('Response.redirect("https://example.org/a b", 301)')).toMatchObject({
      status: '301 Moved Permanently',
      headers: [['Location', 'https://example.org/a%20b']],
      text: '',
    })
    expect((await respond('Response.redirect("https://example.org", 200)')).logLines[0]).toContain(
      '200 is not the status of a redirect',
    )
    expect((await respond('Response.redirect("/relative")')).logLines[0]).toContain('Invalid URL: /relative')
  })
})

describe('a Response object', () => {
  it('has the properties of fetch', async () => {
    expect(
      await guestValue(`(() => {
        const r = new Response('x', { status: 201, statusText: 'Made' })
        return [r.status, r.statusText, r.ok, r.type, r.url, r.redirected, r.bodyUsed, r instanceof Response, String(r)]
      })()`),
    ).toEqual([201, 'Made', true, 'default', '', false, false, true, '[object Response]'])
  })

  it('can be read in every way, once', async () => {
    expect(
      await guestValue(`await (async () => {
        const text = JSON.stringify({ a: '\\u00e4' })
        const r = new Response(text)
        const all = [
          await new Response(text).text(),
          await new Response(text).json(),
          (await new Response(text).arrayBuffer()).byteLength,
          (await new Response(text).bytes()).length,
          (await new Response(text).blob()).type,
          r.bodyUsed,
        ]
        await r.text()
        all.push(r.bodyUsed, await r.text().catch((error) => error.message))
        return all
      })()`),
    ).toEqual(['{"a":"\u00e4"}', { a: '\u00e4' }, 10, 10, 'text/plain;charset=utf-8', false, true, 'the body was used already'])
  })

  it('can be cloned until it is used', async () => {
    expect(
      await guestValue(`await (async () => {
        const r = new Response('x', { status: 202, headers: { a: 'b' } })
        const c = r.clone()
        const both = [await r.text(), await c.text(), c.status, c.headers.get('a')]
        try { r.clone() } catch (error) { both.push(error.message) }
        return both
      })()`),
    ).toEqual(['x', 'x', 202, 'b', 'the body was used already'])
  })

  it('cannot be taken for one when it is not', async () => {
    expect(
      await guestValue(
        '(() => { try { return Object.create(Response.prototype).status } catch (error) { return error.name } })()',
      ),
    ).toBe('TypeError')
  })
})
