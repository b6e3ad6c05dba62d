// Functions that guests give to the API: kept, called with what the host has, and given back.
import { beforeEach, describe, expect, it } from 'vitest'
import { Runtime } from '../../../bindings/js/runtime.ts'
import { compileImage } from '../../../bindings/js/wasm-image.ts'
import type { GuestFunction } from '../../../host/api/guest-function.ts'
import { GuestError } from '../../../host/errors.ts'
import { testAccess } from '../../support/api-context.ts'
import { TestStops } from '../../support/test-stops.ts'
import { type Booted, bootApi, type MadeApi } from './made-api.ts'

/** A registry such as RPC has: one function for each name, the one before it released. */
const registered = new Map<string, GuestFunction>()
beforeEach(() => registered.clear())

const api: MadeApi = {
  functions: {
    register: {
      params: [
        { name: 'name', type: 'text' },
        { name: 'handler', type: 'function' },
        { name: 'argc', type: 'int', default: 0, min: 0, max: 255 },
      ],
      returns: 'true',
      call: (name: string, handler: GuestFunction) => {
        registered.get(name)?.release()
        registered.set(name, handler)
        return true
      },
    },
    optional: {
      params: [{ name: 'handler', type: 'function', default: null }],
      returns: 'text',
      call: (handler: GuestFunction | undefined) => typeof handler,
    },
    many: {
      params: [{ name: 'handlers', type: 'function', variadic: true }],
      returns: 'int',
      call: (handlers: GuestFunction[]) => {
        for (const [index, handler] of handlers.entries()) registered.set(`many${index}`, handler)
        return handlers.length
      },
    },
  },
}

const boot = async (source: string): Promise<Booted> => {
  const booted = await bootApi(api)
  await booted.mount(`${source}\nexport default () => new Response('ok')`)
  return booted
}

const handlerOf = (name: string): GuestFunction => {
  const fn = registered.get(name)
  if (fn === undefined) throw new Error(`${name} was not registered`)
  return fn
}

const rpc = (name: string, ...args: (string | Uint8Array)[]) => {
  const { owner, handler } = handlerOf(name)
  const bytes = args.map((arg) => (typeof arg === 'string' ? new TextEncoder().encode(arg) : arg))
  return owner.rpc?.(handler, bytes)
}

const caught = async (run: () => unknown): Promise<GuestError> => {
  try {
    await run()
  } catch (error) {
    expect(error).toBeInstanceOf(GuestError)
    return error as GuestError
  }
  throw new Error('nothing was thrown')
}

const text = (value: unknown): string => Buffer.from(value as Uint8Array).toString()

