// The same program with asynchronous cores behind real uWSGI (its own engine, ugreen) and behind polywsgi: what its calls give
// must be the same. Each line that differs is listed here with what docs/differences.md says about it.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Companion, companions, refusingAddress } from '../support/companions.ts'
import { describeWithPeers } from '../support/peers.ts'
import { RealUwsgi } from '../support/real-uwsgi.ts'
import { Server } from '../support/server.ts'
import { getVars, openUwsgi, readToEnd, uwsgiPacket, uwsgiRequest } from '../support/uwsgi-client.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const app = `${root}test/apps/oracle/async.py`
const differencesDoc = readFileSync(`${root}docs/differences.md`, 'utf8')
const common = ['--async', '10', '--cache2', 'name=default,items=100,blocksize=4096', '--wsgi-file', app]

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

const pages: readonly Page[] = [
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
  { path: '/closed', differences: [['send', 'raises OSError', 'Differs from uWSGI: all bytes are sent']] },
  { path: '/client' },
  { path: '/body', body: 'body \x00\xff bytes' },
  { path: '/body', body: 'x'.repeat(200_000) },
  { path: '/by-environ', differences: [['ready_fd()', 'fd', 'it tells the descriptor in every style of app.']] },
  { path: '/suspends-between' },
]

const linesOf = (answer: string): string[] => answer.slice(answer.indexOf('\r\n\r\n') + 4).split('\n')

describeWithPeers('asynchronous cores in Python, beside real uWSGI', ['uwsgi'], () => {
  const others: Companion[] = []
  let query: string
  let real: RealUwsgi
  let ours: Server

  beforeAll(async () => {
    const { echo, silent, closing } = companions
    others.push(await echo(), await echo(), await silent(), await closing())
    const [one, other, mute, brief] = others as [Companion, Companion, Companion, Companion]
    query = Object.entries({
      echo: one.address,
      other: other.address,
      silent: mute.address,
      closing: brief.address,
      refusing: await refusingAddress(),
    })
      .map(([name, address]) => `${name}=${address}`)
      .join('&')
    real = await RealUwsgi.start('--plugin', 'python3,ugreen', '--ugreen', ...common)
    ours = await Server.start({ args: ['--socket', '127.0.0.1:0', ...common] })
  })
  afterAll(async () => {
    await real[Symbol.asyncDispose]()
    expect(await ours.stop()).toBe(0)
    for (const companion of others) await companion[Symbol.asyncDispose]()
  })

  const ask = async (address: string, { path, body }: Page): Promise<string[]> => {
    const vars = getVars(`${path}?${query}`, { REQUEST_METHOD: body === undefined ? 'GET' : 'POST' })
    return linesOf(await uwsgiRequest(address, vars, Buffer.from(body ?? '', 'latin1')))
  }

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

  it.each(pages)('gives the same: $path', async (page) => {
    const theirs = page.isForgottenThere === true ? await askInVain(page) : await ask(real.address, page)
    const here = await ask(ours.uwsgi, page)
    expect(here.join('\n')).not.toBe('')
    const expected = theirs.map((line) => {
      const difference = page.differences?.find(([label]) => line.startsWith(`${label}`))
      if (difference === undefined) return line
      const [label, value, doc] = difference
      expect(differencesDoc).toContain(doc)
      const separator = line.startsWith(`${label}:`) ? ': ' : ' '
      expect(`${label}${separator}${value}`, 'it is listed as a difference and is none').not.toBe(line)
      return `${label}${separator}${value}`
    })
    expect(here).toEqual(expected)
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
