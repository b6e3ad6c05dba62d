// From the command to the first answer: the process is spawned and asked at once, again and again, until it answers.
// The app answers the language's name, since with several languages loaded one may answer in place of another.
import { type BarName, judge } from '../bars.ts'
import { firstAnswer } from '../client.ts'
import { peerLanguage } from '../comparison.ts'
import type { Row, RowContext, ValueReport } from '../row.ts'
import { type Language, languageNames, type Server, spawnPolywsgi, spawnUwsgi, type UwsgiLanguage, urlOf } from '../servers.ts'
import { median, range } from '../statistics.ts'

const patienceMs = 20_000
/** One start disturbs the next less than a load run does, and costs little: never fewer than this, save in a trial. */
const fewestRuns = 5

interface Candidate {
  readonly label: string
  /** Each of them has to answer. */
  readonly languages: readonly Language[]
  readonly bar?: BarName
  spawn(): Promise<Server>
}

function polywsgi(languages: readonly Language[], bar?: BarName): Candidate {
  const label = `polywsgi, ${languages.map((language) => languageNames[language]).join(' and ')}`
  return { label, languages, spawn: () => spawnPolywsgi('language', languages), ...(bar === undefined ? {} : { bar }) }
}

function uwsgi(language: UwsgiLanguage): Candidate {
  const label = `uWSGI, ${languageNames[language]}`
  return { label, languages: [language], spawn: () => spawnUwsgi('language', language, 'http11') }
}

export const startUpRows: readonly Row[] = [
  startUpRow('python', polywsgi(['python'], 'startPython'), uwsgi('python')),
  startUpRow('lua', polywsgi(['lua'], 'startLua'), uwsgi('lua')),
  startUpRow('js', polywsgi(['js'], 'startJs'), uwsgi(peerLanguage('js'))),
  startUpRow('all', polywsgi(['python', 'lua', 'js']), uwsgi('python')),
]

function startUpRow(suffix: string, ours: Candidate, peer: Candidate): Row {
  const name = `start-up-${suffix}`
  const title = `command to first answer, ${ours.languages.map((language) => languageNames[language]).join(' and ')}`
  return {
    name,
    title,
    needs: ['uwsgi', 'uwsgi-python', 'uwsgi-lua'],
    async run(context): Promise<ValueReport> {
      const candidates = context.settings.peersOnly ? [peer] : [ours, peer]
      const runs = context.settings.quick ? 1 : Math.max(fewestRuns, context.settings.rounds)
      const times = new Map<Candidate, number[]>(candidates.map((candidate) => [candidate, []]))
      for (let run = 0; run < runs; run++) {
        for (const [candidate, list] of times) list.push(await timeOf(candidate, context))
      }
      const lines = [...times].map(([{ label }, list]) => {
        const { min, max } = range(list)
        return [label, seconds(median(list)), seconds(min), seconds(max)]
      })
      const verdicts = [...times].flatMap(([{ bar }, list]) => (bar === undefined ? [] : [judge(bar, name, median(list) / 1000)]))
      const notes = [`Starts of each, in alternation: ${runs}. Two workers, files in the page cache.`]
      if (ours.languages.length > 1) notes.push('The time with several languages is until each of them has answered.')
      return { kind: 'values', name, title, columns: ['server', 'median', 'fastest', 'slowest'], lines, verdicts, notes }
    },
  }
}

async function timeOf(candidate: Candidate, context: RowContext): Promise<number> {
  const since = performance.now()
  await using server = await candidate.spawn()
  // One language after the other: what counts is when the last of them has answered.
  let elapsedMs = 0
  for (const language of candidate.languages) {
    elapsedMs = await firstAnswer(urlOf(server.httpPort, language), language, since, patienceMs, server.child)
  }
  context.progress(`${candidate.label}: ${seconds(elapsedMs)}`)
  return elapsedMs
}

function seconds(timeMs: number): string {
  return `${(timeMs / 1000).toFixed(3)} s`
}
