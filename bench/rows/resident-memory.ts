// Resident memory before any request and after a load, with one worker and with three: what a server costs, and what each
// further worker adds. The proportional set size counts a page that forked workers share once.

import { ask } from '../client.ts'
import { peerLanguage, peerNotes } from '../comparison.ts'
import { settledMemory, toMb } from '../memory-watch.ts'
import type { Memory } from '../proc-files.ts'
import type { Row, RowContext, ValueReport } from '../row.ts'
import { type Language, languageNames, type Server, startPolywsgi, startUwsgi, urlOf } from '../servers.ts'
import { defaultConnections, runWrk } from '../wrk.ts'

const fewWorkers = 1
const manyWorkers = 3

const languages: readonly Language[] = ['python', 'lua', 'js']
const columns = [
  'server',
  '1 worker',
  '1 worker, after load',
  '3 workers',
  '3 workers, after load',
  'per worker',
  'per worker, after load',
]

interface Candidate {
  readonly label: string
  readonly language: Language
  start(workers: number): Promise<Server>
}

export const residentMemoryRows: readonly Row[] = languages.map((language) => {
  const peer = peerLanguage(language)
  const candidates: Record<'polywsgi' | 'peer', Candidate> = {
    polywsgi: { label: 'polywsgi', language, start: (workers) => startPolywsgi('hello', [language], workers) },
    peer: { label: 'uWSGI --http', language, start: (workers) => startUwsgi('hello', peer, 'http', workers) },
  }
  const name = `resident-memory-${language}`
  const title = `resident memory of the whole server, ${languageNames[language]}`
  return {
    name,
    title,
    needs: ['wrk', 'uwsgi', 'uwsgi-http', `uwsgi-${peer}`],
    async run(context): Promise<ValueReport> {
      const lines: string[][] = []
      for (const candidate of context.settings.peersOnly ? [candidates.peer] : [candidates.polywsgi, candidates.peer]) {
        lines.push(await measure(candidate, context))
      }
      const notes = [
        ...peerNotes(language),
        'MB as PSS (RSS), summed over all processes: polywsgi is one process; uWSGI is a master, its workers and the --http router.',
        `Load: hello, wrk -t1 -c${defaultConnections} for ${context.settings.seconds} s.`,
      ]
      return { kind: 'values', name, title, columns, lines, verdicts: [], notes }
    },
  }
})

async function measure(candidate: Candidate, context: RowContext): Promise<string[]> {
  const few = await memoryOf(candidate, fewWorkers, context)
  const many = await memoryOf(candidate, manyWorkers, context)
  const slope = (at: 'idle' | 'loaded') => (many[at].pssBytes - few[at].pssBytes) / (manyWorkers - fewWorkers)
  context.progress(
    `${candidate.label}: ${mb(few.idle.pssBytes)} MB with one worker, ${mb(slope('idle'))} MB for each further one`,
  )
  const totals = [few.idle, few.loaded, many.idle, many.loaded].map(both)
  return [candidate.label, ...totals, mb(slope('idle')), mb(slope('loaded'))]
}

async function memoryOf(candidate: Candidate, workers: number, context: RowContext): Promise<{ idle: Memory; loaded: Memory }> {
  await using server = await candidate.start(workers)
  const idle = await settledMemory(server.child.pid)
  const url = urlOf(server.httpPort, candidate.language)
  const { status } = await ask(url)
  if (status !== 200) throw new Error(`${candidate.label} answers ${status}`)
  await runWrk({ url, connections: defaultConnections, seconds: context.settings.seconds })
  return { idle, loaded: await settledMemory(server.child.pid) }
}

function both({ pssBytes, rssBytes }: Memory): string {
  return `${mb(pssBytes)} (${mb(rssBytes)})`
}

function mb(bytes: number): string {
  const text = toMb(bytes).toFixed(1)
  return text === '-0.0' ? '0.0' : text
}
