// What one call of the uwsgi module costs, timed by a loop inside a handler: in each language, beside real uWSGI's Python and
// Lua plugins.
import { type BarName, judge, type Verdict } from '../bars.ts'
import { ask } from '../client.ts'
import { peerLanguage, peerNotes } from '../comparison.ts'
import type { Row, RowContext, ValueReport } from '../row.ts'
import { type Language, languageNames, type Server, startPolywsgi, startUwsgi, urlOf } from '../servers.ts'
import { median } from '../statistics.ts'

/** Requests before those that count. */
const warmUps = 10

const languages: readonly Language[] = ['python', 'lua', 'js']

interface Call {
  readonly name: string
  readonly label: string
  /** How often in one request. */
  readonly count: number
  /** Peers whose plugin has it. */
  readonly peers: readonly ('python' | 'lua')[]
}

const calls: readonly Call[] = [
  { name: 'cache_get', label: 'cache_get of 100 bytes', count: 20_000, peers: ['python', 'lua'] },
  { name: 'cache_set', label: 'cache_update of 100 bytes', count: 20_000, peers: ['python', 'lua'] },
  { name: 'lock', label: 'lock and unlock', count: 20_000, peers: ['python', 'lua'] },
  { name: 'call_python', label: 'call of a Python function', count: 10_000, peers: ['python'] },
  { name: 'call_lua', label: 'call of a Lua function', count: 10_000, peers: [] },
  { name: 'call_js', label: 'call of a JavaScript function', count: 10_000, peers: [] },
  { name: 'remote', label: 'rpc to a real uWSGI', count: 200, peers: ['python'] },
]

/** Bars on ratios to real uWSGI, by language and call. */
const ratioBars: Readonly<Record<string, BarName>> = { 'lua cache_get': 'cacheGetLua', 'python cache_get': 'cacheGetPython' }

export const apiRows: readonly Row[] = languages.map(apiRow)

function apiRow(language: Language): Row {
  const name = `api-${language}`
  const title = `calls of the uwsgi module, ${languageNames[language]}`
  const peer = peerLanguage(language)
  return {
    name,
    title,
    needs: ['uwsgi', `uwsgi-${peer}`],
    async run(context): Promise<ValueReport> {
      // The node that `rpc` asks is the same for both sides.
      await using node = await startUwsgi('api-node', 'python', 'uwsgi', 1, ['--plugins', 'rpc'])
      const remote = `127.0.0.1:${node.uwsgiPort}`
      const ours = context.settings.peersOnly
        ? new Map<string, number>()
        : await measure(await startOurs(remote), language, calls, context)
      const peerCalls = calls.filter(({ peers }) => peers.includes(peer))
      const theirs = await measure(await startTheirs(peer, remote), peer, peerCalls, context)
      const verdicts: Verdict[] = []
      const lines = calls.map(({ name: call, label }) => {
        const own = ours.get(call)
        const other = theirs.get(call)
        const ratio = own === undefined || other === undefined ? undefined : other / own
        const bar = ratioBars[`${language} ${call}`]
        if (bar !== undefined && ratio !== undefined) verdicts.push(judge(bar, `${name}, ${call}`, ratio))
        if (own !== undefined && call.startsWith('call_')) verdicts.push(judge('callAcross', `${name}, ${call}`, own / 1000))
        return [label, microseconds(own), microseconds(other), ratio === undefined ? '' : ratio.toFixed(2)]
      })
      const notes = [
        ...peerNotes(language),
        `Median of ${context.settings.rounds} requests, each a loop of calls timed inside the handler, one worker.`,
        'The ratio is uWSGI / polywsgi: above 1 polywsgi is the faster one.',
      ]
      const columns = ['call', 'polywsgi (µs)', 'uWSGI (µs)', 'ratio']
      return { kind: 'values', name, title, columns, lines, verdicts, notes }
    },
  }
}

const cacheOptions = ['--cache2', 'name=default,items=1000,blocksize=1024']

const startOurs = (remote: string): Promise<Server> =>
  startPolywsgi('api', languages, 1, [...cacheOptions, '--set', `remote=${remote}`])

const startTheirs = (peer: 'python' | 'lua', remote: string): Promise<Server> =>
  startUwsgi('api', peer, 'http11', 1, [...cacheOptions, '--set', `remote=${remote}`])

async function measure(
  started: Server,
  language: Language,
  asked: readonly Call[],
  context: RowContext,
): Promise<Map<string, number>> {
  await using server = started
  const figures = new Map<string, number>()
  for (const { name, count } of asked) {
    const url = `${urlOf(server.httpPort, language)}?${name}=${count}`
    // V8 compiles an interpreter's code anew when it has run for a while: that is not what one call costs.
    for (let round = 0; round < warmUps; round++) await figure(url)
    const list: number[] = []
    for (let round = 0; round < context.settings.rounds; round++) list.push(await figure(url))
    figures.set(name, median(list))
  }
  context.progress([...figures].map(([call, nanoseconds]) => `${call} ${microseconds(nanoseconds)} µs`).join(', '))
  return figures
}

export async function figure(url: string): Promise<number> {
  const { status, body } = await ask(url)
  const nanoseconds = Number(body)
  if (status !== 200 || !Number.isFinite(nanoseconds)) throw new Error(`${url} answers ${status} ${body}`)
  return nanoseconds
}

export const microseconds = (nanoseconds: number | undefined): string =>
  nanoseconds === undefined ? '' : (nanoseconds / 1000).toFixed(nanoseconds < 10_000 ? 2 : 0)
