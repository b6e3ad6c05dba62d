// Responses whose body is a stream: chunk by chunk, at the client's pace, and what happens when one side fails.
import { describe, expect, it } from 'vitest'
import { PolywsgiError } from '../../../host/errors.ts'
import { mountJs } from './js-apps.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('a streamed response', () => {
  it('is sent chunk by chunk', async () => {
    const app = await mountJs(`export default () => {
      let n = 0
      return new Response(new ReadableStream({
        async pull(controller) {
          await null
          if (n === 3) controller.close()
          else controller.enqueue(new TextEncoder().encode('chunk ' + n++ + ';'))
        },
      }), { headers: { 'Content-Type': 'text/plain' } })
    }`)
    const response = await app.request()
    expect(response.text).toBe('chunk 0;chunk 1;chunk 2;')
    expect(response.chunks).toHaveLength(3)
    expect(response.headers).toEqual([['Content-Type', 'text/plain']])
    expect(response.result).toBe(0)
  })

  it('is one message when all of it is there already', async () => {
    const app = await mountJs(`export default () => new Response(new ReadableStream({
      start(controller) { controller.enqueue('a'); controller.enqueue(new Uint8Array([98])); controller.close() },
    }))`)
    const response = await app.request()
    expect(response.text).toBe('ab')
    expect(response.chunks).toHaveLength(1)
  })

  it('may come from an async generator', async () => {
    const app = await mountJs(`async function* lines() { yield 'one\\n'; await null; yield 'two\\n' }
      export default () => new Response(lines())`)
    expect((await app.request()).text).toBe('one\ntwo\n')
  })

  it('may come from timers', async () => {
    const app = await mountJs(`export default () => new Response(new ReadableStream({
      start(controller) {
        let n = 0
        const id = setInterval(() => {
          controller.enqueue(String(n++))
          if (n === 5) { clearInterval(id); controller.close() }
        }, 1)
      },
    }))`)
    expect((await app.request()).text).toBe('01234')
  })

  it('sends its head before the first chunk is there', async () => {
    const app = await mountJs(`let release
      export default (request) => {
        if (request.method === 'POST') { release(); return new Response('') }
        return new Response(new ReadableStream({ pull: (c) => new Promise((r) => { release = () => { c.enqueue('x'); c.close(); r() } }) }))
      }`)
    const sends: (number | undefined)[] = []
    const pending = app.request({ onSend: (chunk) => void sends.push(chunk?.length) })
    await turn()
    expect(sends).toEqual([0])
    await app.request({ method: 'POST' })
    expect((await pending).text).toBe('x')
  })

  it('waits for a slow client', async () => {
    const app = await mountJs(`globalThis.pulled = 0
      export default (request) => request.method === 'POST' ? new Response(String(pulled)) : new Response(new ReadableStream({
        async pull(controller) { await null; pulled += 1; controller.enqueue(new Uint8Array(10)); if (pulled === 100) controller.close() },
      }))`)
    const gates: (() => void)[] = []
    const sink = { clientGone: false, send() {}, cut() {}, sendAsync: () => new Promise<void>((resolve) => gates.push(resolve)) }
    const { WsgiRequest } = await import('../../../host/request/wsgi-request.ts')
    const { WholeBody } = await import('../../../host/request/body.ts')
    const request = new WsgiRequest({
      coreId: 0,
      modifier1: 24,
      modifier2: 0,
      vars: new Uint8Array(0),
      body: new WholeBody(new Uint8Array(0)),
      sink,
      app: app.harness.apps[0],
    })
    const outcome = app.harness.plugin.request?.(request)
    for (let index = 0; index < 20; index += 1) await turn()
    expect(gates).toHaveLength(1)
    // One chunk is on its way, one waits in the stream's queue.
    expect(Number((await app.request({ method: 'POST' })).text)).toBeLessThan(4)
    for (let sent = 0; sent < gates.length; sent += 1) {
      gates[sent]?.()
      for (let index = 0; index < 5; index += 1) await turn()
    }
    expect(await outcome).toBe(0)
    expect((await app.request({ method: 'POST' })).text).toBe('100')
  })

  it('that fails before anything was sent is a 500', async () => {
    const app = await mountJs('export default () => new Response(new ReadableStream({ pull() { throw new Error("dry") } }))')
    expect(await app.request()).toMatchObject({ status: '500 Internal Server Error', text: 'Internal Server Error', result: -1 })
    expect(app.logLines[0]).toMatch(/Error: dry$/)
  })

  it('that fails half way is logged and left for the host to cut', async () => {
    const app = await mountJs(`export default () => {
      let n = 0
      return new Response(new ReadableStream({ async pull(c) { await null; if (n++) throw new Error('dry'); c.enqueue('begun') } }))
    }`)
    expect(await app.request()).toMatchObject({ status: '200 OK', text: 'begun', isCut: true, result: -1 })
    expect(app.logLines[0]).toMatch(/Error: dry$/)
  })

  it('of which a chunk is refused (response-limit) is cancelled with the reason, and cut: it does not look whole', async () => {
    const app = await mountJs(`let reason
      export default (request) => request.method === 'POST' ? new Response(String(reason)) : new Response(new ReadableStream({
        async pull(c) { await null; c.enqueue('begun') },
        cancel(why) { reason = why },
      }))`)
    const sent: (number | undefined)[] = []
    const onSend = (chunk: Uint8Array | undefined): void => {
      if (sent.push(chunk?.length) === 3) throw new PolywsgiError('LIMIT_EXCEEDED', 'the body of the response is too long')
    }
    expect(await app.request({ onSend })).toMatchObject({ text: 'begunbegun', isCut: true, result: -1 })
    expect(app.logLines[0]).toContain('the body of the response is too long')
    expect((await app.request({ method: 'POST' })).text).toContain('the body of the response is too long')
  })

  it('refuses chunks that are neither bytes nor text', async () => {
    const app = await mountJs(
      'export default () => new Response(new ReadableStream({ pull(c) { c.enqueue({ a: 1 }); c.close() } }))',
    )
    expect((await app.request()).status).toBe('500 Internal Server Error')
    expect(app.logLines[0]).toContain('a response stream must deliver bytes or text, not { a: 1 }')
  })

  it('is cancelled, and request.signal aborts, when the client is gone', async () => {
    const app = await mountJs(`let seen = []
      export default (request) => {
        if (request.method === 'POST') return Response.json(seen)
        request.signal.addEventListener('abort', () => seen.push(request.signal.reason.name))
        return new Response(new ReadableStream({
          async pull(c) { await null; c.enqueue('x') },
          cancel(reason) { seen.push(reason.message) },
        }))
      }`)
    let sends = 0
    const response = await app.request({
      onSend: () => {
        sends += 1
        if (sends === 3) throw new Error('connection reset')
      },
    })
    expect(response.text).toBe('xx')
    expect(JSON.parse((await app.request({ method: 'POST' })).text)).toEqual(['AbortError', 'the client is gone'])
    expect(app.logLines).toEqual([])
  })

  it('locked by its handler cannot be sent', async () => {
    const app = await mountJs(
      'export default () => { const r = new Response(new ReadableStream({})); r.body.getReader(); return r }',
    )
    expect((await app.request()).status).toBe('500 Internal Server Error')
    expect(app.logLines[0]).toContain("the response's body was used already")
  })
})
