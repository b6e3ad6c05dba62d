// Asynchronous cores in the running program: handlers of each language wait for connections, times, locks, signals and other
// servers while others of the same worker are served. Each language does the same, and is answered the same.
import { once } from 'node:events'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AsyncApp, fileOf, Keeper } from '../support/async-app.ts'
import { type Companion, companions, refusingAddress } from '../support/companions.ts'
import { languages } from '../support/full-server.ts'
import { readToEnd } from '../support/uwsgi-client.ts'

/** One worker, whose languages share its eight cores. */
let app: AsyncApp
let keeper: Keeper
let echo: Companion
let silent: Companion

beforeAll(async () => {
  app = await AsyncApp.start()
  keeper = await Keeper.start()
  echo = await companions.echo()
  silent = await companions.silent()
})
afterAll(async () => {
  const code = await app.server.stop()
  for (const one of [keeper, echo, silent]) await one[Symbol.asyncDispose]()
  expect(code).toBe(0)
  expect(app.server.log).not.toContain('DAMN')
})

describe.each(languages)('in %s', (language) => {
  // What others have noted counts for nothing here.
  beforeEach(() => void app.notes.splice(0))

  const get = (page: string, args = {}) => app.get(language, page, { ...args })
  const noted = (text: string) => app.noted(language, text)
  /** A name that no other test uses. */
  const mine = (name: string) => `${language}-${name}`

  describe('a handler that suspends', () => {
    it('lets others go first, in turns', async () => {
      const [one, other] = [mine('a'), mine('b')]
      await Promise.all([get('turns', { name: one, times: 4, after: `${other}1` }), get('turns', { name: other, times: 4 })])
      await noted(`${one}4`)
      const order = app.notes.filter((note) => note.startsWith(one) || note.startsWith(other))
      const together = order.slice(order.indexOf(`${one}1`) - 1)
      expect(together.slice(0, 6)).toEqual([`${other}1`, `${one}1`, `${other}2`, `${one}2`, `${other}3`, `${one}3`])
    })

    it('may do so in nested functions, generators, iterators and callbacks', async () => {
      expect(await get('nested')).toBe('1 2 3 4 5 6 7 8 9 10')
    })

    it('and raises then is answered with 500; another one is answered well', async () => {
      const raising = get('raise-later', { at: keeper.address })
      const other = get('hold', { at: keeper.address, name: mine('beside') })
      await keeper.named(mine('beside'))
      await keeper.release('raising', 'x')
      expect(await raising).toContain('500')
      expect(app.server.log).toContain(`${language} raises later`)
      await keeper.release(mine('beside'), 'unharmed')
      expect(await other).toBe('unharmed')
    })
  })

  describe('a time', () => {
    it('is waited for', async () => {
      const begun = performance.now()
      expect(await get('sleep', { seconds: 0.3 })).toBe('-1')
      // The clocks of two threads are read at other moments.
      expect(performance.now() - begun).toBeGreaterThan(295)
    })

    it('of 0 and less is none', async () => {
      expect(await get('sleep', { seconds: 0 })).toBe('-1')
      expect(await get('sleep', { seconds: -1 })).toBe('-1')
    })

    it('lets others be served, who end the waiting', async () => {
      const sleeping = get('sleep-until', { key: mine('key') })
      await get('set', { key: mine('key') })
      expect(await sleeping).toBe('done')
    })

    it('ends the waiting for a connection', async () => {
      expect(await get('timeout', { at: silent.address })).toBe('-1 true')
    })
  })

  describe('a connection', () => {
    it('is one of several that are waited for at once: the one that is ready is told', async () => {
      const answer = get('any', { at: keeper.address })
      const sockets = await Promise.all(['0', '1', '2'].map((name) => keeper.named(name)))
      for (const index of [2, 0, 1]) {
        sockets[index]?.write(`<${index}>`)
        await keeper.named('got')
        keeper.forget('got')
      }
      expect(await answer).toBe('2<2> 0<0> 1<1>')
      for (const name of ['0', '1', '2']) keeper.forget(name)
    })

    it('that is refused is ready, and not connected', async () => {
      expect(await get('refused', { at: await refusingAddress() })).toBe('true false')
    })

    it('is refused what makes no sense, with a reason', async () => {
      const lines = (await get('errors', { at: silent.address })).split('\n')
      expect(lines[0]).toMatch(/unable to fd FD to the event queue: it is waited for already, to read/)
      expect(lines[1]).toMatch(/unable to fd 77 to the event queue: it is no connection of this request/)
      expect(lines[2]).toMatch(/78 is no open connection of this request/)
      expect(lines[3]).toBe('false')
      expect(lines[4]).toMatch(/argument 'timeout' must be at least 0 seconds, not -1/)
    })

    it('carries more than fits at once', async () => {
      expect(await get('talk', { at: echo.address, bytes: 3_000_000 })).toBe('3000000 false')
    })

    it('that is opened and read plainly lets others be served', async () => {
      const answer = get('connect', { at: keeper.address, name: mine('plain') })
      await keeper.named(mine('plain'))
      expect(await get('worker')).toBe('1')
      await keeper.release(mine('plain'), 'said')
      expect(await answer).toBe('said')
    })

    it('that is left open is closed with its request, and the log names the app', async () => {
      const leaking = await companions.silent()
      await get('leak', { at: leaking.address })
      // The app does not wait for them: one may come when it has answered.
      await leaking.reached(2)
      await leaking.isEmpty()
      await app.server.logged(`${fileOf[language]} left 2 connections open at the end of GET /${language}/leak`)
      await leaking[Symbol.asyncDispose]()
    })

    it('of one request is none of another', async () => {
      const owner = get('own', { at: keeper.address })
      await keeper.named('own')
      const fd = (await app.noted(language, /^fd /)).slice(3)
      const lines = (await get('use', { fd })).split('\n')
      expect(lines[0]).toContain(`${fd} is no open connection of this request`)
      expect(lines[1]).toContain(`${fd} is no open connection of this request`)
      expect(lines[2]).toContain(`unable to fd ${fd} to the event queue: it is no connection of this request`)
      expect(lines[3]).toBe('false')
      await keeper.release('own', 'still mine')
      expect(await owner).toBe('still mine')
    })
  })

  describe("the client's connection", () => {
    it('is waited for: more of the body comes', async () => {
      const socket = await app.open()
      const answer = readToEnd(socket)
      const url = app.url(language, 'client-body', { length: 300_000 })
      socket.write(`POST ${url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 300000\r\n\r\n`)
      socket.write(Buffer.alloc(100_000))
      await noted('got 100000')
      socket.write(Buffer.alloc(100_000))
      await noted('got 200000')
      socket.write(Buffer.alloc(100_000))
      expect(await answer).toMatch(/^HTTP\/1\.1 200[\s\S]*\r\n\r\n300000$/)
    })

    it('is waited for: the client leaves', async () => {
      const leaving = new AbortController()
      const asked = app.ask(language, 'client-leaves', {}, { signal: leaving.signal })
      asked.catch(() => {})
      await noted('waits for the client')
      leaving.abort()
      await expect(asked).rejects.toThrow()
      await noted('left true false')
    })

    it('may be lost in the middle of another wait, which goes on', async () => {
      const leaving = new AbortController()
      const asked = app.ask(language, 'abandoned', { at: keeper.address }, { signal: leaving.signal })
      asked.catch(() => {})
      await keeper.named('abandoned')
      leaving.abort()
      await expect(asked).rejects.toThrow()
      await keeper.release('abandoned', 'x')
      await noted('goes on false')
    })
  })

  describe('others are served', () => {
    it('while a lock of the same worker is waited for', async () => {
      const [first, second] = [mine('first'), mine('second')]
      const one = get('lock', { name: first, at: keeper.address })
      await keeper.named(first)
      const other = get('lock', { name: second, at: keeper.address })
      await noted(`${second} wants`)
      expect(await get('worker')).toBe('1')
      await keeper.release(first, 'x')
      await keeper.release(second, 'x')
      expect(await Promise.all([one, other])).toEqual(['done', 'done'])
      await noted(`${second} frees`)
      const order = app.notes.filter((note) => note.startsWith(first) || note.startsWith(second))
      const wanted = [`${first} wants`, `${first} has`, `${second} wants`, `${first} frees`, `${second} has`, `${second} frees`]
      expect(order).toEqual(wanted)
    })

    it('while a signal is waited for, which one of them raises', async () => {
      const waiting = get('signal-wait')
      await noted('waits for the signal')
      await get('signal')
      expect(await waiting).toBe({ python: '20', lua: '21', js: '22' }[language])
    })

    it('while another server is called: this one, whose answer takes turns too', async () => {
      const node = app.server.uwsgi
      expect(await get('rpc', { node, function: `${language}_slow`, text: 'x' })).toBe(`${language}:x`)
    })

    it('while the cache of another server is asked: this one', async () => {
      expect(await get('remote-cache', { node: app.server.uwsgi, text: mine('far') })).toBe(mine('far'))
    })

    it('while a large body comes slowly', async () => {
      const socket = await app.open()
      const answer = readToEnd(socket)
      const size = 2_000_000
      socket.write(
        `POST ${app.url(language, 'body')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${size}\r\n\r\n`,
      )
      socket.write(Buffer.alloc(size / 2))
      await noted('reads')
      expect(await get('worker')).toBe('1')
      socket.write(Buffer.alloc(size / 2))
      expect(await answer).toMatch(/\r\n\r\n2000000$/)
    })

    it.each(['stream', 'large'])('while a client reads slowly: %s', async (page) => {
      const socket = await app.open()
      socket.pause()
      const pieces = 400 + (page === 'large' ? 1 : 0)
      socket.write(`GET ${app.url(language, page, { pieces })} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
      if (page === 'large') await noted(`made ${pieces}`)
      else await once(socket, 'readable')
      for (let count = 0; count < 3; count += 1) expect(await get('worker')).toBe('1')
      expect(app.notes).not.toContain(`streamed ${pieces}`)
      const whole = await readToEnd(socket)
      expect(whole.slice(whole.indexOf('\r\n\r\n')).replaceAll(/[^x]/g, '').length).toBe(pieces * 65536)
    })
  })

  it('a chunk of the body that is yielded waits for what was registered before', async () => {
    const answer = get('steps', { at: keeper.address })
    await keeper.release('1', '<1>')
    await keeper.release('2', '<2>')
    expect(await answer).toBe('1 true <1> 2 true <2> ')
  })
})
