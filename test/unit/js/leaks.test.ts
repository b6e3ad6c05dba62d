// Nothing of a request stays behind: neither in the interpreter nor in the tables of the host.
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Apps } from '../../../bindings/js/app.ts'
import { Runtime } from '../../../bindings/js/runtime.ts'
import { compileImage } from '../../../bindings/js/wasm-image.ts'
import { bindApi } from '../../../host/api/bind.ts'
import type { App } from '../../../host/plugin/app.ts'
import { WholeBody } from '../../../host/request/body.ts'
import { WsgiRequest } from '../../../host/request/wsgi-request.ts'
import { encodeVars } from '../../../protocol/vars.ts'
import { testContext } from '../../support/api-context.ts'
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

describe('ten thousand requests', () => {
  it('leave nothing behind', async () => {
    const log = { text: () => {}, bytes: () => {} }
    const api = bindApi(testContext({ log }))
    const runtime = await Runtime.boot({
      image: await compileImage(),
      memoryLimit: 64 << 20,
      log,
      api,
      sharedDirectories: [],
      owner: { name: 'js' },
    })
    const apps = new Apps(runtime, 10_000)
    const source = join(directoryWith({ 'app.js': handler }), 'app.js')
    const handle = await apps.mount({ mountpoint: '', source, callable: undefined })
    const app = { id: 0, mountpoint: '', source, modifier1: 24, handle, requests: 0, exceptions: 0 } as unknown as App
    const sink = { clientGone: false, send: () => {}, sendAsync: async () => {}, cut: () => {} }
    const body = new TextEncoder().encode('a body of some bytes')

    const serve = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index += 1) {
        const uri = paths[index % paths.length] as string
        const vars = encodeVars([
          ['REQUEST_METHOD', 'POST'],
          ['REQUEST_URI', uri],
          ['HTTP_HOST', 'localhost'],
          ['REMOTE_ADDR', '127.0.0.1'],
        ])
        await apps.request(
          new WsgiRequest({ coreId: 0, modifier1: 24, modifier2: 0, vars, body: new WholeBody(body), sink, app }),
        )
      }
      runtime.collector.collect()
    }
    const usage = (): { objects: number; strings: number; blocks: number; heap: number } => {
      const counts = runtime.engine.ffi._QTS_RuntimeComputeMemoryUsage(runtime.engine.runtime, runtime.engine.context)
      const [objects, strings, blocks] = ['obj_count', 'str_count', 'malloc_count'].map((name) => {
        const value = runtime.engine.getProperty(counts, name)
        const count = runtime.converter.value(value) as number
        runtime.engine.free(value)
        return count
      }) as [number, number, number]
      runtime.engine.free(counts)
      return { objects, strings, blocks, heap: runtime.engine.memory.buffer.byteLength }
    }

    await serve(500)
    const before = usage()
    await serve(10_000)
    const after = usage()
    expect(runtime.requests.size).toBe(0)
    expect(runtime.suspension.isBusy).toBe(false)
    // A handful may be caches that a later request fills; one per request would be a thousand of each path.
    expect(after.objects - before.objects).toBeLessThan(20)
    expect(after.strings - before.strings).toBeLessThan(20)
    expect(after.blocks - before.blocks).toBeLessThan(50)
    expect(after.heap).toBe(before.heap)
  })
})
