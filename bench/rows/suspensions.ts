// What it costs to let the other cores go first: loops of waits inside a handler, in a worker of many cores of which one is
// busy, or sixteen.
import { asyncLanguages, asyncPeerNeeds, asyncPeerNotes, startAsyncPolywsgi, startAsyncUwsgi } from '../async-servers.ts'
import type { Row, RowContext, ValueReport } from '../row.ts'
import { type Language, languageNames, type Server, startNginx, urlOf } from '../servers.ts'
import { median } from '../statistics.ts'
import { figure, microseconds } from './api.ts'

const cores = 200
const warmUps = 5
const busyCores = 16

interface Wait {
  readonly label: string
  readonly count: number
  /** Requests at once. */
  readonly atOnce: number
  /** Names of the app's actions. */
  readonly ours: string
  readonly theirs: string
  /** To a server that waits for a request. */
  readonly connects?: true
}

const waits: readonly Wait[] = [
  { label: 'nothing registered', count: 20_000, atOnce: 1, ours: 'suspend', theirs: 'primed' },
  { label: `nothing registered, ${busyCores} cores at once`, count: 2000, atOnce: busyCores, ours: 'suspend', theirs: 'primed' },
  { label: "the client's connection, to write", count: 5000, atOnce: 1, ours: 'writable', theirs: 'writable' },
  { label: 'a connection of its own, to write', count: 2000, atOnce: 1, ours: 'writable', theirs: 'writable', connects: true },
]

/** Microseconds that a suspension and its resumption take in the interpreter alone, measured without a host around it. */
const interpreterAlone: Record<Language, number> = { python: 1.1, lua: 1.8, js: 1.2 }

export const suspensionRows: readonly Row[] = asyncLanguages.map((language) => {
  const name = `suspend-${language}`
  const title = `one wait of a core, ${languageNames[language]}`
  return {
    name,
    title,
    needs: ['nginx', ...asyncPeerNeeds],
    async run(context): Promise<ValueReport> {
      await using nginx = await startNginx([{ protocol: 'answer', answer: 'hello' }])
      const behind = `@127.0.0.1:${nginx.ports[0]}`
      const ours = context.settings.peersOnly
        ? new Map<Wait, number>()
        : await measure(await startAsyncPolywsgi(language, cores), language, 'ours', behind, context)
      const theirs = await measure(await startAsyncUwsgi('http10', cores), 'python', 'theirs', behind, context)
      const lines = waits.map((wait) => {
        const [own, other] = [ours.get(wait), theirs.get(wait)]
        const ratio = own === undefined || other === undefined ? '' : (other / own).toFixed(2)
        const host = own === undefined || wait.atOnce > 1 ? '' : (own / 1000 - interpreterAlone[language]).toFixed(2)
        return [wait.label, microseconds(own), host, microseconds(other), ratio]
      })
      return {
        kind: 'values',
        name,
        title,
        columns: ['registered', 'polywsgi (µs)', "of it the host's (µs)", 'uWSGI (µs)', 'ratio'],
        lines,
        verdicts: [],
        notes: [
          ...asyncPeerNotes(language),
          `Median of ${context.settings.rounds} requests, each a loop of waits timed inside the handler, one worker of ${cores} cores.`,
          `The host's part is what is above ${interpreterAlone[language]} µs, which the interpreter alone takes; cores that go on together share it.`,
          'uWSGI never resumes a request that has registered nothing, unless its body has begun: its handler is one of these.',
          'The ratio is uWSGI / polywsgi: above 1 polywsgi is the faster one.',
        ],
      }
    },
  }
})

async function measure(started: Server, language: Language, side: 'ours' | 'theirs', behind: string, context: RowContext) {
  await using server = started
  const figures = new Map<Wait, number>()
  for (const wait of waits) {
    const url = `${urlOf(server.httpPort, language)}?${wait[side]}=${wait.count}${wait.connects ? behind : ''}`
    /** Nanoseconds that pass for one wait of one of the cores. */
    const once = async (): Promise<number> => {
      const each = await Promise.all(Array.from({ length: wait.atOnce }, () => figure(url)))
      return median(each) / wait.atOnce
    }
    for (let round = 0; round < warmUps; round++) await once()
    const list: number[] = []
    for (let round = 0; round < context.settings.rounds; round++) list.push(await once())
    figures.set(wait, median(list))
  }
  context.progress([...figures].map(([{ label }, nanoseconds]) => `${label} ${microseconds(nanoseconds)} µs`).join(', '))
  return figures
}
