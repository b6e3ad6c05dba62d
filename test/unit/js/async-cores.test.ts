// Many handlers pending in one interpreter: each goes on where it stood, for its own request, and one that is given up harms
// no other.
import { describe, expect, it } from 'vitest'
import type { ApiValue } from '../../../host/api/kinds.ts'
import { PolywsgiError } from '../../../host/errors.ts'
import type { HarnessResponse } from '../../support/plugin-harness.ts'
import { type Booted, bootApi, type MadeFunction } from './made-api.ts'

interface Cores extends Booted {
  /** What waits in `uwsgi.promises.wait(name)`, in order. */
  readonly waiting: { name: string; uri: string; resolve(value: ApiValue): void; reject(error: Error): void }[]
}

const boot = async (source: string, functions: Readonly<Record<string, MadeFunction>> = {}): Promise<Cores> => {
  const waiting: Cores['waiting'] = []
  const uri = (): string => booted.plugin.currentRequest?.()?.getVar('REQUEST_URI') ?? 'none'
  const booted: Booted = await bootApi({
    functions: {
      uri: { kind: 'immediate', returns: 'text', call: uri },
      suspend: {
        kind: 'suspending',
        returns: 'true',
        call: () => true,
        callAsync: () => new Promise((resolve) => setImmediate(() => resolve(true))),
      },
      wait: {
        params: [{ name: 'name', type: 'text' }],
        returns: 'text',
        call: () => 'parked',
        callAsync: (name: string) => new Promise((resolve, reject) => waiting.push({ name, uri: uri(), resolve, reject })),
      },
      ...functions,
    },
  })
  await booted.mount(source)
  return { ...booted, waiting }
}

const texts = (responses: readonly HarnessResponse[]): string[] => responses.map(({ text }) => text)
const harakiri = (): PolywsgiError => new PolywsgiError('HARAKIRI', 'the request took too long')

describe('five hundred handlers at once', () => {
  const paths = Array.from({ length: 500 }, (_, index) => `/${index}`)

  it('go on in turn, each for its own request', async () => {
    const { harness, requests, plugin } = await boot(`
      export default async () => {
        const seen = new Set([uwsgi.uri()])
        for (let round = 0; round < 10; round++) {
          await uwsgi.suspend()
          seen.add(uwsgi.uri())
          if (round % 3 === 0) await null
          seen.add(uwsgi.uri())
        }
        return new Response([...seen].join())
      }`)
    expect(texts(await Promise.all(paths.map((path) => harness.request({ path }))))).toEqual(paths)
    expect(requests.length).toBe(500)
    expect(plugin.currentRequest?.()).toBeUndefined()
  })

  it('get what they wait for in any order', async () => {
    const { harness, waiting } = await boot(`
      export default async () => {
        const first = await uwsgi.promises.wait('first of ' + uwsgi.uri())
        const second = await uwsgi.promises.wait('second of ' + uwsgi.uri())
        return new Response(first + ', ' + second + ', ' + uwsgi.uri())
      }`)
    const responses = Promise.all(paths.map((path) => harness.request({ path })))
    for (const kind of ['first', 'second']) {
      await expect.poll(() => waiting.length).toBe(500)
      for (const { name, uri, resolve } of waiting.splice(0).reverse()) {
        expect(name).toBe(`${kind} of ${uri}`)
        resolve(`${kind[0]}${uri}`)
      }
    }
    expect(texts(await responses)).toEqual(paths.map((path) => `f${path}, s${path}, ${path}`))
  })

  it('have their timers, microtasks, signals and streams', async () => {
    const { harness } = await boot(`
      export default async () => {
        const seen = new Set()
        const note = () => seen.add(uwsgi.uri())
        await new Promise((resolve) => setTimeout(() => { note(); resolve() }))
        await new Promise((resolve) => queueMicrotask(() => { note(); resolve() }))
        let rounds = 0
        await new Promise((resolve) => { const id = setInterval(() => { note(); if (++rounds === 2) { clearInterval(id); resolve() } }) })
        const any = AbortSignal.any([new AbortController().signal, AbortSignal.timeout(1)])
        await new Promise((resolve) => any.addEventListener('abort', () => { note(); resolve() }))
        seen.add(any.reason.name === 'TimeoutError' ? uwsgi.uri() : any.reason.name)
        let count = 0
        return new Response(new ReadableStream({
          async pull(controller) {
            await uwsgi.suspend()
            note()
            if (++count === 3) { controller.enqueue([...seen].join()); controller.close() } else controller.enqueue('')
          },
        }))
      }`)
    expect(texts(await Promise.all(paths.map((path) => harness.request({ path }))))).toEqual(paths)
  })

  it('may be those of a JSGI app, with promises of responses and of bodies', async () => {
    const { harness } = await boot(`
      export const app = async () => {
        await uwsgi.suspend()
        return {
          status: 200,
          headers: { 'content-type': 'text/plain' },
          body: { async forEach(write) { for (let part = 0; part < 3; part++) { await uwsgi.suspend(); write(uwsgi.uri()) } } },
        }
      }`)
    expect(texts(await Promise.all(paths.map((path) => harness.request({ path }))))).toEqual(paths.map((path) => path.repeat(3)))
  })
})