describe('a function for RPC', () => {
  it('belongs to the plugin, and gets bytes that know their text', async () => {
    const { plugin } = await boot(`uwsgi.register('join', function (...args) {
      return [args.length, this === undefined, ...args.map((arg) => arg.constructor.name + arg.length + arg)].join('|')
    })`)
    expect(handlerOf('join').owner.name).toBe(plugin.name)
    expect(text(rpc('join', 'a\0', Uint8Array.of(0xff, 0xc3, 0xa4), ''))).toBe(
      '3|true|UwsgiBytes2a\0|UwsgiBytes3\ufffd\u00e4|UwsgiBytes0',
    )
    expect(text(rpc('join'))).toBe('0|true')
    const result = rpc('join', ...Array<string>(255).fill('x'))
    expect(text(result)).toBe(`255|true${'|UwsgiBytes1x'.repeat(255)}`)
  })

  it('answers with bytes, text, numbers or nothing', async () => {
    await boot(`const values = { bytes: new Uint8Array([9, 0, 255]).subarray(1), same: null, text: 'gr\\u00fcn\\0\\u20ac', lone: '\\ud800', empty: '', int: -5, float: 0.5, big: 2n ** 70n,
        nothing: undefined, none: null, rope: 'r'.repeat(9000) + '\\u0100'.repeat(9000) }
      uwsgi.register('value', (name) => values[name])
      uwsgi.register('echo', (value) => value)`)
    expect(rpc('value', 'bytes')).toEqual(Uint8Array.of(0, 255))
    expect(text(rpc('value', 'text'))).toBe('gr\u00fcn\0\u20ac')
    expect(text(rpc('value', 'lone'))).toBe('\ufffd')
    expect(rpc('value', 'empty')).toEqual(new Uint8Array(0))
    expect(text(rpc('value', 'int'))).toBe('-5')
    expect(text(rpc('value', 'float'))).toBe('0.5')
    expect(text(rpc('value', 'big'))).toBe(String(2n ** 70n))
    expect(text(rpc('value', 'rope'))).toBe('r'.repeat(9000) + '\u0100'.repeat(9000))
    expect([rpc('value', 'nothing'), rpc('value', 'none')]).toEqual([undefined, undefined])
    const large = Buffer.alloc(3_000_000, 'xyz')
    expect(Buffer.compare(rpc('echo', large) as Uint8Array, large)).toBe(0)
  })

  it('that answers with anything else fails by saying what', async () => {
    await boot(`const values = { yes: true, object: { a: [1] }, list: [1], fn() {}, symbol: Symbol('s'), later: Promise.resolve(false) }
      uwsgi.register('value', (name) => values[name])`)
    const prefix = 'TypeError: an RPC function returns text, bytes, a number or nothing, not'
    expect((await caught(() => rpc('value', 'yes'))).message).toBe(`${prefix} true`)
    expect((await caught(() => rpc('value', 'object'))).message).toBe(`${prefix} { a: [ 1 ] }`)
    expect((await caught(() => rpc('value', 'list'))).message).toBe(`${prefix} [ 1 ]`)
    expect((await caught(() => rpc('value', 'fn'))).message).toBe(`${prefix} [Function: fn]`)
    expect((await caught(() => rpc('value', 'symbol'))).message).toBe(`${prefix} Symbol(s)`)
    expect((await caught(() => rpc('value', 'later'))).message).toBe(`${prefix} false`)
  })

  it('that throws fails with its file and line', async () => {
    const { harness } = await boot(`uwsgi.register('fail', () => {
      throw new RangeError('too far')
    })
    uwsgi.register('odd', () => { throw 'text' })
    uwsgi.register('ok', () => 'ok')`)
    const error = await caught(() => rpc('fail'))
    expect(error).toMatchObject({ language: 'javascript', code: 'GUEST_EXCEPTION', message: 'RangeError: too far' })
    expect(error.traceback).toMatch(/^RangeError: too far\n.*app\.js:2/)
    expect((await caught(() => rpc('odd'))).message).toBe("thrown: 'text'")
    expect(text(rpc('ok'))).toBe('ok')
    expect(harness.logLines).toEqual([])
  })

  it('may be async: without a wait its answer is there at once', async () => {
    const { harness } = await boot(`uwsgi.register('now', async (value) => { await null; return (await value) + '!' })
      uwsgi.register('fail', async () => { await null; throw new TypeError('no') })
      uwsgi.register('reject', () => Promise.reject(new Error('at once')))
      uwsgi.register('thenable', () => ({ then(resolve) { resolve('then') } }))`)
    expect(text(rpc('now', 'a'))).toBe('a!')
    expect(text(rpc('thenable'))).toBe('then')
    const error = await caught(() => rpc('fail'))
    expect(error.traceback).toMatch(/^TypeError: no\n.*app\.js:2/)
    expect(() => rpc('reject')).toThrow('Error: at once')
    expect((await harness.request()).text).toBe('ok')
    expect(harness.logLines).toEqual([])
  })

  it('may be async: with a wait it answers with a promise', async () => {
    const { harness } = await boot(`const wait = () => new Promise((resolve) => setTimeout(resolve))
      uwsgi.register('later', async (value) => { await wait(); return value })
      uwsgi.register('fail', async () => { await wait(); throw new TypeError('no') })
      uwsgi.register('wrong', async () => { await wait(); return {} })`)
    const all = ['a', 'b'].map((value) => rpc('later', value))
    expect(all.every((result) => result instanceof Promise)).toBe(true)
    expect((await Promise.all(all)).map(text)).toEqual(['a', 'b'])
    expect((await caught(() => rpc('fail'))).traceback).toMatch(/^TypeError: no\n.*app\.js:3/)
    expect((await caught(() => rpc('wrong'))).message).toContain('not {}')
    expect((await harness.request()).text).toBe('ok')
    expect(harness.logLines).toEqual([])
  })

  it('that needs more memory than there is fails, and the next call finds it free', async () => {
    const booted = await bootApi(api, { memoryLimit: 24 << 20 })
    await booted.mount(`uwsgi.register('length', (value) => value.length)
      uwsgi.register('fill', () => { const all = []; for (;;) all.push(new ArrayBuffer(1 << 20)) })
      export default () => new Response('ok')`)
    expect((await caught(() => rpc('length', new Uint8Array(40 << 20)))).message).toMatch(/out of memory/)
    await caught(() => rpc('fill'))
    expect(text(rpc('length', new Uint8Array(1000)))).toBe('1000')
  })
})

describe('a function for signals', () => {
  it('gets the number, and may be async', async () => {
    const { harness } = await boot(`uwsgi.register('sync', (...args) => uwsgi.register('saw' + args.join(), () => typeof args[0]))
      uwsgi.register('later', async (signum) => { await new Promise((resolve) => setTimeout(resolve)); uwsgi.register('saw' + signum, () => '') })
      uwsgi.register('fail', () => { throw new Error('bad signal') })
      uwsgi.register('failLater', async () => { throw new Error('bad later') })`)
    const run = (name: string, signum: number) => handlerOf(name).owner.signalHandler?.(signum, handlerOf(name).handler)
    expect(run('sync', 17)).toBe(true)
    expect(text(rpc('saw17'))).toBe('number')
    const later = run('later', 255)
    expect(later).toBeInstanceOf(Promise)
    expect(registered.has('saw255')).toBe(false)
    expect(await later).toBe(true)
    expect(registered.has('saw255')).toBe(true)
    expect((await caught(() => run('fail', 1))).message).toBe('Error: bad signal')
    expect((await caught(() => run('failLater', 1))).message).toBe('Error: bad later')
    expect(harness.logLines).toEqual([])
  })
})

