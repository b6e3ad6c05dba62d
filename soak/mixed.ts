// The long part: requests of many kinds in three languages, on async cores, with workers that die now and then. What the
// server holds at the end is what it held when it was warm: memory within a tenth, no descriptor and no thread more.
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Language, languages, start } from '../test/support/faults-server.ts'
import { Client, type Question } from './client.ts'
import { type Outcome, type Part, type Plan, Violations } from './part.ts'
import { factsOf, mebibytes, settledFacts } from './process-facts.ts'
import { Random } from './random.ts'

const apps = fileURLToPath(new URL('apps', import.meta.url))
const clients = 16
/** One request in so many ends its worker. */
const dieOnceIn = 4000
/** What a request is answered whose worker another one has ended: by the worker, while it can, or by the master. */
const diedWithWorker = /^Internal Server Error(\n|$)/
/** One that has called a function of such a worker. */
const calledTheDead = /^Internal Server Error(\n|$)|interpreter died/
/** Memory at the end, relative to that of the warm server. */
const mostGrowth = 1.1
const streams: Readonly<Record<Language, string>> = { python: 'py', lua: 'lua', js: 'mjs' }

/** Run by each app as it loads. */
const load: Readonly<Record<Language, string>> = {
  python:
    "uwsgi.register_rpc('python_echo', lambda text: text, 1)\nuwsgi.register_signal(10, 'worker', lambda num: uwsgi.cache_inc('signals'))",
  lua: "uwsgi.register_rpc('lua_echo', function(text) return text end, 1) uwsgi.register_signal(11, 'worker', function() uwsgi.cache_inc('signals') end)",
  js: "uwsgi.registerRpc('js_echo', (text) => text, 1); uwsgi.registerSignal(12, 'worker', () => { uwsgi.cacheInc('signals') })",
}

type Kind = 'get' | 'post' | 'large answer' | 'cache' | 'lock' | 'rpc' | 'signal' | 'sleep'
const codes: Readonly<Record<Kind, Readonly<Record<Language, string>>>> = {
  get: { python: "return 'ok'", lua: "return 'ok'", js: "return 'ok'" },
  post: { python: "return 'ok'", lua: "return 'ok'", js: "return 'ok'" },
  'large answer': { python: "return 'x' * 200000", lua: "return ('x'):rep(200000)", js: "return 'x'.repeat(200000)" },
  cache: {
    python: "uwsgi.cache_update('k', b'v' * 100)\nuwsgi.cache_inc('n')\nreturn len(uwsgi.cache_get('k'))",
    lua: "uwsgi.cache_update('k', ('v'):rep(100)) uwsgi.cache_inc('n') return #uwsgi.cache_get('k')",
    js: "uwsgi.cacheUpdate('k', 'v'.repeat(100)); uwsgi.cacheInc('n'); return uwsgi.cacheGet('k').length",
  },
  lock: {
    python: "uwsgi.lock()\nuwsgi.cache_inc('locked')\nuwsgi.unlock()\nreturn 'ok'",
    lua: "uwsgi.lock() uwsgi.cache_inc('locked') uwsgi.unlock() return 'ok'",
    js: "await uwsgi.promises.lock(); uwsgi.cacheInc('locked'); uwsgi.unlock(); return 'ok'",
  },
  rpc: {
    python: "return uwsgi.call('lua_echo', b'x' * 500)",
    lua: "return uwsgi.call('js_echo', ('x'):rep(500))",
    js: "return uwsgi.call('python_echo', 'x'.repeat(500))",
  },
  signal: {
    python: "uwsgi.signal(10)\nreturn 'ok'",
    lua: "uwsgi.signal(11) return 'ok'",
    js: "uwsgi.signal(12); return 'ok'",
  },
  sleep: {
    python: "uwsgi.async_sleep(0.002)\nuwsgi.suspend()\nreturn 'ok'",
    lua: "uwsgi.async_sleep(0.002) uwsgi.suspend() return 'ok'",
    js: "await new Promise((done) => setTimeout(done, 2)); return 'ok'",
  },
}
const kinds = Object.keys(codes) as Kind[]
const padding: Readonly<Record<Language, string>> = { python: '\n#', lua: '\n--', js: '\n//' }

