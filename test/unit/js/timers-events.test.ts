// Timers, microtasks, events and abort signals.
import { describe, expect, it } from 'vitest'
import { mountJs, runJs } from './js-apps.ts'

describe('timers', () => {
  it('fire with their arguments, in the order of their delays', async () => {
    expect(
      await runJs(`const seen = []
        await new Promise((resolve) => {
          setTimeout((...args) => { seen.push(args); resolve() }, 30, 'late', 2)
          setTimeout(() => seen.push('early'), 1)
          setTimeout(() => seen.push('first'))
        })
        return seen`),
    ).toEqual(['early', 'first', ['late', 2]])
  })

  it('repeat until they are cleared', async () => {
    expect(
      await runJs(`let n = 0
        await new Promise((resolve) => { const id = setInterval(() => { if (++n === 3) { clearInterval(id); resolve() } }, 1) })
        await new Promise((resolve) => setTimeout(resolve, 10))
        return n`),
    ).toBe(3)
  })

  it('can be cleared before they fire, with any value', async () => {
    expect(
      await runJs(`let fired = false
        const id = setTimeout(() => { fired = true })
        clearTimeout(id); clearTimeout(id); clearTimeout(undefined); clearTimeout('x'); clearInterval({}); clearTimeout(-1)
        await new Promise((resolve) => setTimeout(resolve, 5))
        return [fired, typeof id]`),
    ).toEqual([false, 'number'])
  })

  it('take odd delays as none', async () => {
    expect(
      await runJs(`let n = 0
        for (const delay of [NaN, -5, Infinity, 2 ** 40, 'x', undefined, null]) await new Promise((resolve) => setTimeout(resolve, delay)).then(() => n++)
        return n`),
    ).toBe(7)
  })

  it('log the error of a callback and go on', async () => {
    const app = await mountJs(`export default async () => {
      setTimeout(() => { throw new Error('in a timer') })
      queueMicrotask(() => { throw new Error('in a microtask') })
      await new Promise((resolve) => setTimeout(resolve, 5))
      return new Response('ok')
    }`)
    expect((await app.request()).text).toBe('ok')
    const log = app.logLines.join('\n')
    expect(log).toMatch(/uncaught error in a timer: Error: in a timer\n {4}at .*app\.js:2/)
    expect(log).toMatch(/uncaught error in a microtask: Error: in a microtask\n {4}at .*app\.js:3/)
  })

  it('are limited in number', async () => {
    expect(
      await runJs(`let n = 0
        try { for (;;) { setTimeout(() => {}, 1e9); n++ } } catch (error) { return [n, error.name, error.message] }`),
    ).toEqual([50_000, 'RangeError', 'more than 50000 timers at once'])
  })

  it('need a function', async () => {
    expect(
      await runJs(`const out = []
        for (const f of [() => setTimeout('code'), () => setInterval(), () => queueMicrotask({})]) try { f() } catch (error) { out.push(error.message) }
        return out`),
    ).toEqual(['a timer needs a function', 'a timer needs a function', 'queueMicrotask() needs a function'])
  })

  it('run microtasks in order, before any timer', async () => {
    expect(
      await runJs(`const seen = []
        setTimeout(() => seen.push('timer'))
        queueMicrotask(() => seen.push('a'))
        Promise.resolve().then(() => seen.push('b'))
        queueMicrotask(() => seen.push('c'))
        await new Promise((resolve) => setTimeout(resolve, 5))
        return seen`),
    ).toEqual(['a', 'b', 'c', 'timer'])
  })

  it('leave other requests their turn however long a chain of microtasks is', async () => {
    const app = await mountJs(`let stop = false, turns = 0
      export default async (request) => {
        if (request.url.endsWith('/stop')) { stop = true; return new Response(String(turns)) }
        while (!stop) { turns++; await null }
        return new Response('stopped')
      }`)
    const endless = app.request({ path: '/endless' })
    await new Promise((resolve) => setImmediate(resolve))
    expect(Number((await app.request({ path: '/stop' })).text)).toBeGreaterThan(100)
    expect((await endless).text).toBe('stopped')
  })
})

describe('EventTarget', () => {
  it('calls its listeners, objects and functions, once where asked', async () => {
    const app = await mountJs(`export default () => {
      const seen = []
      const target = new EventTarget()
      const listener = (event) => seen.push([event.type, event.target === target])
      target.addEventListener('x', listener)
      target.addEventListener('x', listener)
      target.addEventListener('x', { handleEvent: (event) => { seen.push('object'); event.preventDefault() } })
      target.addEventListener('x', () => seen.push('once'), { once: true })
      target.addEventListener('x', () => { throw new Error('listener') })
      const results = [target.dispatchEvent(new Event('x', { cancelable: true })), target.dispatchEvent(new Event('y'))]
      target.removeEventListener('x', listener)
      target.dispatchEvent(new Event('x'))
      return Response.json([seen, results])
    }`)
    expect(JSON.parse((await app.request()).text)).toEqual([
      [['x', true], 'object', 'once', 'object'],
      [false, true],
    ])
    expect(app.logLines.filter((line) => line.startsWith('uncaught error in an event listener: Error: listener'))).toHaveLength(2)
  })
})

describe('AbortController', () => {
  it('aborts once, with its reason', async () => {
    expect(
      await runJs(`const c = new AbortController()
        const seen = []
        c.signal.onabort = (event) => seen.push('on' + event.type)
        c.signal.addEventListener('abort', () => seen.push(c.signal.reason))
        c.abort('why'); c.abort('again')
        try { c.signal.throwIfAborted() } catch (error) { seen.push(error) }
        const plain = new AbortController(); plain.abort()
        return [seen, c.signal.aborted, plain.signal.reason.name, AbortSignal.abort(5).reason]`),
    ).toEqual([['onabort', 'why', 'why'], true, 'AbortError', 5])
  })

  it('signals time out and follow others', async () => {
    expect(
      await runJs(`const timeout = AbortSignal.timeout(1)
        const c = new AbortController()
        const any = AbortSignal.any([timeout, c.signal])
        const name = await new Promise((resolve) => any.addEventListener('abort', () => resolve(any.reason.name)))
        return [name, AbortSignal.any([AbortSignal.abort('now')]).reason, AbortSignal.any([]).aborted]`),
    ).toEqual(['TimeoutError', 'now', false])
  })

  it('makes signals that nobody else can make', async () => {
    expect(await runJs('try { new AbortSignal() } catch (error) { return error.message }')).toBe('Illegal constructor')
  })
})
