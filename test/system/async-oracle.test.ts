// The same programs with asynchronous cores behind real uWSGI and behind polywsgi: what their calls give must be the same. Python
// suspends anywhere there by the engine ugreen; Lua does at the chunks of a body. Each line that differs is listed here with what docs/differences.md says about it.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Companion, companions, refusingAddress } from '../support/companions.ts'
import { describeWithPeers } from '../support/peers.ts'
import { RealUwsgi } from '../support/real-uwsgi.ts'
import { Server } from '../support/server.ts'
import { getVars, openUwsgi, readToEnd, uwsgiPacket, uwsgiRequest } from '../support/uwsgi-client.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = `${root}test/apps/oracle`
const differencesDoc = readFileSync(`${root}docs/differences.md`, 'utf8')
const common = ['--async', '10', '--cache2', 'name=default,items=100,blocksize=4096']

const raisesAtOnce = 'Differs from uWSGI: what fails at once raises, where it returns -1'
const fractionsCount = 'Differs from uWSGI: fractions of a second count, and one descriptor may be waited for in both'

interface Page {
  readonly path: string
  readonly body?: string
  /** uWSGI never ends the request: what it saw is asked for by another one. */
  readonly isForgottenThere?: true
  /** What a line begins with that differs, what it is here, and what docs/differences.md says about it. */
  readonly differences?: readonly (readonly [label: string, ours: string, doc: string])[]
}

const pythonPages: readonly Page[] = [
  { path: '/environ-keys' },
  { path: '/values' },
  {
    path: '/arguments',
    differences: [
      ['timeout of a fraction', "bytes b''", fractionsCount],
      ['connect to no path', 'raises OSError', raisesAtOnce],
      ['connect to no port', 'raises OSError', raisesAtOnce],
    ],
  },
  { path: '/bad-read', isForgottenThere: true },
  { path: '/bad-write', isForgottenThere: true },
  { path: '/closed-read', isForgottenThere: true },
  { path: '/ready-at-first' },
  { path: '/good' },
  { path: '/refused' },
  { path: '/conversation' },
  { path: '/ended' },
  { path: '/timeout' },
  { path: '/earliest' },
  { path: '/several' },
  { path: '/duplicate' },
  { path: '/both-ways', differences: [['write', "bytes b''", fractionsCount]] },
  { path: '/closed', differences: [['send', 'raises OSError', "a descriptor that is none of the caller's raises."]] },
  { path: '/client' },
  { path: '/body', body: 'body \x00\xff bytes' },
  { path: '/body', body: 'x'.repeat(200_000) },
  { path: '/by-environ', differences: [['ready_fd()', 'fd', 'it tells the descriptor in every style of app.']] },
  { path: '/suspends-between' },
]

const luaPages: readonly Page[] = [
  { path: '/values' },
  { path: '/good' },
  { path: '/refused' },
  { path: '/no-path', differences: [['connect to no path', 'boolean false', raisesAtOnce]] },
  { path: '/ended' },
  { path: '/timeout' },
  { path: '/several' },
  { path: '/duplicate' },
]

const linesOf = (answer: string): string[] => answer.slice(answer.indexOf('\r\n\r\n') + 4).split('\n')

/** What the answer is here, from what it is there. */
const expectedOf = ({ differences }: Page, theirs: readonly string[]): string[] =>
  theirs.map((line) => {
    const difference = differences?.find(([label]) => line.startsWith(label))
    if (difference === undefined) return line
    const [label, value, doc] = difference
    expect(differencesDoc).toContain(doc)
    const ours = `${label}${line.charAt(label.length)}${line.charAt(label.length) === ':' ? ' ' : ''}${value}`
    expect(ours, 'it is listed as a difference and is none').not.toBe(line)
    return ours
  })

/** Servers that apps talk to. They serve all tests of this file. */
const others: Companion[] = []
let query: string

