// A handler that connects to a server behind without holding up the others, asks it, and answers what it has said: requests
// per second at one worker.
import { asyncLanguages, asyncPeerNeeds, asyncPeerNotes, startAsyncPolywsgi, startAsyncUwsgi } from '../async-servers.ts'
import { notesOn } from '../comparison.ts'
import { describeClient, judgeLoad, measureLoad, type Plan, type Target } from '../load.ts'
import type { LoadReport, Row } from '../row.ts'
import { languageNames, startNginx, urlOf } from '../servers.ts'
import { defaultConnections } from '../wrk.ts'

const cores = 200
const answer = '0123456789abcdef'.repeat(64)
const plan: Plan = { connections: defaultConnections, answer }
const fronts = [
  ['http10', 'uWSGI --http-socket, greenlet'],
  ['http', 'uWSGI --http --http-keepalive, greenlet'],
] as const

export const proxyRows: readonly Row[] = asyncLanguages.map((language) => {
  const name = `proxy-${language}`
  const title = `1 KB fetched from another server by each request, one worker, ${languageNames[language]}`
  return {
    name,
    title,
    needs: ['wrk', 'nginx', 'uwsgi-http', ...asyncPeerNeeds],
    async run(context): Promise<LoadReport> {
      await using servers = new AsyncDisposableStack()
      const nginx = servers.use(await startNginx([{ protocol: 'answer', answer }]))
      const query = `?proxy=127.0.0.1:${nginx.ports[0]}`
      const targets: Target[] = []
      if (!context.settings.peersOnly) {
        const { httpPort, child } = servers.use(await startAsyncPolywsgi(language, cores))
        targets.push({ label: 'polywsgi', side: 'polywsgi', url: urlOf(httpPort, language) + query, server: child })
      }
      for (const [front, label] of fronts) {
        const { httpPort, child } = servers.use(await startAsyncUwsgi(front, cores))
        targets.push({ label, side: 'peer', url: urlOf(httpPort, 'python') + query, server: child })
      }
      const lines = await measureLoad(targets, plan, context)
      const client = describeClient(plan, context.settings.seconds, context.settings.rounds)
      const notes = [...asyncPeerNotes(language), ...notesOn('python', lines), 'The server behind is one process of nginx.']
      return { kind: 'load', name, title, client, lines, verdicts: judgeLoad(lines, name), notes }
    },
  }
})
