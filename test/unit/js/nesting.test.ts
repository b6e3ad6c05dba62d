// Calls into the guest while frames of the guest wait for the host: what another language's function in between does.
import { describe, expect, it } from 'vitest'
import { Engine, mostNested } from '../../../bindings/js/engine.ts'
import type { GuestFunction } from '../../../host/api/guest-function.ts'
import { ApiError, GuestError } from '../../../host/errors.ts'
import { type Booted, bootApi } from './made-api.ts'

interface Nested extends Booted {
  run(body?: string): Promise<string>
  /** How deep the calls were nested at most. */
  readonly deepest: { value: number }
}

/** A guest that can call its own functions by name, as if through another language. */
const boot = async (source: string, memoryLimit?: number): Promise<Nested> => {
  const functions = new Map<string, GuestFunction>()
  const deepest = { value: 0 }
  let depth = 0
  const booted = await bootApi(
    {
      functions: {
        register: {
          params: [
            { name: 'name', type: 'text' },
            { name: 'handler', type: 'function' },
          ],
          returns: 'true',
          call: (name: string, handler: GuestFunction) => {
            functions.get(name)?.release()
            functions.set(name, handler)
            return true
          },
        },
        call: {
          params: [
            { name: 'name', type: 'text' },
            { name: 'args', type: 'bytes', variadic: true },
          ],
          returns: 'bytes',
          call: (name: string, args: Uint8Array[]) => {
            const fn = functions.get(name)
            if (fn === undefined) throw new ApiError('call', 'API_REFUSED', `no function ${name}`)
            depth += 1
            deepest.value = Math.max(deepest.value, depth)
            try {
              const result = fn.owner.rpc?.(fn.handler, args)
              if (result instanceof Promise) {
                result.catch(() => {})
                throw new ApiError('call', 'API_REFUSED', `${name} answers later`)
              }
              return result
            } finally {
              depth -= 1
            }
          },
        },
        signal: {
          params: [{ name: 'name', type: 'text' }],
          returns: 'bool',
          call: (name: string) => {
            const fn = functions.get(name)
            return fn?.owner.signalHandler?.(7, fn.handler) === true
          },
        },
        // What an interpreter in between does that takes every error for its own.
        call_quietly: {
          params: [{ name: 'name', type: 'text' }],
          returns: 'text',
          call: (name: string) => {
            const fn = functions.get(name)
            try {
              fn?.owner.rpc?.(fn.handler, [])
              return 'fine'
            } catch (error) {
              return (error as Error).message
            }
          },
        },
      },
    },
    memoryLimit === undefined ? {} : { memoryLimit },
  )
  await booted.mount(`${source}
    export default async (request) => request.method === 'GET' ? new Response('alive') : new Response(String(await main(await request.text())))`)
  return {
    ...booted,
    deepest,
    run: async (body = '') => {
      const response = await booted.harness.request({ method: 'POST', body })
      return response.status === '200 OK' ? response.text : booted.harness.logLines.splice(0).join('\n')
    },
  }
}