describe('a handler that waits for what is there at once', () => {
  it('lets the others have their turn', async () => {
    const soon = { call: () => undefined, callAsync: async () => undefined }
    const { harness } = await boot(
      `let isOver = false
      export default async () => {
        setTimeout(() => { isOver = true })
        while (!isOver) await uwsgi.promises.soon()
        return new Response(uwsgi.uri())
      }`,
      { soon },
    )
    expect(texts(await Promise.all(['/a', '/b'].map((path) => harness.request({ path }))))).toEqual(['/a', '/b'])
  })
})

describe('a JSGI body that goes on later', () => {
  it('has its pieces sent in order, and learns by a promise when the client has taken one', async () => {
    const { harness, requests, waiting } = await boot(`
      let story = []
      export const app = () => ({ status: 200, headers: {}, body: {
        async forEach(write) {
          if (uwsgi.uri() === '/story') return write(story.join())
          story.push(typeof write('one '))
          await uwsgi.promises.wait('')
          const taken = write('two ')
          write('three')
          taken.then(() => story.push('two is taken'))
        },
      } })`)
    const response = harness.request({ path: '/slow' })
    await expect.poll(() => waiting.length).toBe(1)
    const [request] = requests
    const taken = Promise.withResolvers<void>()
    const { writeBodyAsync } = request as NonNullable<typeof request>
    const sent: string[] = []
    Object.assign(request as object, {
      writeBodyAsync: async (chunk: Uint8Array) => {
        sent.push(Buffer.from(chunk).toString())
        await taken.promise
        await writeBodyAsync.call(request, chunk)
      },
    })
    waiting[0]?.resolve('')
    await expect.poll(() => sent).toEqual(['two '])
    // Others are served meanwhile.
    expect((await harness.request({ path: '/story' })).text).toBe('undefined')
    taken.resolve()
    expect((await response).text).toBe('one two three')
    expect(sent).toEqual(['two ', 'three'])
    expect((await harness.request({ path: '/story' })).text).toBe('undefined,two is taken')
  })
})

describe('a plain call of a function that waits', () => {
  it('is answered where it stands', async () => {
    const { harness, waiting } = await boot('export default () => new Response(uwsgi.wait("x"))')
    expect((await harness.request()).text).toBe('parked')
    expect(waiting).toEqual([])
  })
})

