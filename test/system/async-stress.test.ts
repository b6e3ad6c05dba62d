// Hundreds of cores of one worker, and thousands of requests that wait for everything there is to wait for, fail, are left and
// come late. Afterwards nothing is left of them: no core, no connection, no memory.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Arguments, AsyncApp, Keeper } from '../support/async-app.ts'
import { type Companion, companions, refusingAddress } from '../support/companions.ts'
import { type Language, languages } from '../support/full-server.ts'

const cores = 500
/** At once. Fewer than cores: a request that asks its own server needs a second one. */
const clients = 350
const requests = 2000

interface Kind {
  readonly page: string
  readonly args?: Arguments
  readonly body?: number
  /** What is answered; undefined: the client leaves before anything is. */
  readonly answer: string | RegExp | undefined
}

interface Places {
  readonly echo: string
  readonly silent: string
  readonly refusing: string
  readonly node: string
}

const kindsOf = (language: Language, { echo, silent, refusing, node }: Places): readonly Kind[] => [
  { page: 'sleep', args: { seconds: 0.005 }, answer: '-1' },
  { page: 'talk', args: { at: echo, bytes: 100 }, answer: '100 false' },
  { page: 'talk', args: { at: echo, bytes: 100_000 }, answer: '100000 false' },
  { page: 'timeout', args: { at: silent }, answer: '-1 true' },
  { page: 'refused', args: { at: refusing }, answer: 'true false' },
  { page: 'leak', args: { at: echo }, answer: 'done' },
  { page: 'count', answer: '1' },
  { page: 'rpc', args: { node, function: `${language}_slow`, text: 'x' }, answer: `${language}:x` },
  { page: 'call', args: { function: `${language}_slow`, text: 'y' }, answer: `${language}:y` },
  { page: 'remote-cache', args: { node, text: 'far' }, answer: 'far' },
  { page: 'body', body: 200_000, answer: '200000' },
  { page: 'stream', args: { pieces: 4 }, answer: /^x{262144}$/ },
  { page: 'large', args: { pieces: 4 }, answer: /^x{262144}$/ },
  { page: 'nested', answer: '1 2 3 4 5 6 7 8 9 10' },
  { page: 'raise-soon', answer: /^500 / },
  { page: 'client-leaves', answer: undefined },
  { page: 'sleep', args: { seconds: 0.2 }, answer: undefined },
]

describe.each(languages)('in %s', (language) => {
  let app: AsyncApp
  let keeper: Keeper
  let echo: Companion
  let silent: Companion
  let kinds: readonly Kind[]

  beforeAll(async () => {
    app = await AsyncApp.startWith([language], '--async', String(cores), '--disable-logging', '--listen', '1000')
    keeper = await Keeper.start()
    echo = await companions.echo()
    silent = await companions.silent()
    const places = { echo: echo.address, silent: silent.address, refusing: await refusingAddress(), node: app.server.uwsgi }
    kinds = kindsOf(language, places)
  })
  afterAll(async () => {
    expect(await app.server.stop()).toBe(0)
    for (const one of [keeper, echo, silent]) await one[Symbol.asyncDispose]()
    expect(app.server.log).not.toContain('DAMN')
  })

  /** In bytes. */
  const residentMemory = (): number =>
    Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${app.server.pid}/status`, 'utf8'))?.[1]) * 1024

  const askOne = async ({ page, args, body, answer }: Kind): Promise<void> => {
    if (answer === undefined) {
      const leaving = new AbortController()
      const asked = app.ask(language, page, args, { signal: leaving.signal })
      // Somewhere on the way: before it is begun, while it waits, or when it is over.
      setTimeout(() => leaving.abort(), Math.random() * 100)
      await asked.then(
        (response) => response.text().catch(() => {}),
        () => {},
      )
      return
    }
    const init = body === undefined ? {} : { method: 'POST', body: Buffer.alloc(body) }
    const response = await app.ask(language, page, args, init)
    const text = await response.text()
    const told = response.ok ? text : `${response.status} ${text}`
    if (typeof answer === 'string' ? told !== answer : !answer.test(told)) {
      throw new Error(`${page} ${JSON.stringify(args)}: ${told.slice(0, 300)}`)
    }
  }

  const askMany = async (): Promise<void> => {
    let next = 0
    const client = async (): Promise<void> => {
      while (next < requests) {
        const kind = kinds[next % kinds.length] as Kind
        next += 1
        await askOne(kind)
      }
    }
    await Promise.all(Array.from({ length: clients }, client))
  }

  /** Every core is held by a request, all at once: none is lost. */
  const holdAll = async (): Promise<void> => {
    const names = Array.from({ length: cores }, (_, index) => `core-${index}`)
    const held = names.map((name) => app.get(language, 'hold', { at: keeper.address, name }))
    await Promise.all(names.map((name) => keeper.named(name)))
    await Promise.all(names.map((name) => keeper.release(name, name)))
    expect(await Promise.all(held)).toEqual(names)
  }

  /** What is left when all is over: the interpreter's own measure. */
  const remains = async (): Promise<number> => {
    for (let asked = 1; ; asked += 1) {
      const [active, held] = (await app.get(language, 'remains')).split(' ').map(Number) as [number, number]
      // This one is served too. What is collected may be told by the next one.
      if (active === 1 && asked > 2) return held
    }
  }

  it('thousands of requests are answered as they should be, and nothing is left of them', async () => {
    await holdAll()
    await askMany()
    const [heldBefore, memoryBefore] = [await remains(), residentMemory()]
    await askMany()
    await holdAll()
    const [heldAfter, memoryAfter] = [await remains(), residentMemory()]
    await Promise.all([echo.isEmpty(), silent.isEmpty(), keeper.isEmpty()])
    expect(echo.accepted).toBeGreaterThan(requests / 10)
    // One small thing left of each request would show: an object in Python, a hundred bytes in Lua, a request in JavaScript.
    expect(heldAfter).toBeLessThan(heldBefore + requests / 10)
    // Some comes and goes, and some is never given back to the system; what grew with each request would be far above.
    expect(memoryAfter).toBeLessThan(memoryBefore * 1.4)
  })

  it('all that wait may be given up at once: each client is told, and every core serves again', async () => {
    const names = Array.from({ length: cores }, (_, index) => `late-${index}`)
    const late = names.map((name) => app.ask(language, 'hold', { at: keeper.address, name, deadline: 2 }))
    const statuses = (await Promise.all(late)).map(({ status }) => status)
    expect(statuses).toEqual(names.map(() => 504))
    await keeper.isEmpty()
    await holdAll()
    expect(app.server.log).not.toContain('DAMN')
  })
})
