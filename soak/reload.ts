// The part of reloads under load: wrk asks without a pause, directly and through nginx over both protocols, while the server
// loads its apps anew again and again. No request may fail.
import { fileURLToPath } from 'node:url'
import { runToEnd } from '../bench/processes.ts'
import { parseWrk, type WrkRun } from '../bench/wrk.ts'
import { Nginx } from '../test/support/nginx.ts'
import { Server } from '../test/support/server.ts'
import { type Outcome, type Part, type Plan, Violations } from './part.ts'

const apps = fileURLToPath(new URL('apps', import.meta.url))
const script = fileURLToPath(new URL('apps/three-languages.lua', import.meta.url))
const connections = 16

const load = async (url: string, seconds: number): Promise<WrkRun> =>
  parseWrk(
    await runToEnd('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '60s', '--latency', '-s', script, url]),
  )

const run = async (plan: Plan): Promise<Outcome> => {
  const seconds = plan.seconds ?? 30
  const count = plan.count ?? 10
  const violations = new Violations()
  const facts: [string, string | number][] = []
  await using server = await Server.start({
    cwd: apps,
    args: [
      ...['--http-socket', '127.0.0.1:0', '--socket', '127.0.0.1:0', '--workers', '2', '--disable-logging', '--need-app'],
      ...['--mount', '/=answer.lua', '--mount', '/js=answer.mjs', '--mount', '/py=answer.py'],
    ],
  })
  let reloads = 0
  const measure = async (way: string, url: string): Promise<void> => {
    const before = reloads
    let isOver = false
    const loading = load(url, seconds).finally(() => {
      isOver = true
    })
    while (!isOver && reloads - before < count) {
      server.kill('SIGHUP')
      reloads += 1
      await Promise.race([server.logged('reload complete', reloads), loading])
    }
    const { requests, socketErrors, badStatuses, p99Us } = await loading
    // The last one may have outlived the load.
    await server.logged('reload complete', reloads)
    facts.push([
      way,
      `${requests} requests, ${reloads - before} reloads, ${socketErrors + badStatuses} failed, p99 ${Math.round(p99Us / 1000)} ms`,
    ])
    if (socketErrors + badStatuses > 0) violations.add(`requests failed ${way}`, `${socketErrors} broken, ${badStatuses} refused`)
    if (reloads - before < count) violations.add(`there was time for ${reloads - before} of ${count} reloads ${way}`)
    plan.say(`${way}: done`)
  }
  await measure('HTTP with keep-alive', server.http)
  {
    await using nginx = await Nginx.start(`location / { UWSGI_PARAMS uwsgi_pass ${server.uwsgi}; }`)
    await measure('through nginx over uwsgi', nginx.url)
  }
  {
    await using nginx = await Nginx.start(`location / { proxy_pass ${server.http}; }`)
    await measure('through nginx over HTTP', nginx.url)
  }
  if (server.log.includes('reload failed')) violations.add('a reload failed', server.log.slice(-500))
  return { facts, violations: violations.list() }
}

export const reload: Part = {
  name: 'reload',
  purpose: 'reloads under load, directly and through nginx over both protocols: no request fails',
  run,
}
