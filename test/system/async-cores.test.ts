// Cores beside each other: of several languages in one worker, of several workers, more requests than cores, and what ends one
// that takes too long.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AsyncApp, Keeper } from '../support/async-app.ts'
import { companions, refusingAddress } from '../support/companions.ts'
import { languages } from '../support/full-server.ts'
import { readToEnd } from '../support/uwsgi-client.ts'

const pairs = languages.flatMap((from) => languages.map((to) => [from, to] as const))

/** In every order. */
const orders = languages.flatMap((first) =>
  languages
    .filter((one) => one !== first)
    .map((second) => [first, second, ...languages.filter((one) => one !== first && one !== second)]),
)

describe('languages in one worker', () => {
  let app: AsyncApp
  let keeper: Keeper
  beforeAll(async () => {
    app = await AsyncApp.start()
    keeper = await Keeper.start()
  })
  afterAll(async () => {
    await app[Symbol.asyncDispose]()
    await keeper[Symbol.asyncDispose]()
  })

  it('are held together, and go on in any order', async () => {
    for (const order of orders) {
      const answers = new Map(
        languages.map((language) => [language, app.get(language, 'hold', { at: keeper.address, name: language })] as const),
      )
      for (const language of languages) await keeper.named(language)
      for (const language of order) {
        await keeper.release(language, `${language} of ${order.join()}`)
        expect(await answers.get(language)).toBe(`${language} of ${order.join()}`)
      }
    }
  })

  it('take turns', async () => {
    await Promise.all([
      app.get('python', 'turns', { name: 'p', times: 6, after: 'l1' }),
      app.get('js', 'turns', { name: 'j', times: 6, after: 'p1' }),
      app.get('lua', 'turns', { name: 'l', times: 8, after: 'j0' }),
      // The other two are there by then, or come later: each waits for the one before it.
      app.get('lua', 'set', { key: 'j0' }),
    ])
    await app.noted('lua', 'p6')
    await app.noted('lua', 'j6')
    const from = app.notes.indexOf('j1')
    const together = app.notes.slice(from, from + 12).map((note) => note[0])
    expect(together.join('')).toBe(together.slice(0, 3).join('').repeat(4))
    expect(new Set(together).size).toBe(3)
  })

  it.each(pairs)('call each other: a function that suspends, from %s in %s', async (from, to) => {
    const held = app.get(to, 'hold', { at: keeper.address, name: 'held' })
    await keeper.named('held')
    const answers = await Promise.all(
      ['a', 'b', 'c'].map((text) => app.get(from, 'call', { function: `${to}_slow`, text: `${from}-${text}` })),
    )
    expect(answers).toEqual(['a', 'b', 'c'].map((text) => `${to}:${from}-${text}`))
    await keeper.release('held', 'unharmed')
    expect(await held).toBe('unharmed')
  })

  it('contend for a lock, which only one of them ever has', async () => {
    await using app = await AsyncApp.start('--workers', '2')
    const rounds = 10
    const workers = new Set<string>()
    let asked = 0
    // Both workers take part: which one takes a request is theirs to say.
    while (workers.size < 2 || asked < rounds * 3) {
      const round = await Promise.all(languages.flatMap((language) => [app.get(language, 'count'), app.get(language, 'count')]))
      asked += round.length
      for (const worker of round) workers.add(worker)
    }
    expect([...workers].sort()).toEqual(['1', '2'])
    expect(await app.get('lua', 'cached', { key: 'count' })).toBe(String(asked))
  })
})

