// JavaScript that takes too long: whatever it is at, it is stopped where it stands, its request is answered, and everything else of
// the worker goes on.
import { describe, expect, it } from 'vitest'
import { PolywsgiError } from '../../../host/errors.ts'
import { TestStops } from '../../support/test-stops.ts'
import { type Booted, bootApi } from './made-api.ts'

const boot = async (source: string): Promise<Booted & { readonly stops: TestStops }> => {
  const stops = new TestStops()
  const booted = await bootApi(
    {
      functions: {
        // What the master does at a deadline; here the guest knows best when.
        overrun: {
          kind: 'immediate',
          call: () => {
            stops.set()
            return undefined
          },
        },
        later: {
          kind: 'suspending',
          returns: 'text',
          call: () => 'now',
          callAsync: () => new Promise((resolve) => setImmediate(() => resolve('later'))),
        },
        call_back: {
          params: [{ name: 'f', type: 'function' }],
          call: (f) => {
            try {
              booted.plugin.rpc?.(f.handler, [])
            } finally {
              f.release()
            }
          },
        },
      },
    },
    { stops },
  )
  stops.current = () => booted.plugin.currentRequest?.() ?? undefined
  await booted.mount(source)
  return { ...booted, stops }
}

/** Handlers by path; the counter shows that the interpreter is the same. */
const appOf = (handlers: Record<string, string>): string => `
let served = 0
const swallow = (run) => { for (;;) { try { run() } catch {} finally { swallow(run) } } }
const handlers = {
${Object.entries(handlers)
  .map(([path, body]) => `${JSON.stringify(path)}: async () => {\n${body}\n}`)
  .join(',\n')}
}
export default async (request) => {
  served += 1
  const handler = handlers[new URL(request.url).pathname]
  if (handler === undefined) return new Response('served ' + served)
  return (await handler()) ?? new Response('came through')
}`

const endless: Record<string, string> = {
  'a plain loop': 'uwsgi.overrun(); for (;;);',
  'a loop that catches everything': 'uwsgi.overrun(); for (;;) { try { for (;;); } catch { continue } finally { continue } }',
  'recursion that catches the end of the stack': 'uwsgi.overrun(); const f = () => { try { f() } catch { f() } }; f()',
  'a regular expression': "uwsgi.overrun(); /^(a+)+$/.test('a'.repeat(40) + '!')",
  'a generator': 'uwsgi.overrun(); function* g() { for (;;) yield 1 } for (const _ of g());',
  'a comparator of a sort': 'uwsgi.overrun(); [3, 1, 2].sort(() => { for (;;); })',
  'a loop after an await': 'await uwsgi.later(); uwsgi.overrun(); for (;;);',
  'a loop in a function that is awaited by one that catches':
    'const inner = async () => { await uwsgi.later(); uwsgi.overrun(); for (;;); }; try { await inner() } catch {} finally { return new Response("swallowed") }',
  'a loop in a timer that is waited for': 'await new Promise(() => setTimeout(() => { uwsgi.overrun(); for (;;); }, 0))',
  'a loop in a callback of a promise that is waited for': 'await Promise.resolve().then(() => { uwsgi.overrun(); for (;;); })',
  'a loop in what is called for a response': 'uwsgi.overrun(); return Response.json({ toJSON() { for (;;); } })',
  'a loop below another one that called it through the server':
    'uwsgi.callBack(() => { uwsgi.overrun(); for (;;); }); return new Response("went on")',
  'promises that follow each other': 'uwsgi.overrun(); for (;;) { await null; for (let i = 0; i < 1e5; i++); }',
}

