// The part of code that does not end: in each language, what loops, fills memory, recurses or catches every exception is
// answered 500 or 504 within deadline and grace; other workers serve meanwhile, and the same one does again afterwards.
import { type Language, languages, start } from '../test/support/faults-server.ts'
import { Client } from './client.ts'
import { type Outcome, type Part, type Plan, Violations } from './part.ts'

const deadlineSeconds = 1
const defaultGraceSeconds = 1
/** What an answer may take beyond deadline and grace. */
const slackMs = 200

export const bombs: Readonly<Record<Language, Readonly<Record<string, string>>>> = {
  python: {
    'an endless loop': 'while True: pass',
    'a loop that swallows everything': 'while True:\n    try:\n        while True: pass\n    except BaseException:\n        pass',
    'endless allocation': "held = []\nwhile True: held.append('x' * 1000000)",
    'deep recursion': 'def f(n): return f(n + 1) + 1\nreturn f(0)',
    'a catastrophic pattern': "import re\nreturn re.match('(a+)+$', 'a' * 40 + 'b')",
    'a giant string': "return len('x' * (2 ** 31 - 10))",
    'a built-in that never polls': 'return sum(range(10 ** 12))',
  },
  lua: {
    'an endless loop': 'while true do end',
    'a loop that swallows everything': 'while true do pcall(function() while true do end end) end',
    'endless allocation': "local held = {} while true do held[#held + 1] = ('x'):rep(1000000) .. #held end",
    'deep recursion': 'local function f(n) return f(n + 1) + 1 end return f(0)',
    'a catastrophic pattern': "return ('a'):rep(100000):find(('a*'):rep(30) .. 'b')",
    'a giant string': "return #('x'):rep(2 ^ 31)",
    'a storm of coroutines':
      'local held = {} while true do local c = coroutine.create(function() coroutine.yield() end) coroutine.resume(c) held[#held + 1] = c end',
  },
  js: {
    'an endless loop': 'for (;;);',
    'a loop that swallows everything': 'for (;;) { try { for (;;); } catch {} finally { continue } }',
    'endless allocation': "const held = []; for (;;) held.push('x'.repeat(1000000) + held.length)",
    'deep recursion': 'const f = (n) => f(n + 1) + 1; return f(0)',
    'a catastrophic pattern': "return /^(a+)+$/.test('a'.repeat(40) + 'b')",
    'a giant string': "return 'x'.repeat(2 ** 29).repeat(2 ** 10).length",
    'a storm of promises':
      'const storm = () => { Promise.resolve().then(storm); Promise.resolve().then(storm) }; storm(); await new Promise(() => {})',
    'a built-in that never polls': 'return new Array(2 ** 28).join("x").length',
  },
}

const run = async (plan: Plan): Promise<Outcome> => {
  const violations = new Violations()
  const facts: [string, string][] = []
  const grace = plan.harakiriGrace ?? defaultGraceSeconds
  await using server = await start(
    {},
    ...['--workers', '2', '--listen', '100', '--disable-logging', '--harakiri', String(deadlineSeconds)],
    ...['--harakiri-grace', String(grace)],
  )
  using client = new Client(server.http, 8)
  for (const language of languages) {
    for (const [name, code] of Object.entries(bombs[language])) {
      const what = `${name} in ${language}`
      const began = performance.now()
      const running = client.ask({ path: `/${language}`, body: code })
      const beside = await client.ask({ path: `/${language}`, body: "return 'ok'" })
      if (beside.status !== 200) violations.add('a request beside a runaway failed', `${what}: ${beside.status}`)
      const { status } = await running
      const tookMs = performance.now() - began
      if (status !== 500 && status !== 504) violations.add('a runaway had another answer', `${what}: ${status}`)
      if (tookMs > (deadlineSeconds + grace) * 1000 + slackMs)
        violations.add('a runaway was answered late', `${what}: ${Math.round(tookMs)} ms`)
      const again = performance.now()
      // As many at once as there are workers, so that the one that overran is asked too.
      const after = await Promise.all([1, 2].map(() => client.ask({ path: `/${language}`, body: "return 'ok'" })))
      for (const answer of after)
        if (answer.status !== 200) violations.add('a request after a runaway failed', `${what}: ${answer.status}`)
      facts.push([
        what,
        `${status} after ${Math.round(tookMs)} ms, served again after ${Math.round(performance.now() - again)} ms`,
      ])
    }
  }
  return { facts, violations: violations.list() }
}

export const runaways: Part = {
  name: 'runaways',
  purpose: 'code that does not end, in each language, is answered 500 or 504 in time, and nobody else is kept',
  run,
}
