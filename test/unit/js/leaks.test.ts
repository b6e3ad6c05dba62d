// Nothing of a request stays behind: neither in the interpreter nor in the tables of the host.
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Apps } from '../../../bindings/js/app.ts'
import { Runtime } from '../../../bindings/js/runtime.ts'
import { compileImage } from '../../../bindings/js/wasm-image.ts'
import { bindApi } from '../../../host/api/bind.ts'
import type { ApiContext, CoreWaits } from '../../../host/api/context.ts'
import { PolywsgiError } from '../../../host/errors.ts'
import type { App } from '../../../host/plugin/app.ts'
import { WholeBody } from '../../../host/request/body.ts'
import { WsgiRequest } from '../../../host/request/wsgi-request.ts'
import { RunQueue } from '../../../host/worker/run-queue.ts'
import { encodeVars } from '../../../protocol/vars.ts'
import { testAccess, testContext } from '../../support/api-context.ts'
import { TestStops } from '../../support/test-stops.ts'
import { directoryWith } from './js-apps.ts'

const handler = `export default async (request, env, ctx) => {
  const url = new URL(request.url)
  switch (url.pathname) {
    case '/json': return Response.json({ host: request.headers.get('host'), all: [...request.headers].length })
    case '/body': return new Response(await request.text())
    case '/bytes': return new Response(await request.bytes(), { headers: { 'X-Id': uwsgi.version.toString() } })
    case '/echo': return new Response(request.body)
    case '/stream': return new Response(new ReadableStream({ async pull(c) { await null; c.enqueue('x'); c.close() } }))
    case '/throw': throw new Error('x')
    case '/timer': await new Promise((resolve) => setTimeout(resolve)); return new Response('')
    case '/reject': Promise.reject(new Error('unhandled')); return new Response('')
    case '/api': try { uwsgi.log() } catch (error) { return new Response(error.code) }
    default: return new Response(ctx.vars.REMOTE_ADDR)
  }
}`

const paths = ['/', '/json', '/body', '/bytes', '/echo', '/stream', '/throw', '/timer', '/reject', '/api']

interface Usage {
  readonly objects: number
  readonly strings: number
  readonly blocks: number
  /** Bytes in use, and bytes of the whole memory. */
  readonly used: number
  readonly heap: number
}

interface Server {
  readonly runtime: Runtime
  /** @returns the request; `done` settles with it */
  begin(uri: string): { readonly request: WsgiRequest; readonly done: Promise<number> }
  usage(): Usage
}

const serverOf = async (source: string, server: Partial<ApiContext> = {}): Promise<Server> => {
  const log = { text: () => {}, bytes: () => {} }
  const runtime = await Runtime.boot({
    image: await compileImage(),
    memoryLimit: 64 << 20,
    log,
    api: bindApi(testContext({ log, ...server })),
    sharedDirectories: [],
    access: { files: testAccess.openFiles(), environment: new Map() },
    stops: new TestStops(),
    owner: { name: 'js' },
  })
  const apps = new Apps(runtime, 10_000)
  const file = join(directoryWith({ 'app.js': source }), 'app.js')
  const handle = await apps.mount({ mountpoint: '', source: file, callable: undefined })
  const app = { id: 0, mountpoint: '', source: file, modifier1: 24, handle, requests: 0, exceptions: 0 } as unknown as App
  const sink = { clientGone: false, send: () => {}, sendAsync: async () => {}, cut: () => {} }
  const body = new TextEncoder().encode('a body of some bytes')
  return {
    runtime,
    begin: (uri) => {
      const vars = encodeVars([
        ['REQUEST_METHOD', 'POST'],
        ['REQUEST_URI', uri],
        ['HTTP_HOST', 'localhost'],
        ['REMOTE_ADDR', '127.0.0.1'],
      ])
      const request = new WsgiRequest({ coreId: 0, modifier1: 24, modifier2: 0, vars, body: new WholeBody(body), sink, app })
      return { request, done: Promise.resolve(apps.request(request)) }
    },
    usage: () => {
      runtime.collector.collect()
      const counts = runtime.engine.ffi._QTS_RuntimeComputeMemoryUsage(runtime.engine.runtime, runtime.engine.context)
      const [objects, strings, blocks, used] = ['obj_count', 'str_count', 'malloc_count', 'memory_used_size'].map((name) => {
        const value = runtime.engine.getProperty(counts, name)
        const count = runtime.converter.value(value) as number
        runtime.engine.free(value)
        return count
      }) as [number, number, number, number]
      runtime.engine.free(counts)
      return { objects, strings, blocks, used, heap: runtime.engine.memory.buffer.byteLength }
    },
  }
}