describe('code that takes too long', () => {
  it.each(Object.entries(endless))('is stopped: %s', async (name, body) => {
    const { harness, stops } = await boot(appOf({ '/bad': body }))
    expect((await harness.request()).text).toBe('served 1')
    const answer = await harness.request({ path: '/bad' })
    expect([answer.status, answer.result, answer.text], harness.logLines.join('\n')).toEqual([
      '504 Gateway Timeout',
      -1,
      'Gateway Timeout\nrequest id: some-id\n',
    ])
    expect(stops.traces.length, name).toBe(1)
    expect(stops.traces[0]).toMatch(/app\.js:\d+/)
    expect(harness.logLines).toEqual([])
    expect((await harness.request()).text).toBe('served 3')
  })

  it('is told with the stack at its last call where a handler of rejections got the error, and answers nothing by that', async () => {
    const { harness, stops } = await boot(
      appOf({
        '/bad': 'const inner = async () => { uwsgi.overrun(); for (;;); }; return inner().catch(() => new Response("swallowed"))',
      }),
    )
    expect(await harness.request({ path: '/bad' })).toMatchObject({ status: '504 Gateway Timeout', result: -1 })
    expect(stops.traces).toEqual([
      expect.stringMatching(/^ {4}at inner \(.*app\.js:6:\d+\)\n {4}at \/bad \(.*\n {4}at default \([^\n]*$/),
    ])
    expect(harness.logLines).toEqual([])
    expect((await harness.request()).text).toBe('served 2')
  })

  it('takes no other handler along that waits', async () => {
    const { harness } = await boot(
      appOf({
        '/bad': 'uwsgi.overrun(); for (;;);',
        '/good': 'for (let i = 0; i < 20; i++) await uwsgi.later(); return new Response("good")',
      }),
    )
    const good = harness.request({ path: '/good', coreId: 1 })
    const bad = await harness.request({ path: '/bad' })
    expect([bad.status, (await good).text]).toEqual(['504 Gateway Timeout', 'good'])
  })

  it('is cut where its response has begun', async () => {
    const { harness } = await boot(
      appOf({
        '/bad': `return new Response(new ReadableStream({
          start(controller) { controller.enqueue(new TextEncoder().encode('begun ')) },
          async pull() { await uwsgi.later(); uwsgi.overrun(); for (;;); },
        }))`,
      }),
    )
    const answer = await harness.request({ path: '/bad' })
    expect([answer.status, answer.text, answer.isCut]).toEqual(['200 OK', 'begun ', true])
  })

  it('goes on when it is judged not to be what overran', async () => {
    const { harness, stops } = await boot(
      appOf({ '/slow': 'uwsgi.overrun(); for (let i = 0; i < 1e6; i++); return new Response("in time")' }),
    )
    stops.verdict = undefined
    expect((await harness.request({ path: '/slow' })).text).toBe('in time')
    expect([stops.judged, stops.traces]).toEqual([1, []])
  })
})

describe('handlers outside of requests', () => {
  it('end by the error of a deadline, and the next one runs', async () => {
    const stops = new TestStops()
    const kept: { handler: unknown }[] = []
    const booted = await bootApi(
      {
        functions: {
          overrun: {
            kind: 'immediate',
            call: () => {
              stops.set()
              return undefined
            },
          },
          keep: {
            params: [{ name: 'f', type: 'function' }],
            call: (f) => {
              kept.push(f)
              return undefined
            },
          },
        },
        hooks: ['mule_msg_hook', 'spooler'],
      },
      { stops },
    )
    const { plugin } = booted
    await booted.mount(`
      let calls = 0
      const run = () => { calls += 1; if (calls % 2 === 1) { uwsgi.overrun(); for (;;); } return String(calls) }
      uwsgi.keep(run)
      uwsgi.keep(async () => { await null; return run() })
      uwsgi.mule_msg_hook = run
      uwsgi.spooler = run
      export default () => new Response()`)
    const overrun = expect.objectContaining({ code: 'HARAKIRI', message: 'it took longer than it may: harakiri' })
    const settled = async (run: () => unknown): Promise<unknown> => {
      try {
        return await run()
      } catch (error) {
        expect(error).toBeInstanceOf(PolywsgiError)
        return error
      }
    }
    const text = (value: unknown): string => Buffer.from(value as Uint8Array).toString()
    const ways: (() => unknown)[] = [
      () => plugin.rpc?.(kept[0]?.handler, []),
      () => plugin.rpc?.(kept[1]?.handler, []),
      () => plugin.signalHandler?.(1, kept[0]?.handler),
      () => plugin.muleMsg?.(new Uint8Array(0)),
      () => plugin.spooler?.('job', new Map(), new Uint8Array(0)),
    ]
    for (const [index, way] of ways.entries()) {
      expect(await settled(way), String(index)).toEqual(overrun)
      expect(stops.traces.length).toBe(index + 1)
      expect(stops.traces[index]).toMatch(/at run \(.*app\.js:3/)
      const answer = await settled(way)
      if (index < 2) expect(text(answer)).toBe(String(2 * index + 2))
    }
  })
})

describe('what goes on for a request that was given up', () => {
  it('is stopped too, once it had its time to clean up, and others go on all the while', async () => {
    const { harness, requests, stops } = await boot(
      appOf({
        '/storm': `const storm = async () => { for (;;) await null }
          for (let i = 0; i < 20; i++) storm()
          await new Promise(() => {})`,
      }),
    )
    const storm = harness.request({ path: '/storm' })
    expect((await harness.request()).text).toBe('served 2')
    requests[0]?.onCancel?.(new PolywsgiError('HARAKIRI', 'too long'))
    await storm
    const said = (): number => harness.logLines.filter((line) => line.includes('rejection: InternalError: interrupted')).length
    await expect.poll(said, { timeout: 30_000 }).toBe(20)
    expect((await harness.request()).text).toBe('served 3')
    expect(stops.traces).toEqual([])
  })
})