describe('a call from inside a call', () => {
  it('finds arguments, results and errors of each level in their place', async () => {
    const { run, deepest } = await boot(`
      uwsgi.register('one', (a, b) => { const inner = uwsgi.call('two', a + '1', b); return ['one', a, b, inner].join(',') })
      uwsgi.register('two', (a, b) => {
        let caught
        try { uwsgi.call('three', a + '2', b, new Uint8Array(300000)) } catch (error) { caught = error }
        return ['two', a, b, caught.name, caught.code, caught.message].join(',')
      })
      uwsgi.register('three', (a, b, large) => { uwsgi.call('four', large); throw new RangeError('three ' + a + b + large.length) })
      uwsgi.register('four', (large) => large)
      const main = () => uwsgi.call('one', 'a', 'b')`)
    expect(await run()).toBe('one,a,b,two,a1,b,UwsgiError,GUEST_EXCEPTION,RangeError: three a12b300000')
    expect(deepest.value).toBe(4)
    expect(await run()).toBe('one,a,b,two,a1,b,UwsgiError,GUEST_EXCEPTION,RangeError: three a12b300000')
  })

  it('may grow the memory under the one that waits', async () => {
    const { run } = await boot(`
      let kept = []
      uwsgi.register('grow', () => { kept.push(new Uint8Array(30 << 20)); return 'x'.repeat(1 << 20) })
      const main = () => {
        const before = new Uint8Array([1, 2, 3])
        const text = 'grün €'.repeat(1000)
        const grown = uwsgi.call('grow', before, text)
        return [before.join(), text.length, grown.length, grown.toString().length].join()
      }`)
    expect(await run()).toBe('1,2,3,6000,1048576,1048576')
  })

  it('runs no more jobs than its own promise needs, and the rest when the turn is over', async () => {
    const { run } = await boot(`
      const order = []
      const note = (what) => { order.push(what) }
      uwsgi.register('sync', () => { Promise.resolve().then(() => note('inner job')); note('sync'); return '' })
      uwsgi.register('async', async () => { note('async'); await null; await null; note('async done'); return 'value' })
      const main = async () => {
        Promise.resolve().then(() => note('outer job'))
        uwsgi.call('sync')
        note('after sync')
        note(String(uwsgi.call('async')))
        Promise.resolve().then(() => note('last job'))
        note('end')
        await null
        return order.join()
      }`)
    expect(await run()).toBe('sync,after sync,async,outer job,inner job,async done,value,end,last job')
  })

  it('that cannot have its answer now says so, and the promise settles later', async () => {
    const { run, harness } = await boot(`
      let done
      uwsgi.register('later', async () => { await new Promise((resolve) => setTimeout(resolve)); done('done'); return '' })
      uwsgi.register('fails', async () => { await null; throw new Error('nested') })
      const main = async () => {
        const seen = []
        const finished = new Promise((resolve) => { done = resolve })
        for (const name of ['later', 'fails', 'missing']) try { uwsgi.call(name) } catch (error) { seen.push(error.code + ' ' + error.message) }
        return [...seen, await finished].join('|')
      }`)
    expect(await run()).toBe(
      'API_REFUSED uwsgi.call(): later answers later|GUEST_EXCEPTION Error: nested|API_REFUSED uwsgi.call(): no function missing|done',
    )
    expect(harness.logLines).toEqual([])
  })

  it('reports a rejection that nobody handles once, when the whole turn is over', async () => {
    const { run, harness } = await boot(`
      let kept
      uwsgi.register('reject', () => { kept = Promise.reject(new Error('handled in time')); Promise.reject(new Error('for nobody')); return '' })
      const main = () => { uwsgi.call('reject'); kept.catch(() => {}); return 'ok' }`)
    expect(await run()).toBe('ok')
    expect(harness.logLines.filter((line) => line.includes('rejection'))).toEqual([
      'unhandled promise rejection: Error: for nobody',
    ])
  })

  it('is refused past a number of them, with an error that each level may handle', async () => {
    const { run, harness, deepest } = await boot(`
      let deepest = 0
      uwsgi.register('again', (n) => { deepest = Math.max(deepest, +n); return uwsgi.call('again', String(+n + 1)) })
      const main = (how) => {
        try { return uwsgi.call('again', '1') } catch (error) { return how === 'caught' ? error.message + '|' + deepest : Promise.reject(error) }
      }`)
    const message = `RangeError: more than ${mostNested} calls into JavaScript, each inside the one before it`
    for (let round = 0; round < 20; round += 1) {
      // The handler of the request is the first call.
      const [said, depth] = (await run('caught')).split('|')
      expect([said?.endsWith(message), depth]).toEqual([true, String(mostNested - 1)])
      expect(await run('thrown')).toContain(message)
      expect((await harness.request()).text).toBe('alive')
    }
    expect(deepest.value).toBe(mostNested)
  })

  it('at the bottom of a recursion is an overflow of the guest, and the interpreter goes on', async () => {
    const { run, harness } = await boot(`
      uwsgi.register('dive', () => { const f = (n) => n + f(n + 1); return f(0) })
      uwsgi.register('each', () => [1].map(() => uwsgi.call('each')))
      const main = (how) => {
        if (how === 'deep') { const f = () => { try { return f() } catch { return uwsgi.call('dive') } }; return f() }
        return uwsgi.call(how)
      }`)
    for (let round = 0; round < 10; round += 1) {
      for (const how of ['dive', 'each', 'deep']) expect(await run(how)).toMatch(/stack overflow|calls into JavaScript/)
      expect((await harness.request()).text).toBe('alive')
    }
  })

  it('may come from a signal handler too', async () => {
    const { run } = await boot(`
      const seen = []
      uwsgi.register('handler', (signum) => { seen.push(signum + uwsgi.call('echo', 'x')) })
      uwsgi.register('echo', (value) => value)
      uwsgi.register('wait', () => String(uwsgi.signal('handler')))
      const main = () => [uwsgi.signal('handler'), uwsgi.call('wait'), ...seen].join()`)
    expect(await run()).toBe('true,true,7x,7x')
  })

  it('that runs out of memory leaves the levels below their own', async () => {
    const { run, harness } = await boot(
      `uwsgi.register('fill', () => { const all = []; for (;;) all.push(new ArrayBuffer(1 << 20)) })
      const main = () => { try { uwsgi.call('fill') } catch (error) { return error.code } }`,
      32 << 20,
    )
    for (let round = 0; round < 3; round += 1) expect(await run()).toBe('GUEST_EXCEPTION')
    expect((await harness.request()).text).toBe('alive')
  })

  it('that loses the interpreter ends all levels, whatever lies in between makes of it', async () => {
    const { harness, plugin } = await boot(`
      uwsgi.register('inner', () => 'x')
      const main = () => uwsgi.callQuietly('inner') + new Error().stack`)
    const call = Engine.prototype.call
    let calls = 0
    Engine.prototype.call = function (this: Engine, ...args) {
      calls += 1
      if (this.depth === 0) return call.apply(this, args)
      return this.enter(() => {
        throw new Error('unreachable')
      })
    }
    try {
      await expect(harness.request({ method: 'POST', body: '' })).rejects.toThrow(
        'the JavaScript interpreter is lost: unreachable',
      )
    } finally {
      Engine.prototype.call = call
    }
    expect(calls).toBeGreaterThan(1)
    await expect(harness.request()).rejects.toThrow('the JavaScript interpreter is lost')
    expect(() => plugin.rpc?.(1, [])).toThrow(GuestError)
  })
})
