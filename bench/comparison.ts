// The two forms of comparison that most rows have: the same app behind HTTP, and the same app behind nginx. Each function
// makes a row out of an app, a language and a plan.
import type { BarName } from './bars.ts'
import { describeClient, judgeLoad, measureLoad, type Plan, type Target } from './load.ts'
import type { ProgramName } from './programs.ts'
import type { LoadLine, LoadReport, Row, RowContext } from './row.ts'
import {
  type Language,
  languageNames,
  modifier1Of,
  startNginx,
  startPolywsgi,
  startUwsgi,
  type UwsgiLanguage,
  urlOf,
} from './servers.ts'

export interface Comparison {
  /** Name of the row without the language: `hello-http`. */
  readonly name: string
  readonly title: string
  /** File of bench/apps, without extension. */
  readonly app: string
  readonly language: Language
  readonly plan: Plan
  readonly bar?: BarName
}

/** Debian's uWSGI has no JavaScript plugin: JavaScript is held against its Python. */
export function peerLanguage(language: Language): UwsgiLanguage {
  return language === 'js' ? 'python' : language
}

/** The note that belongs into every row of a language that is compared with another one. */
export function peerNotes(language: Language): string[] {
  return language === 'js' ? ["Debian's uWSGI has no JavaScript plugin: its side is the same work in Python."] : []
}

/**
 * Straight over HTTP. Real uWSGI is measured both ways in which it keeps connections open, --http11-socket (the workers speak
 * HTTP) and --http (a router process in front of them).
 */
export function httpRow(comparison: Comparison): Row {
  return row(comparison, ['uwsgi-http'], async (context) => {
    const { app, language } = comparison
    await using servers = new AsyncDisposableStack()
    const targets: Target[] = []
    if (!context.settings.peersOnly) {
      const { httpPort, child } = servers.use(await startPolywsgi(app, [language]))
      targets.push({ label: 'polywsgi', side: 'polywsgi', url: urlOf(httpPort, language), server: child })
    }
    for (const front of ['http11', 'http'] as const) {
      const { httpPort, child } = servers.use(await startUwsgi(app, peerLanguage(language), front))
      const option = front === 'http11' ? '--http11-socket' : '--http --http-keepalive'
      targets.push({ label: `uWSGI ${option}`, side: 'peer', url: urlOf(httpPort, language), server: child })
    }
    return await measureLoad(targets, comparison.plan, context)
  })
}

/** Behind nginx: real uWSGI over uwsgi_pass, polywsgi over uwsgi_pass or over a keep-alive HTTP upstream. */
export function nginxRow(comparison: Comparison, protocol: 'uwsgi' | 'http'): Row {
  return row(comparison, ['nginx'], async (context) => {
    const { app, language } = comparison
    await using servers = new AsyncDisposableStack()
    const sites = []
    if (!context.settings.peersOnly) {
      const { httpPort, uwsgiPort, child } = servers.use(await startPolywsgi(app, [language]))
      const upstreamPort = protocol === 'http' ? httpPort : uwsgiPort
      const way = protocol === 'http' ? 'proxy_pass, keep-alive' : 'uwsgi_pass'
      sites.push({
        label: `nginx ${way} → polywsgi`,
        side: 'polywsgi',
        protocol,
        upstreamPort,
        modifier1: modifier1Of[language],
        server: child,
      } as const)
    }
    const peer = peerLanguage(language)
    const { uwsgiPort, child } = servers.use(await startUwsgi(app, peer, 'uwsgi'))
    const peerSite = { label: 'nginx uwsgi_pass → uWSGI', side: 'peer', protocol: 'uwsgi' } as const
    sites.push({ ...peerSite, upstreamPort: uwsgiPort, modifier1: modifier1Of[peer], server: child })
    const nginx = servers.use(await startNginx(sites))
    const targets = sites.map(({ label, side, server }, i) => ({ label, side, server, url: urlOf(nginx.ports[i]!, language) }))
    return await measureLoad(targets, comparison.plan, context)
  })
}

function row(comparison: Comparison, needs: readonly ProgramName[], measure: (context: RowContext) => Promise<LoadLine[]>): Row {
  const { language, plan } = comparison
  const name = `${comparison.name}-${language}`
  const title = `${comparison.title}, ${languageNames[language]}`
  return {
    name,
    title,
    needs: ['wrk', 'uwsgi', `uwsgi-${peerLanguage(language)}`, ...needs],
    async run(context): Promise<LoadReport> {
      const lines = await measure(context)
      const { seconds, rounds } = context.settings
      const client = describeClient(plan, seconds, rounds)
      const verdicts = judgeLoad(lines, name, comparison.bar)
      return { kind: 'load', name, title, client, lines, verdicts, notes: notesOn(language, lines) }
    },
  }
}

/** What a reader has to know to read the figures rightly. */
export function notesOn(language: Language, lines: readonly LoadLine[]): string[] {
  const notes = peerNotes(language)
  for (const line of lines.filter((each) => !each.keepsAlive)) notes.push(`${line.target} does not keep connections open.`)
  const peers = lines.filter((line) => line.side === 'peer')
  for (const line of peers.filter((each) => each.served < each.clients)) {
    notes.push(
      `${line.target} answers ${line.served} of ${line.clients} clients and leaves the others waiting: its workers keep to one connection.`,
    )
  }
  return notes
}
