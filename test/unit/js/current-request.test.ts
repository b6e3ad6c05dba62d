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

  it('is that of who waits, not of who settles what is waited for', async () => {
    const { harness } = await boot(`
      const gate = Promise.withResolvers()
      const seen = {}
      const note = (kind) => { (seen[kind] ??= []).push(uwsgi.uri()) }
      class Own extends Promise {}
      const lazy = { then(resolve) { note('thenable'); gate.promise.then(resolve) } }
      async function* values() { await gate.promise; note('generator'); yield 1; note('generator'); yield await gate.promise }
      const events = new EventTarget()
      const ways = {
        await: async () => { await gate.promise; note('await'); await null; note('await') },
        nested: async () => { await (async () => { await gate.promise; note('nested') })(); note('nested') },
        then: () => gate.promise.then(() => note('then')).then(() => note('then')),
        catch: () => gate.promise.then(() => { throw 1 }).catch(() => note('catch')),
        finally: () => gate.promise.finally(() => note('finally')).finally(() => note('finally')),
        all: async () => { await Promise.all([gate.promise, null]); note('all') },
        race: async () => { await Promise.race([gate.promise]); note('race') },
        generator: async () => { for await (const _ of values()) note('generator') },
        syncIterator: async () => { for await (const _ of [gate.promise]) note('syncIterator') },
        thenable: async () => { await lazy; note('thenable') },
        subclass: () => Own.resolve(gate.promise).then(() => note('subclass')),
        returned: async () => { await (async () => gate.promise)(); note('returned') },
        microtask: async () => { await gate.promise; await new Promise((r) => queueMicrotask(() => { note('microtask'); r() })) },
        bound: async () => { await gate.promise.then(note.bind(null, 'bound')) },
        import: async () => { await gate.promise; await import('uwsgi'); note('import') },
      }
      let settled = false
      export default async (request) => {
        const path = new URL(request.url).pathname
        if (path === '/open') { settled = true; gate.resolve(); return new Response(uwsgi.uri()) }
        await Promise.all(Object.values(ways).map((way) => way()))
        const all = Object.keys(ways).filter((kind) => !seen[kind]?.includes(path))
        if (all.length > 0) return new Response('not seen: ' + all)
        if (path !== '/c') return new Response(uwsgi.uri())
        const strange = Object.keys(seen).filter((kind) => seen[kind].some((uri) => !['/a', '/b', '/c'].includes(uri)))
        const lengths = Object.entries(seen).map(([kind, list]) => [kind, ...['/a', '/b', '/c'].map((uri) => list.filter((each) => each === uri).length)])
        const uneven = lengths.filter(([, a, b, c]) => a !== b || b !== c).map(String)
        return new Response(uwsgi.uri() + strange + uneven)
      }`)
    const waiting = ['/a', '/b', '/c'].map((path) => harness.request({ path }))
    expect((await harness.request({ path: '/open' })).text).toBe('/open')
    expect((await Promise.all(waiting)).map(({ text }) => text)).toEqual(['/a', '/b', '/c'])
  })

  it('is that of who began what others wait for too', async () => {
    const { harness } = await boot(`
      const log = []
      let cache
      const load = async () => { log.push(uwsgi.uri()); await new Promise((r) => setTimeout(r)); log.push(uwsgi.uri()); return 'data' }
      export default async () => {
        cache ??= load()
        await cache
        return new Response(uwsgi.uri() + ' ' + log)
      }`)
    const both = await Promise.all(['/a', '/b'].map((path) => harness.request({ path })))
    expect(both.map(({ text }) => text)).toEqual(['/a /a,/a', '/b /a,/a'])
  })

  it('is surely none in a job that nobody is known for, though it runs at the end of a request', async () => {
    const seen: unknown[] = []
    const { mount, harness, plugin } = await bootApi({
      functions: { note: { call: () => void seen.push(plugin.currentRequest?.()) } },
    })
    await mount(`const gate = Promise.withResolvers()
      gate.promise.then(() => uwsgi.note())
      export default () => { gate.resolve(); return new Response('') }`)
    await harness.request({ path: '/a' })
    expect(seen).toEqual([null])
    expect(plugin.currentRequest?.()).toBeUndefined()
  })

  it('is that of the caller in callbacks that others call: listeners, and sources of streams', async () => {
    const { harness } = await boot(`
      const target = new EventTarget()
      const seen = []
      let stream
      export default async () => {
        if (uwsgi.uri() === '/a') {
          target.addEventListener('go', () => seen.push('listener for ' + uwsgi.uri()))
          stream = new ReadableStream({ async pull(c) { await null; seen.push('pull for ' + uwsgi.uri()); c.enqueue(1) } }, { highWaterMark: 0 })
          return new Response('')
        }
        target.dispatchEvent(new Event('go'))
        await stream.getReader().read()
        return new Response(seen.join())
      }`)
    await harness.request({ path: '/a' })
    expect((await harness.request({ path: '/b' })).text).toBe('listener for /b,pull for /b')
  })

  it('is none where the interpreter leaves no trace: promises of a class that makes its own functions', async () => {
    const { harness } = await boot(`
      const gate = Promise.withResolvers()
      class Own extends Promise {
        constructor(executor) { super((resolve, reject) => executor((value) => resolve(value), (error) => reject(error))) }
      }
      export default async () => {
        if (uwsgi.uri() === '/open') { gate.resolve(); return new Response('') }
        const seen = await new Own((resolve) => resolve(gate.promise)).then(() => uwsgi.uri())
        return new Response(seen + ' ' + uwsgi.uri())
      }`)
    const response = harness.request({ path: '/a' })
    await harness.request({ path: '/open' })
    expect((await response).text).toBe('none /a')
  })

  it('survives collections of garbage while promises are pending', async () => {
    const { harness } = await boot(`
      const gate = Promise.withResolvers()
      const litter = () => { let last; for (let index = 0; index < 20000; index++) { const it = { last, index }; it.self = it; last = index % 5 ? it : undefined } }
      const deep = async (n) => { litter(); if (n > 0) await deep(n - 1); else await gate.promise; litter(); return uwsgi.uri() }
      export default async (request) => {
        if (uwsgi.uri() === '/open') gate.resolve()
        const seen = await Promise.all([deep(3), deep(2), gate.promise.then(() => { litter(); return uwsgi.uri() })])
        return new Response([...new Set([...seen, uwsgi.uri()])].join())
      }`)
    const paths = ['/a', '/b', '/c', '/open']
    const responses = await Promise.all(paths.map((path) => harness.request({ path })))
    expect(responses.map(({ text }) => text)).toEqual(paths)
  })
})
