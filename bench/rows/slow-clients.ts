// Clients that send or read slowly wait in cores of their own: they must not slow down the others. Runs with and without them
// alternate on one server.
import { join } from 'node:path'
import { asyncLanguages, asyncPeerNeeds, asyncPeerNotes, startAsyncPolywsgi, startAsyncUwsgi } from '../async-servers.ts'
import { judge, type Verdict } from '../bars.ts'
import { ask } from '../client.ts'
import type { Settings } from '../command-line.ts'
import { type Companion, startCompanion } from '../companion.ts'
import { treeCpuSeconds } from '../proc-files.ts'
import type { Row, RowContext, ValueReport } from '../row.ts'
import { type Language, languageNames, type Server, urlOf } from '../servers.ts'
import type { FromSlow, ToSlow } from '../slow-client.ts'
import { median } from '../statistics.ts'
import { runWrk, type WrkRun } from '../wrk.ts'

const cores = 200
const fast = 100
const slowOfEach = 12
/** Runs of one server differ by more than the bar allows: their median needs some. */
const leastRounds = 5

const roundsOf = ({ quick, rounds }: Settings): number => (quick ? rounds : Math.max(rounds, leastRounds))

/** Processor time wavers by far less than throughput on a machine that does other things. */
type Run = WrkRun & { readonly cpuUs: number }

export const slowClientRows: readonly Row[] = asyncLanguages.map((language) => {
  const name = `slow-clients-${language}`
  const title = `${fast} clients beside ${2 * slowOfEach} slow ones, hello, one worker, ${languageNames[language]}`
  return {
    name,
    title,
    needs: ['wrk', 'uwsgi-http', ...asyncPeerNeeds],
    async run(context): Promise<ValueReport> {
      const lines: string[][] = []
      const verdicts: Verdict[] = []
      if (!context.settings.peersOnly) {
        const server = await startAsyncPolywsgi(language, cores)
        const { line, ratio, failed } = await measure(server, 'polywsgi', language, context)
        lines.push(line)
        verdicts.push(judge('slowClients', name, ratio), judge('noErrors', name, failed))
      }
      const label = 'uWSGI --http --http-keepalive, greenlet'
      lines.push((await measure(await startAsyncUwsgi('http', cores), label, 'python', context)).line)
      return {
        kind: 'values',
        name,
        title,
        columns: [
          'server',
          'requests/s alone',
          'beside slow ones',
          'ratio',
          'p99 alone (ms)',
          'beside (ms)',
          'CPU per request alone (µs)',
          'beside (µs)',
          'failed',
        ],
        lines,
        verdicts,
        notes: [
          ...asyncPeerNotes(language),
          `wrk -t1 -c${fast} -d${context.settings.seconds}s; medians of ${roundsOf(context.settings)} runs each way, in alternation.`,
          `Of the slow ones ${slowOfEach} send and ${slowOfEach} read 40 KB/s each. "failed" counts them too.`,
        ],
      }
    },
  }
})

async function measure(started: Server, label: string, language: Language, context: RowContext) {
  await using server = started
  const { seconds } = context.settings
  const rounds = roundsOf(context.settings)
  const url = urlOf(server.httpPort, language)
  const { status } = await ask(url)
  if (status !== 200) throw new Error(`${label} answers ${status}`)
  await runWrk({ url, connections: fast, seconds: 1 })
  const runs = { alone: [] as Run[], beside: [] as Run[] }
  const run = async (): Promise<Run> => {
    const before = treeCpuSeconds(server.child.pid)
    const done = await runWrk({ url, connections: fast, seconds })
    return { ...done, cpuUs: ((treeCpuSeconds(server.child.pid) - before) * 1e6) / done.requests }
  }
  let failed = 0
  const alone = async (): Promise<void> => void runs.alone.push(await run())
  const beside = async (): Promise<void> => {
    await using slow: Companion<ToSlow, FromSlow> = startCompanion(join(import.meta.dirname, '../slow-client.ts'))
    const begun = slow.next('begun')
    const { port, pathname } = { port: server.httpPort, pathname: new URL(url).pathname }
    const paths = { uploadPath: `${pathname}?upload`, downloadPath: `${pathname}?download` }
    slow.send({ kind: 'begin', plan: { port, ...paths, uploaders: slowOfEach, readers: slowOfEach } })
    await begun
    runs.beside.push(await run())
    const reported = slow.next('report')
    slow.send({ kind: 'report' })
    failed += (await reported).failed
  }
  for (let round = 0; round < rounds; round++) {
    for (const way of round % 2 === 0 ? [alone, beside] : [beside, alone]) await way()
  }
  failed += [...runs.alone, ...runs.beside].reduce((sum, { socketErrors, badStatuses }) => sum + socketErrors + badStatuses, 0)
  const middle = (field: 'requestsPerSecond' | 'p99Us' | 'cpuUs') => ({
    alone: median(runs.alone.map((each) => each[field])),
    beside: median(runs.beside.map((each) => each[field])),
  })
  const [rate, p99Us, cpuUs] = [middle('requestsPerSecond'), middle('p99Us'), middle('cpuUs')]
  const ratio = rate.beside / rate.alone
  context.progress(`${label}: ${rate.alone.toFixed(0)} requests/s alone, ${rate.beside.toFixed(0)} beside slow clients`)
  const line = [
    label,
    rate.alone.toFixed(0),
    rate.beside.toFixed(0),
    ratio.toFixed(2),
    (p99Us.alone / 1000).toFixed(2),
    (p99Us.beside / 1000).toFixed(2),
    cpuUs.alone.toFixed(1),
    cpuUs.beside.toFixed(1),
    String(failed),
  ]
  return { line, ratio, failed }
}
