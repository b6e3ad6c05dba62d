// Which request guest code runs for: at once, after waits, and in work that goes on beside others.
import { describe, expect, it } from 'vitest'
import type { GuestFunction } from '../../../host/api/guest-function.ts'
import { WholeBody } from '../../../host/request/body.ts'
import { type Booted, bootApi } from './made-api.ts'

/** A guest whose `uwsgi.uri()` is the path of the current request. */
const boot = async (source: string): Promise<Booted & { call(): unknown }> => {
  let fn: GuestFunction | undefined
  const booted: Booted = await bootApi({
    hooks: ['after_req_hook'],
    functions: {
      uri: { returns: 'text', call: () => booted.plugin.currentRequest?.()?.getVar('REQUEST_URI') ?? 'none' },
      register: {
        params: [{ name: 'handler', type: 'function' }],
        call: (handler: GuestFunction) => {
          fn = handler
          return undefined
        },
      },
      call: { returns: 'bytes', call: () => fn?.owner.rpc?.(fn.handler, []) as Uint8Array },
    },
  })
  await booted.mount(source)
  return { ...booted, call: () => fn?.owner.rpc?.(fn.handler, []) }
}

describe('the current request', () => {
  it('is that of the handler, also in functions that it calls through the API', async () => {
    const { harness, plugin } = await boot(`uwsgi.register(() => uwsgi.uri())
      export default () => new Response(uwsgi.uri() + uwsgi.call())`)
    expect((await harness.request({ path: '/a' })).text).toBe('/a/a')
    expect(plugin.currentRequest?.()).toBeUndefined()
  })

  it('comes back after timers, streams, bodies and promises, whatever ran meanwhile', async () => {
    const { harness, plugin } = await boot(`
      const wait = () => new Promise((resolve) => setTimeout(resolve))
      const gates = []
      export default async (request) => {
        const seen = [uwsgi.uri()]
        await null
        seen.push(uwsgi.uri())
        await wait()
        seen.push(uwsgi.uri())
        await request.text()
        seen.push(uwsgi.uri())
        for (let round = 0; round < 5; round++) { await wait(); seen.push(uwsgi.uri()) }
        const stream = new ReadableStream({ async pull(controller) { await wait(); controller.enqueue(uwsgi.uri()); controller.close() } })
        seen.push(await new Response(stream).text())
        return new Response([...new Set(seen)].join())
      }`)
    const paths = ['/a', '/b', '/c', '/d']
    const responses = await Promise.all(paths.map((path) => harness.request({ method: 'POST', path, body: 'some text' })))
    expect(responses.map(({ text }) => text)).toEqual(paths)
    expect(plugin.currentRequest?.()).toBeUndefined()
  })

  it('comes back after the body was waited for', async () => {
    const { harness } = await boot(
      'export default async (request) => { const length = (await request.text()).length; return new Response(uwsgi.uri() + length) }',
    )
    class LateBody extends WholeBody {
      override get whole(): undefined {
        return undefined
      }
      override async readAsync(most: number): Promise<Uint8Array> {
        await new Promise((resolve) => setImmediate(resolve))
        return this.read(most)
      }
    }
    const body = new TextEncoder().encode('x'.repeat(100))
    const sent = ['/a', '/b'].map((path) => harness.request({ method: 'POST', path, body, bodySource: new LateBody(body) }))
    expect((await Promise.all(sent)).map(({ text }) => text)).toEqual(['/a100', '/b100'])
  })

  it('is none for functions that the host calls by itself, and for work that outlives its request', async () => {
    const { harness, call } = await boot(`
      let after = 'not yet'
      uwsgi.register(async () => { await null; return uwsgi.uri() + ' ' + after })
      export default () => { setTimeout(() => { after = uwsgi.uri() }); return new Response(uwsgi.uri()) }`)
    expect((await harness.request({ path: '/a' })).text).toBe('/a')
    await expect.poll(() => Buffer.from(call() as Uint8Array).toString()).toBe('none none')
  })

  it('survives a chain of jobs that is longer than a turn', async () => {
    const { harness } = await boot(
      'export default async () => { for (let index = 0; index < 5000; index++) await null; return new Response(uwsgi.uri()) }',
    )
    expect((await harness.request({ path: '/long' })).text).toBe('/long')
  })
})
