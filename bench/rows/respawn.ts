// From the death of the only worker to the next answer, with and without a spare one kept ready. Here a plugin ends the thread from
// inside, in uWSGI a request kills its own process: both servers see a worker that is gone in the middle of a request.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodePacket } from '../../protocol/packet.ts'
import { encodeVars } from '../../protocol/vars.ts'
import { type BarName, judge } from '../bars.ts'
import { ask, firstAnswer } from '../client.ts'
import { peerLanguage, peerNotes } from '../comparison.ts'
import type { Row, RowContext, ValueReport } from '../row.ts'
import { type Language, languageNames, type Server, startPolywsgi, startUwsgi, urlOf } from '../servers.ts'
import { median, range } from '../statistics.ts'

const languages: readonly Language[] = ['python', 'lua', 'js']
const patienceMs = 20_000
/** One death disturbs the next less than a load run does, and costs little. */
const fewestDeaths = 7
const fatalModifier1 = 250

const fatalPlugin = `export default {
  name: 'fatal',
  modifier1: ${fatalModifier1},
  request: () => process.exit(1),
}
`

interface Candidate {
  readonly label: string
  readonly bar?: BarName
  start(): Promise<Server>
  /** Resolves when the request that ends the worker has had its end. */
  kill(server: Server): Promise<unknown>
}

export const respawnRows: readonly Row[] = languages.map((language) => {
  const name = `respawn-${language}`
  const title = `death of the only worker to the next answer, ${languageNames[language]}`
  return {
    name,
    title,
    needs: ['uwsgi', `uwsgi-${peerLanguage(language)}`],
    async run(context): Promise<ValueReport> {
      const directory = mkdtempSync(join(tmpdir(), 'polywsgi-bench-respawn-'))
      try {
        const plugin = join(directory, 'fatal_plugin.mjs')
        writeFileSync(plugin, fatalPlugin)
        const lines: string[][] = []
        const verdicts = []
        for (const candidate of candidatesOf(language, plugin, context.settings.peersOnly)) {
          const times = await timesOf(candidate, language, context)
          const { min, max } = range(times)
          lines.push([candidate.label, seconds(median(times)), seconds(min), seconds(max)])
          if (candidate.bar !== undefined) verdicts.push(judge(candidate.bar, name, median(times) / 1000))
        }
        const notes = [...peerNotes(language), 'Each death in a server that has recovered from the one before.']
        return { kind: 'values', name, title, columns: ['server', 'median', 'fastest', 'slowest'], lines, verdicts, notes }
      } finally {
        rmSync(directory, { recursive: true })
      }
    },
  }
})

function candidatesOf(language: Language, plugin: string, peersOnly: boolean): Candidate[] {
  const ours = (label: string, options: readonly string[], bar: BarName): Candidate => ({
    label,
    bar,
    start: () => startPolywsgi('language', [language], 1, ['--plugin', plugin, ...options]),
    kill: ({ uwsgiPort }) => sendFatal(uwsgiPort),
  })
  const peer: Candidate = {
    label: `uWSGI, ${languageNames[peerLanguage(language)]}`,
    start: () => startUwsgi('mortal', peerLanguage(language), 'http10', 1),
    kill: ({ httpPort }) => ask(`http://127.0.0.1:${httpPort}/die`).catch(() => undefined),
  }
  if (peersOnly) return [peer]
  return [ours('polywsgi, --spare 1', ['--spare', '1'], 'respawnSpare'), ours('polywsgi', [], 'respawn'), peer]
}

async function timesOf(candidate: Candidate, language: Language, { settings, progress }: RowContext): Promise<number[]> {
  await using server = await candidate.start()
  const url = urlOf(server.httpPort, language)
  const expected = candidate.label.startsWith('uWSGI') ? peerLanguage(language) : language
  const times: number[] = []
  const deaths = settings.quick ? 1 : Math.max(fewestDeaths, settings.rounds)
  for (let death = 0; death < deaths; death++) {
    await firstAnswer(url, expected, performance.now(), patienceMs, server.child)
    // The spare one is being made ready again: it is not what is measured.
    await new Promise((resolve) => setTimeout(resolve, settleMs))
    await candidate.kill(server)
    times.push(await firstAnswer(url, expected, performance.now(), patienceMs, server.child))
    progress(`${candidate.label}: ${seconds(times.at(-1) as number)}`)
  }
  return times
}

const settleMs = 3000

/** A packet for the plugin that ends its thread; resolves when the server has answered, or hung up. */
async function sendFatal(port: number): Promise<void> {
  const ended = Promise.withResolvers<void>()
  const vars = encodeVars([
    ['REQUEST_METHOD', 'GET'],
    ['REQUEST_URI', '/'],
    ['PATH_INFO', '/'],
    ['SCRIPT_NAME', ''],
    ['QUERY_STRING', ''],
    ['SERVER_PROTOCOL', 'HTTP/1.1'],
  ])
  const socket = connect(port, '127.0.0.1', () => socket.write(encodePacket(fatalModifier1, 0, vars)))
  socket
    .on('error', () => {})
    .on('close', () => ended.resolve())
    .resume()
  await ended.promise
}

function seconds(timeMs: number): string {
  return `${(timeMs / 1000).toFixed(3)} s`
}