describe.each(languages)('in %s', (language) => {
  const start = (...more: string[]) => AsyncApp.startWith([language], ...more)

  it('one core does the same, and others wait', async () => {
    await using echo = await companions.echo()
    await using silent = await companions.silent()
    await using keeper = await Keeper.start()
    await using app = await start('--async', '1')
    const get = (page: string, args = {}) => app.get(language, page, { ...args })
    expect(await get('nested')).toBe('1 2 3 4 5 6 7 8 9 10')
    expect(await get('sleep', { seconds: 0.05 })).toBe('-1')
    expect(await get('timeout', { at: silent.address })).toBe('-1 true')
    expect(await get('refused', { at: await refusingAddress() })).toBe('true false')
    expect(await get('talk', { at: echo.address, bytes: 300_000 })).toBe('300000 false')
    expect(await get('leak', { at: echo.address })).toBe('done')
    expect(await get('call', { function: `${language}_slow`, text: 'x' })).toBe(`${language}:x`)
    const held = get('hold', { at: keeper.address, name: 'held' })
    await keeper.named('held')
    const other = get('turns', { name: 'other', times: 1 })
    await keeper.release('held', 'x')
    expect(await Promise.all([held, other])).toEqual(['x', 'done'])
    await app.noted(language, 'other1')
    expect(app.notes).toEqual(['held begins', 'held goes on', 'other1'])
    await echo.isEmpty()
  })

  it('more requests than cores are answered all, in the order in which they came', async () => {
    await using app = await start('--async', '2')
    await using keeper = await Keeper.start()
    const held = ['one', 'two'].map((name) => app.get(language, 'hold', { at: keeper.address, name }))
    await keeper.named('one')
    await keeper.named('two')
    // Requests on one connection are begun in their order.
    const socket = await app.open()
    const names = ['q1', 'q2', 'q3', 'q4', 'q5']
    for (const [index, name] of names.entries()) {
      const url = app.url(language, 'turns', { name, times: 1 })
      const close = index === names.length - 1 ? 'Connection: close\r\n' : ''
      socket.write(`GET ${url} HTTP/1.1\r\nHost: x\r\n${close}\r\n`)
    }
    await keeper.release('one', '1')
    expect((await readToEnd(socket)).split('HTTP/1.1 200').length - 1).toBe(5)
    await keeper.release('two', '2')
    expect(await Promise.all(held)).toEqual(['1', '2'])
    await app.noted(language, 'q51')
    expect(app.notes.filter((note) => note.startsWith('q'))).toEqual(names.map((name) => `${name}1`))
  })

  it('a handler that never yields is ended; the other worker serves on meanwhile', async () => {
    await using app = await start('--workers', '2', '--harakiri', '2')
    const spinning = app.ask(language, 'spin')
    await app.noted(language, 'spins')
    const serving = await app.get(language, 'worker')
    let isOver = false
    // Near the end the spinning one may be free again.
    const servedBy: string[] = []
    const others = (async () => {
      while (!isOver) servedBy.push(await app.get(language, 'worker'))
    })()
    const response = await spinning
    isOver = true
    await others
    expect(response.status).toBe(504)
    expect(servedBy[0]).toBe(serving)
    expect(app.server.log).toContain('HARAKIRI')
  })

  it('a core that waits too long is given up, and its client told; others of the worker go on', async () => {
    await using app = await start()
    await using keeper = await Keeper.start()
    const staying = app.get(language, 'hold', { at: keeper.address, name: 'staying' })
    await keeper.named('staying')
    const late = await app.ask(language, 'hold', { at: keeper.address, name: 'late', deadline: 1 })
    expect(late.status).toBe(504)
    // What it had open is closed.
    await keeper.left('late')
    // More than there are cores: the one that was given up is free again.
    const rounds = await Promise.all(Array.from({ length: 20 }, () => app.get(language, 'sleep', { seconds: 0.01 })))
    expect(rounds).toEqual(Array.from({ length: 20 }, () => '-1'))
    await keeper.release('staying', 'unharmed')
    expect(await staying).toBe('unharmed')
    expect(app.server.log).not.toContain('DAMN')
    await app.noted(language, 'staying goes on')
    expect(app.notes).not.toContain('late goes on')
  })

  it('all cores may be given up, and serve again', async () => {
    await using app = await start('--async', '3', '--harakiri', '2')
    await using keeper = await Keeper.start()
    const names = ['a', 'b', 'c']
    const late = await Promise.all(names.map((name) => app.ask(language, 'hold', { at: keeper.address, name })))
    expect(late.map(({ status }) => status)).toEqual([504, 504, 504])
    for (const name of names) await keeper.left(name)
    expect(await Promise.all(names.map(() => app.get(language, 'nested')))).toEqual(names.map(() => '1 2 3 4 5 6 7 8 9 10'))
    expect(app.server.log).not.toContain('DAMN')
  })

  it('connects only to where --allow-connect says', async () => {
    await using echo = await companions.echo()
    await using app = await start('--allow-connect', echo.address)
    expect(await app.get(language, 'talk', { at: echo.address, bytes: 100 })).toBe('100 false')
    const elsewhere = await refusingAddress()
    const lines = (await app.get(language, 'open', { at: elsewhere })).split('\n')
    expect(lines).toHaveLength(2)
    for (const line of lines) expect(line).toContain(elsewhere)
    expect(lines.join('\n')).toMatch(/may connect to[\s\S]*may connect to/)
  })

  it('stops gracefully: what waits is finished first', async () => {
    await using app = await start()
    await using keeper = await Keeper.start()
    const held = app.get(language, 'hold', { at: keeper.address, name: 'held' })
    await keeper.named('held')
    const stopped = app.server.stop()
    await app.server.logged('stopping gracefully')
    await keeper.release('held', 'finished')
    expect(await held).toBe('finished')
    expect(await stopped).toBe(0)
  })
})
