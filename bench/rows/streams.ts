// 200 MB in one request, up and down: memory must not follow the size of a body, in either direction, not even when the
// client of a download stops reading for a while.
import { judge, type Verdict } from '../bars.ts'
import { download, type Transfer, upload } from '../client.ts'
import { peerLanguage, peerNotes } from '../comparison.ts'
import { memoryNow, toMb, watchMemory } from '../memory-watch.ts'
import type { Row, RowContext, ValueReport } from '../row.ts'
import { type Language, languageNames, type Server, startPolywsgi, startUwsgi, urlOf } from '../servers.ts'
import { median } from '../statistics.ts'

const streamBytes = 200 * 2 ** 20
const smallBytes = 65536
const stallMs = 2000
const languages: readonly Language[] = ['python', 'lua', 'js']

interface Direction {
  readonly name: string
  readonly title: string
  readonly app: string
  /** One small request first: what an interpreter sets up on its first request is not growth by the body. */
  prepare(url: string): Promise<unknown>
  readonly actions: readonly { readonly label: string; readonly once: boolean; transfer(url: string): Promise<Transfer> }[]
}

const up: Direction = {
  name: 'stream-up',
  title: 'upload of 200 MB, read in pieces of 64 KB',
  app: 'stream-up',
  prepare: (url) => upload(url, smallBytes),
  actions: [{ label: 'full speed', once: false, transfer: (url) => upload(url, streamBytes) }],
}

const down: Direction = {
  name: 'stream-down',
  title: 'download of 200 MB, sent in pieces of 64 KB',
  app: 'stream-down',
  prepare: (url) => download(`${url}?small`),
  actions: [
    { label: 'client stalls for 2 s', once: true, transfer: (url) => download(url, stallMs) },
    { label: 'full speed', once: false, transfer: (url) => download(url) },
  ],
}

export const streamRows: readonly Row[] = [up, down].flatMap((direction) =>
  languages.map((language) => streamRow(direction, language)),
)

function streamRow(direction: Direction, language: Language): Row {
  const name = `${direction.name}-${language}`
  const title = `${direction.title}, ${languageNames[language]}`
  const peer = peerLanguage(language)
  return {
    name,
    title,
    needs: ['uwsgi', `uwsgi-${peer}`],
    async run(context): Promise<ValueReport> {
      const lines: string[][] = []
      const verdicts: Verdict[] = []
      if (!context.settings.peersOnly) {
        const server = await startPolywsgi(direction.app, [language])
        for (const { line, grown, action } of await measure(server, 'polywsgi', direction, language, context)) {
          lines.push(line)
          verdicts.push(judge('memoryGrowth', `${name}, ${action}`, grown))
        }
      }
      const server = await startUwsgi(direction.app, peer, 'http11')
      for (const { line } of await measure(server, 'uWSGI --http11-socket', direction, language, context)) lines.push(line)
      const columns = ['server', 'client', 'MB/s', 'memory before (MB)', 'highest above it (MB)']
      const count = `Median MB/s; bodies one after another on one server: ${context.settings.rounds}. Memory is the highest during all of them.`
      return { kind: 'values', name, title, columns, lines, verdicts, notes: [...peerNotes(language), count] }
    },
  }
}

async function measure(started: Server, label: string, direction: Direction, language: Language, context: RowContext) {
  await using server = started
  const url = urlOf(server.httpPort, language)
  await direction.prepare(url)
  const startBytes = memoryNow(server.child.pid)
  const measured = []
  for (const { label: action, once, transfer } of direction.actions) {
    const rounds = once ? 1 : context.settings.rounds
    const { result: rates, peakBytes } = await watchMemory(server.child.pid, async () => {
      const list: number[] = []
      for (let round = 0; round < rounds; round++) list.push(rateOf(await transfer(url)))
      return list
    })
    const grown = toMb(peakBytes - startBytes)
    // A stalled transfer has no speed worth telling.
    const rate = once ? '' : median(rates).toFixed(0)
    measured.push({ line: [label, action, rate, toMb(startBytes).toFixed(0), grown.toFixed(1)], grown, action })
    context.progress(`${label}, ${action}: ${median(rates).toFixed(0)} MB/s, ${grown.toFixed(1)} MB above the start`)
  }
  return measured
}

function rateOf({ bytes, seconds }: Transfer): number {
  if (bytes !== streamBytes) throw new Error(`${bytes} bytes came instead of ${streamBytes}`)
  return toMb(bytes) / seconds
}