beforeAll(async () => {
  const { echo, silent, closing } = companions
  others.push(await echo(), await echo(), await silent(), await closing())
  const [one, other, mute, brief] = others as [Companion, Companion, Companion, Companion]
  const places = { echo: one, other, silent: mute, closing: brief, refusing: { address: await refusingAddress() } }
  query = Object.entries(places)
    .map(([name, { address }]) => `${name}=${address}`)
    .join('&')
})
afterAll(async () => {
  for (const companion of others) await companion[Symbol.asyncDispose]()
})

const ask = async (address: string, { path, body }: Page, modifier1 = 0): Promise<string[]> => {
  const vars = getVars(`${path}?${query}`, { REQUEST_METHOD: body === undefined ? 'GET' : 'POST' })
  return linesOf(await uwsgiRequest(address, vars, Buffer.from(body ?? '', 'latin1'), modifier1))
}

describeWithPeers('asynchronous cores in Python, beside real uWSGI', ['uwsgi'], () => {
  let real: RealUwsgi
  let ours: Server

  beforeAll(async () => {
    const app = ['--wsgi-file', `${folder}/async.py`]
    real = await RealUwsgi.start('--plugin', 'python3,ugreen', '--ugreen', ...common, ...app)
    ours = await Server.start({ args: ['--socket', '127.0.0.1:0', ...common, ...app] })
  })
  afterAll(async () => {
    await real[Symbol.asyncDispose]()
    expect(await ours.stop()).toBe(0)
  })

  /** What a request that is never answered has left in the cache. */
  const askInVain = async (page: Page): Promise<string[]> => {
    const socket = await openUwsgi(real.address)
    socket.write(uwsgiPacket(getVars(`${page.path}?${query}`)))
    for (;;) {
      const kept = linesOf(await uwsgiRequest(real.address, getVars(`/kept?${page.path}`)))
      if (kept.join('') === '') continue
      socket.destroy()
      return kept
    }
  }

  it.each(pythonPages)('gives the same: $path', async (page) => {
    const theirs = page.isForgottenThere === true ? await askInVain(page) : await ask(real.address, page)
    expect(theirs.join('\n')).not.toBe('')
    expect(await ask(ours.uwsgi, page)).toEqual(expectedOf(page, theirs))
  })

  it.each(['real uWSGI', 'polywsgi'])('%s serves others while one waits', async (name) => {
    const address = name === 'polywsgi' ? ours.uwsgi : real.address
    const order: string[] = []
    const one = ask(address, { path: '/values' }).then(() => order.push('waited'))
    const other = ask(address, { path: '/ready-at-first' }).then(() => order.push('at once'))
    await Promise.all([one, other])
    expect(order).toEqual(['at once', 'waited'])
  })

  it.each([
    ['/idle', 'suspend: bool True'],
    ['/idle-green', 'green_schedule: bool True'],
  ])('a request that waits for nothing goes on here, and never there: %s', async (path, line) => {
    expect(differencesDoc).toContain('Differs from uWSGI: without anything registered it hangs there')
    expect(await ask(ours.uwsgi, { path })).toEqual([line])
    const socket = await openUwsgi(real.address)
    let answered = false
    void readToEnd(socket).then(
      () => (answered = true),
      () => {},
    )
    socket.write(uwsgiPacket(getVars(path)))
    // Others that came later, and that wait for a second, are answered.
    await ask(real.address, { path: '/values' })
    expect(answered).toBe(false)
    socket.destroy()
  })
})

describeWithPeers('asynchronous cores in Lua, beside real uWSGI', ['uwsgi'], () => {
  let real: RealUwsgi
  let ours: Server

  beforeAll(async () => {
    const app = ['--lua', `${folder}/async.lua`]
    real = await RealUwsgi.start('--plugin', 'lua51', ...common, ...app)
    ours = await Server.start({ args: ['--socket', '127.0.0.1:0', ...common, ...app] })
  })
  afterAll(async () => {
    await real[Symbol.asyncDispose]()
    expect(await ours.stop()).toBe(0)
  })

  it.each(luaPages)('gives the same: $path', async (page) => {
    const theirs = await ask(real.address, page, 6)
    expect(theirs.join('\n')).not.toBe('')
    expect(await ask(ours.uwsgi, page, 6)).toEqual(expectedOf(page, theirs))
  })
})