describe('a request that is given up', () => {
  it('is over with what it waits for, and what its handler says later is not heard', async () => {
    const { harness, requests, waiting } = await boot(`
      export let story = []
      export default async (request) => {
        if (uwsgi.uri() === '/story') return new Response(story.join('; '))
        try { await uwsgi.promises.wait('for ever') } catch (error) { story.push(error.name + ' ' + error.code + ' for ' + uwsgi.uri()) }
        try { await uwsgi.promises.wait('again') } catch (error) { story.push(error.code + ' ' + error.message) }
        try { await uwsgi.suspend() } catch (error) { story.push(error.message) }
        return new Response('never')
      }`)
    const response = harness.request({ path: '/lost' })
    await expect.poll(() => waiting.length).toBe(1)
    const [request] = requests
    expect(request?.onCancel).toBeTypeOf('function')
    request?.timeOut()
    request?.onCancel?.(harakiri())
    expect(request?.onCancel).toBeUndefined()
    const { status, result, text } = await response
    expect([status, result, text]).toEqual(['504 Gateway Timeout', -1, 'Gateway Timeout\n'])
    const story = [
      'UwsgiError HARAKIRI for none',
      'API_REFUSED uwsgi.wait(): the request is over, nothing waits for it any more',
      'uwsgi.suspend(): the request is over, nothing waits for it any more',
    ]
    await expect.poll(async () => (await harness.request({ path: '/story' })).text).toBe(story.join('; '))
    expect(waiting.length).toBe(1)
    waiting[0]?.resolve('too late')
    expect((await harness.request({ path: '/story' })).text).toBe(story.join('; '))
    expect(harness.logLines).toEqual([])
  })

  it('leaves the others alone, who get their answers', async () => {
    const { harness, requests, waiting } = await boot(
      'export default async () => new Response(await uwsgi.promises.wait("") + uwsgi.uri())',
    )
    const responses = ['/a', '/b', '/c'].map((path) => harness.request({ path }))
    await expect.poll(() => waiting.length).toBe(3)
    requests[1]?.onCancel?.(harakiri())
    for (const { uri, resolve } of waiting) resolve(`answer of ${uri} to `)
    expect(texts(await Promise.all(responses))).toEqual(['answer of /a to /a', '', 'answer of /c to /c'])
    expect((await Promise.all(responses)).map(({ result }) => result)).toEqual([0, -1, 0])
  })

  it('ends a body that is being written', async () => {
    const { harness, requests, waiting } = await boot(`
      export default () => new Response(new ReadableStream({
        async pull(controller) { controller.enqueue('some'); await uwsgi.promises.wait('') },
      }))`)
    const response = harness.request({ path: '/lost' })
    await expect.poll(() => waiting.length).toBe(1)
    requests[0]?.timeOut()
    requests[0]?.onCancel?.(harakiri())
    expect(await response).toMatchObject({ isCut: true, result: -1, text: 'some' })
  })

  it('fires its signal', async () => {
    const { harness, requests, waiting } = await boot(`
      let reason = 'none'
      export default async ({ signal }) => {
        if (uwsgi.uri() === '/seen') return new Response(reason)
        signal.addEventListener('abort', () => { reason = signal.reason.name })
        await uwsgi.promises.wait('')
      }`)
    const response = harness.request({ path: '/lost' })
    await expect.poll(() => waiting.length).toBe(1)
    requests[0]?.onCancel?.(harakiri())
    expect((await response).result).toBe(-1)
    await expect.poll(async () => (await harness.request({ path: '/seen' })).text).toBe('TimeoutError')
  })
})

describe('the signal of a request', () => {
  it('fires when the client leaves, while the handler waits', async () => {
    const { harness, waiting } = await boot(`
      export default async ({ signal }) => {
        const left = new Promise((resolve) => signal.addEventListener('abort', resolve))
        uwsgi.promises.wait('')
        await left
        return new Response([signal.aborted, signal.reason.name, uwsgi.uri()].join())
      }`)
    const client = Promise.withResolvers<void>()
    const response = harness.request({ path: '/a', clientLeaves: client.promise })
    await expect.poll(() => waiting.length).toBe(1)
    client.resolve()
    expect((await response).text).toBe('true,AbortError,/a')
  })

  it('does not fire for a client that leaves after the answer', async () => {
    const { harness } = await boot(`
      let last
      export default ({ signal }) => { const before = last; last = signal; return new Response(String(before?.aborted)) }`)
    const client = Promise.withResolvers<void>()
    await harness.request({ clientLeaves: client.promise })
    client.resolve()
    await client.promise
    expect((await harness.request()).text).toBe('false')
  })
})

describe('asynchronous functions that others call', () => {
  it('are waited for by the promise form, and refused to the plain one', async () => {
    let handler: ((...args: string[]) => unknown) | undefined
    const { harness } = await boot(
      `uwsgi.register(async (text) => { await uwsgi.suspend(); return text + ' after a while' })
      export default async () => new Response(await uwsgi.promises.call('of ' + uwsgi.uri()) + ' ' + uwsgi.uri())`,
      {
        register: {
          kind: 'immediate',
          params: [{ name: 'handler', type: 'function' }],
          call: (fn) => {
            handler = (text = '') => fn.owner.rpc(fn.handler, [Buffer.from(text)])
            return undefined
          },
        },
        call: {
          params: [{ name: 'text', type: 'text' }],
          returns: 'bytes',
          call: () => undefined,
          callAsync: (text: string) => handler?.(text) as Promise<Uint8Array>,
        },
      },
    )
    const responses = await Promise.all(['/a', '/b'].map((path) => harness.request({ path })))
    expect(texts(responses)).toEqual(['of /a after a while /a', 'of /b after a while /b'])
  })
})