const questionOf = (random: Random): { name: string; question: Question } => {
  const language = random.of(languages)
  if (random.oneIn(9)) {
    const body = 'y'.repeat(random.below(30_000))
    return { name: `a stream in ${language}`, question: { path: `/stream-${language}`, body } }
  }
  const kind = random.of(kinds)
  const code = codes[kind][language]
  const path = `/${language}`
  const name = `${kind} in ${language}`
  if (kind === 'get') return { name, question: { method: 'GET', path, headers: { 'X-Code': code } } }
  if (kind === 'post') return { name, question: { path, body: `${code}${padding[language]}${'x'.repeat(random.below(60_000))}` } }
  return { name, question: { path, body: code } }
}

const run = async (plan: Plan): Promise<Outcome> => {
  const count = plan.count ?? 200_000
  const random = new Random(plan.seed)
  const violations = new Violations()
  await using server = await start(
    load,
    ...['--workers', '3', '--async', '4', '--listen', '1000', '--disable-logging', '--post-buffering', '16384'],
    ...languages.flatMap((language) => ['--mount', `/stream-${language}=${apps}/stream.${streams[language]}`]),
  )
  using client = new Client(server.http, clients)
  let asked = 0
  let died = 0
  /** Requests that were in hand when a worker died may have died with it: answered so, or cut off when their answer had begun. */
  const ask = async (): Promise<void> => {
    asked += 1
    if (random.oneIn(dieOnceIn)) {
      died += 1
      await client.ask({ path: '/python', body: 'import os\nos.abort()' })
      return
    }
    const { name, question } = questionOf(random)
    const { status, text } = await client.ask(question)
    const expected = name.startsWith('rpc') ? calledTheDead : diedWithWorker
    const isCut = status === 'broken' && (name.startsWith('a stream') || name.startsWith('large answer'))
    if (status !== 200 && status !== 503 && !(status === 500 && expected.test(text)) && !isCut)
      violations.add(`${name} was answered ${status}`, text.slice(0, 300))
  }
  const askUpTo = (limit: number): Promise<unknown> =>
    Promise.all(
      Array.from({ length: clients }, async () => {
        while (asked < limit) await ask()
      }),
    )
  const started = performance.now()
  const resting = async (): Promise<ReturnType<typeof factsOf>> => {
    await delay(3000)
    return factsOf(server.pid)
  }
  await askUpTo(Math.round(count / 4))
  const warm = await resting()
  plan.say(`${asked} requests, ${mebibytes(warm.rssBytes)} resident`)
  for (let quarter = 2; quarter <= 4; quarter += 1) {
    await askUpTo(Math.round((count * quarter) / 4))
    plan.say(`${asked} requests, ${mebibytes(factsOf(server.pid).rssBytes)} resident`)
  }
  const seconds = (performance.now() - started) / 1000
  await resting()
  const end = await settledFacts(server.pid, warm)
  // Each death takes at most the requests that its worker's other cores held.
  const failed = client.count(500) + client.count(503) + client.count('broken')
  if (failed > died * 4) violations.add('more requests failed than died with a worker', `${failed} with ${died} deaths`)
  if (end.rssBytes > warm.rssBytes * mostGrowth)
    violations.add('memory grew by more than a tenth', `${mebibytes(warm.rssBytes)} to ${mebibytes(end.rssBytes)}`)
  if (end.descriptors > warm.descriptors)
    violations.add('descriptors were left open', `${warm.descriptors} to ${end.descriptors}`)
  if (end.threads > warm.threads) violations.add('threads were left', `${warm.threads} to ${end.threads}`)
  const code = await server.stop()
  if (code !== 0) violations.add('the server did not stop with exit code 0', String(code))
  return {
    facts: [
      ['requests', asked],
      ['requests per second', Math.round(asked / seconds)],
      ['workers that died', died],
      ['answers', client.describe()],
      ['resident memory, warm and at the end', `${mebibytes(warm.rssBytes)}, ${mebibytes(end.rssBytes)}`],
      ['descriptors, warm and at the end', `${warm.descriptors}, ${end.descriptors}`],
      ['threads, warm and at the end', `${warm.threads}, ${end.threads}`],
    ],
    violations: violations.list(),
  }
}

export const mixed: Part = {
  name: 'mixed',
  purpose: 'requests of many kinds in three languages with workers that die: memory at the end as when warm, nothing left open',
  run,
}