/** A handful may be caches that a later request fills; one per request would be a thousand. */
const expectNothingLeft = ({ runtime, usage }: Server, before: Usage): void => {
  const after = usage()
  expect(runtime.requests.size).toBe(0)
  expect(runtime.suspension.promises.size).toBe(0)
  expect(runtime.functions.pending).toBe(0)
  expect(runtime.suspension.isBusy).toBe(false)
  expect(after.objects - before.objects).toBeLessThan(20)
  expect(after.strings - before.strings).toBeLessThan(20)
  expect(after.blocks - before.blocks).toBeLessThan(50)
}

describe('ten thousand requests', () => {
  it('leave nothing behind', async () => {
    const server = await serverOf(handler)
    const serve = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index += 1) await server.begin(paths[index % paths.length] as string).done
    }
    await serve(500)
    const before = server.usage()
    await serve(10_000)
    expectNothingLeft(server, before)
    expect(server.usage().heap).toBe(before.heap)
  })
})

const waiting = `export default async (request) => {
  const { pathname } = new URL(request.url)
  if (pathname === '/late') { request.signal; try { await uwsgi.suspend() } catch (error) { await new Promise((r) => setTimeout(r)); throw error } }
  for (let round = 0; round < 3; round++) {
    await uwsgi.suspend()
    try { await uwsgi.promises.cacheGet(17) } catch (error) { if (error.code !== 'API_ARGUMENT') throw error }
    if (await uwsgi.promises.cacheGet('nothing') !== undefined) throw new Error('something')
  }
  if (pathname === '/signal') request.signal
  return new Response(pathname)
}`

describe('ten thousand handlers that wait at once', () => {
  const waits = (): { queue: RunQueue; server: Partial<ApiContext> } => {
    const queue = new RunQueue()
    return { queue, server: { waits: { isAsync: true, settled: () => queue.turn() } as CoreWaits } }
  }

  it('take little room, and leave nothing behind', async () => {
    const server = await serverOf(waiting, waits().server)
    const all = async (count: number, uri: string): Promise<void> => {
      await Promise.all(Array.from({ length: count }, () => server.begin(uri).done))
    }
    await all(500, '/')
    await all(500, '/signal')
    const before = server.usage()
    const done = all(10_000, '/')
    expect(server.runtime.requests.size).toBe(10_000)
    const during = server.usage()
    expect((during.used - before.used) / 10_000).toBeLessThan(2048)
    await done
    await all(1000, '/signal')
    expectNothingLeft(server, before)
  })

  it('leave nothing behind when they are given up', async () => {
    const server = await serverOf(waiting, waits().server)
    const giveUp = async (count: number): Promise<void> => {
      const begun = Array.from({ length: count }, () => server.begin('/late'))
      for (const { request } of begun) request.onCancel?.(new PolywsgiError('HARAKIRI', 'too long'))
      const results = await Promise.all(begun.map(({ done }) => done))
      expect(new Set(results)).toEqual(new Set([-1]))
      await expect.poll(() => server.runtime.suspension.isBusy).toBe(false)
    }
    await giveUp(500)
    const before = server.usage()
    await giveUp(3000)
    expectNothingLeft(server, before)
  })

  it('leave nothing behind as functions that the host calls', async () => {
    const server = await serverOf('export default () => new Response()', waits().server)
    const { engine, functions } = server.runtime
    const source = `(async (text) => { await uwsgi.suspend(); if (text.length > 3) throw new Error('x'); return text })`
    const fn = engine.evaluate(source, 'test.js')
    const all = async (count: number): Promise<void> => {
      const texts = Array.from({ length: count }, (_, index) => Buffer.from(index % 2 === 0 ? 'abc' : 'abcd'))
      const answers = texts.map((text) => Promise.resolve(functions.callWithBytes(fn, [text], functions.readBytes)))
      expect(functions.pending).toBe(count)
      const outcomes = await Promise.allSettled(answers)
      expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBe(count / 2)
    }
    await all(500)
    const before = server.usage()
    await all(3000)
    expectNothingLeft(server, before)
  })
})