describe('a function argument', () => {
  it('may be any kind of function, or absent where it may be', async () => {
    const { harness, mount } = await bootApi(api)
    await mount(`class Job { run(x) { return this.name + x } name = 'job' }
      const job = new Job()
      const kinds = [() => 'arrow', async function () { return 'async' }, job.run.bind(job), new Proxy(() => 'proxy', {}), String.prototype.constructor]
      export default () => Response.json([uwsgi.many(...kinds), uwsgi.many(), uwsgi.optional(), uwsgi.optional(null), uwsgi.optional(() => {})])`)
    expect(JSON.parse((await harness.request()).text)).toEqual([5, 0, 'undefined', 'undefined', 'object'])
    expect(['many0', 'many1', 'many2', 'many3', 'many4'].map((name) => text(rpc(name, 'x')))).toEqual([
      'arrow',
      'async',
      'jobx',
      'proxy',
      'x',
    ])
  })

  it('may be released while it runs', async () => {
    await boot(`const replace = () => { uwsgi.register('self', () => 'second'); return 'first' + [1, 2, 3].map((n) => n * 2) }
      uwsgi.register('self', replace)`)
    expect(text(rpc('self'))).toBe('first2,4,6')
    expect(text(rpc('self'))).toBe('second')
  })

  it('that was released is called no more, and may be released again', async () => {
    await boot("uwsgi.register('gone', () => 'x')")
    const fn = handlerOf('gone')
    fn.release()
    fn.release()
    expect(() => rpc('gone')).toThrow('is not there any more')
  })
})

describe('functions kept', () => {
  it('ten thousand times leave nothing behind, nor do refused ones, calls and promises', async () => {
    const log = { text: () => {}, bytes: () => {} }
    const owner = { name: 'js', releaseFunction: (handler: unknown) => runtime.functions.release(handler as number) }
    const common = { group: 'rpc', doc: '', example: { js: '', lua: '', python: '' } } as const
    const params = [{ name: 'handler', type: 'function', doc: '' }] as const
    let last: GuestFunction | undefined
    const runtime: Runtime = await Runtime.boot({
      image: await compileImage(),
      memoryLimit: 64 << 20,
      log,
      owner,
      sharedDirectories: [],
      access: { files: testAccess.openFiles(), environment: new Map() },
      stops: new TestStops(),
      api: {
        attributes: [],
        hooks: [{ ...common, shape: 'hook', name: 'some_hook', params: [], returns: 'none' }],
        functions: [
          {
            entry: { ...common, shape: 'function', name: 'register', kind: 'immediate', params, returns: 'none', raises: [] },
            call: ([handler, isRefused]) => {
              if (isRefused === true) throw new GuestError('x', 'refused', '')
              last?.release()
              last = handler as GuestFunction
              return undefined
            },
          },
        ],
      },
    })
    const { engine, functions, converter } = runtime
    const cycle = engine.evaluate(
      `(function (rounds) {
        for (let round = 0; round < rounds; round++) {
          const data = new Uint8Array(100)
          uwsgi.register(async (value) => { if (value.length > 3) await new Promise((resolve) => { uwsgi.wake = resolve }); return data })
          uwsgi.someHook = () => data
          try { uwsgi.register(() => data, true) } catch {}
        }
        uwsgi.someHook = undefined
      })`,
      'cycle.js',
    )
    const run = (rounds: number): void => {
      engine.setInt(0, rounds)
      engine.free(engine.call(cycle, 1))
      const handler = functions.handler(last?.handler as number)
      for (let round = 0; round < rounds; round += 1) functions.callWithBytes(handler, [Uint8Array.of(1, 2)], functions.readBytes)
      runtime.collector.collect()
    }
    const usage = (): number[] => {
      const counts = engine.ffi._QTS_RuntimeComputeMemoryUsage(engine.runtime, engine.context)
      const values = ['obj_count', 'str_count', 'malloc_count'].map((name) => {
        const value = engine.getProperty(counts, name)
        const count = converter.value(value) as number
        engine.free(value)
        return count
      })
      engine.free(counts)
      return [...values, engine.memory.buffer.byteLength]
    }
    run(500)
    const before = usage()
    run(10_000)
    const after = usage()
    expect(functions.size).toBe(1)
    expect(after).toEqual(before)
  })
})
