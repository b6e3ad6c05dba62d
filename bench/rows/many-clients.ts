// 200 keep-alive clients at once for 20 seconds: nobody may fail, and memory must not grow. A server that has just started
// grows with its first load, as its code is compiled and its heaps take their size: a first quarter warms it up.
import { judge, type Verdict } from '../bars.ts'
import { ask, servedClients } from '../client.ts'
import { peerLanguage, peerNotes } from '../comparison.ts'
import { memoryNow, toMb, watchMemory } from '../memory-watch.ts'
import type { Row, RowContext, ValueReport } from '../row.ts'
import { type Language, languageNames, type Server, startPolywsgi, startUwsgi, urlOf } from '../servers.ts'
import { runWrk } from '../wrk.ts'

const clients = 200
const usualSeconds = 20
const servedPatienceMs = 2000
const languages: readonly Language[] = ['python', 'lua', 'js']

export const manyClientsRows: readonly Row[] = languages.map((language) => {
  const name = `many-clients-${language}`
  const title = `${clients} keep-alive clients at once, hello, ${languageNames[language]}`
  const peer = peerLanguage(language)
  return {
    name,
    title,
    needs: ['wrk', 'uwsgi', 'uwsgi-http', `uwsgi-${peer}`],
    async run(context): Promise<ValueReport> {
      const seconds = context.settings.quick ? context.settings.seconds : usualSeconds
      const lines: string[][] = []
      const verdicts: Verdict[] = []
      if (!context.settings.peersOnly) {
        const server = await startPolywsgi('hello', [language])
        const { line, failed, grown } = await measure(server, 'polywsgi', language, seconds, context)
        lines.push(line)
        verdicts.push(judge('noErrors', name, failed), judge('steadyMemory', name, grown))
      }
      const server = await startUwsgi('hello', peer, 'http')
      lines.push((await measure(server, 'uWSGI --http --http-keepalive', language, seconds, context)).line)
      return {
        kind: 'values',
        name,
        title,
        columns: [
          'server',
          'requests/s',
          'p50 (ms)',
          'p99 (ms)',
          'served',
          'failed',
          'memory cold (MB)',
          'warm (MB)',
          'highest above warm (MB)',
        ],
        lines,
        verdicts,
        notes: [
          ...peerNotes(language),
          `One run of wrk -t1 -c${clients} -d${seconds}s. "failed" counts socket errors, bad statuses and clients never served.`,
        ],
      }
    },
  }
})

async function measure(started: Server, label: string, language: Language, seconds: number, context: RowContext) {
  await using server = started
  const url = urlOf(server.httpPort, language)
  const { status } = await ask(url)
  if (status !== 200) throw new Error(`${label} answers ${status}`)
  const firstBytes = memoryNow(server.child.pid)
  await runWrk({ url, connections: clients, seconds: Math.ceil(seconds / 4) })
  const startBytes = memoryNow(server.child.pid)
  const { result, peakBytes } = await watchMemory(server.child.pid, async () => {
    const served = await servedClients(url, clients, servedPatienceMs)
    return { served, run: await runWrk({ url, connections: clients, seconds }) }
  })
  const { served, run } = result
  const failed = run.socketErrors + run.badStatuses + (clients - served)
  const grown = toMb(peakBytes - startBytes)
  context.progress(
    `${label}: ${run.requestsPerSecond.toFixed(0)} requests/s, ${failed} failed, ${grown.toFixed(1)} MB above the warm server`,
  )
  const line = [
    label,
    run.requestsPerSecond.toFixed(0),
    (run.p50Us / 1000).toFixed(2),
    (run.p99Us / 1000).toFixed(2),
    `${served}/${clients}`,
    String(failed),
    toMb(firstBytes).toFixed(0),
    toMb(startBytes).toFixed(0),
    grown.toFixed(1),
  ]
  return { line, failed, grown }
}
