// The part in which workers are killed: each second a handler makes its interpreter die, in Python by os.abort, in Lua and
// JavaScript by a loop that overruns its deadline. Every request is answered, and what the server counts is what the clients do.
import { setTimeout as delay } from 'node:timers/promises'
import { type Language, languages, start } from '../test/support/faults-server.ts'
import { Client } from './client.ts'
import { type Outcome, type Part, type Plan, Violations } from './part.ts'
import { factsOf, mebibytes, settledFacts } from './process-facts.ts'
import { Random } from './random.ts'

const workers = 4
const clients = 8
const killEveryMs = 1000
/** Answers that say what has happened: done, died, tried again later, overran. */
const clean = new Set<number | string>([200, 500, 503, 504])

const killers: Readonly<Record<Language, string>> = {
  python: 'import os\nos.abort()',
  lua: 'uwsgi.set_user_harakiri(1) while true do end',
  js: 'uwsgi.set_user_harakiri(1); for (;;);',
}
const works: Readonly<Record<Language, string>> = {
  python: "uwsgi.cache_inc('n')\nreturn 'x' * 1000",
  lua: "uwsgi.cache_inc('n') return ('x'):rep(1000)",
  js: "uwsgi.cache_inc('n'); return 'x'.repeat(1000)",
}

const run = async (plan: Plan): Promise<Outcome> => {
  const seconds = plan.seconds ?? 60
  const random = new Random(plan.seed)
  const violations = new Violations()
  const grace = plan.harakiriGrace === undefined ? [] : ['--harakiri-grace', String(plan.harakiriGrace)]
  await using server = await start(
    {},
    '--workers',
    String(workers),
    '--listen',
    '1000',
    '--disable-logging',
    '--enable-metrics',
    ...grace,
  )
  using client = new Client(server.http, clients + 4)
  const before = factsOf(server.pid)
  const until = performance.now() + seconds * 1000
  let killed = 0
  const killing = (async () => {
    const asked: Promise<unknown>[] = []
    while (performance.now() < until) {
      await delay(killEveryMs)
      const language = random.of(languages)
      killed += 1
      asked.push(
        client.ask({ path: `/${language}`, body: killers[language] }).then(({ status }) => {
          if (status === 200) violations.add(`a handler in ${language} that dies was answered 200`)
        }),
      )
    }
    await Promise.all(asked)
  })()
  const work = Array.from({ length: clients }, async () => {
    while (performance.now() < until) {
      const language = random.of(languages)
      const { status, text } = await client.ask({ path: `/${language}`, body: works[language] })
      if (!clean.has(status)) violations.add(`an answer was ${status}`, text)
    }
  })
  await Promise.all([killing, ...work])
  const end = await settledFacts(server.pid, before, 15)
  // The master reads the counters of workers into metrics once a second.
  await delay(3000)
  const { answered } = client
  const { text } = await client.ask({
    path: '/lua',
    body: "return uwsgi.metric_get('worker.0.requests') .. ' ' .. uwsgi.metric_get('worker.0.failed_requests') .. ' ' .. uwsgi.metric_get('worker.0.respawns') .. ' ' .. uwsgi.metric_get('core.overloaded')",
  })
  const [requests = 0, failed = 0, respawns = 0, overloaded = 0] = text.split(' ').map(Number)
  if (requests + failed + overloaded !== answered)
    violations.add('the counters do not add up', `${requests} + ${failed} + ${overloaded} is not ${answered}`)
  if (end.threads > before.threads || end.descriptors > before.descriptors)
    violations.add('something was left open', `${JSON.stringify(before)} to ${JSON.stringify(end)}`)
  return {
    facts: [
      ['seconds', seconds],
      ['handlers that died', killed],
      ['answers', client.describe()],
      ['counted by the server: served, failed, refused', `${requests}, ${failed}, ${overloaded}`],
      ['workers started anew', respawns],
      ['resident memory, before and at the end', `${mebibytes(before.rssBytes)}, ${mebibytes(end.rssBytes)}`],
      ['threads, before and at the end', `${before.threads}, ${end.threads}`],
      ['descriptors, before and at the end', `${before.descriptors}, ${end.descriptors}`],
    ],
    violations: violations.list(),
  }
}

export const kill: Part = {
  name: 'kill',
  purpose: 'a handler that dies each second: every request is answered, none hangs, and the counters add up',
  run,
}
