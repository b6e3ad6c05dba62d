// Every parameter of every function of the uwsgi module, given what it does not take, in each language: the error is of the
// language's own kind and names the argument. The cases are made from the table, so that no function can be forgotten.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ApiEntry, ApiFunction, ApiParameter } from '../../host/api/kinds.ts'
import { apiTable, camelCaseName } from '../../host/api/table/index.ts'
import { FullServer, type Language, languages } from '../support/full-server.ts'

type Literals = Readonly<Record<Language, string>>
const same = (text: string): Literals => ({ python: text, lua: text, js: text })

/** A value that the parameter takes. */
const good: Readonly<Record<ApiParameter['type'], Literals>> = {
  int: same('1'),
  int64: same('1'),
  float: same('1.5'),
  bool: { python: 'True', lua: 'true', js: 'true' },
  text: same("'x'"),
  bytes: same("'x'"),
  'int|bytes': same("'x'"),
  function: { python: '(lambda *args: None)', lua: 'function() end', js: '() => {}' },
  dict: same('{}'),
}

const table: Literals = { python: '[]', lua: '{}', js: '[]' }
/** A value of another type. Lua takes numbers for strings and numeric strings for numbers, as its own functions do. */
const bad: Readonly<Record<ApiParameter['type'], Literals>> = {
  int: { python: "'x'", lua: "'x'", js: "'x'" },
  int64: { python: "'x'", lua: "'x'", js: "'x'" },
  float: { python: "'x'", lua: "'x'", js: "'x'" },
  bool: table,
  text: table,
  bytes: table,
  'int|bytes': table,
  function: same('5'),
  dict: same('5'),
}

interface Case {
  readonly what: string
  readonly entry: ApiFunction
  readonly args: readonly Literals[]
  /** Python's class of exception. */
  readonly raised: 'TypeError' | 'ValueError'
  readonly message: RegExp
}

const literal = (value: number): Literals => same(String(value))
const longText = (bytes: number): Literals => ({
  python: `'x' * ${bytes}`,
  lua: `('x'):rep(${bytes})`,
  js: `'x'.repeat(${bytes})`,
})

const casesOf = (entry: ApiFunction): Case[] => {
  const { params } = entry
  const cases: Case[] = []
  const before = (index: number): Literals[] =>
    params.slice(0, index).map(({ type, min }) => (type === 'int' && min !== undefined ? literal(min) : good[type]))
  for (const [index, param] of params.entries()) {
    const named = new RegExp(`argument '${param.name}${param.variadic ? '\\[0\\]' : ''}'`)
    const add = (what: string, value: Literals, raised: Case['raised']): void => {
      cases.push({ what: `${param.name}: ${what}`, entry, args: [...before(index), value], raised, message: named })
    }
    add('another type', bad[param.type], 'TypeError')
    if (param.min !== undefined) add('too small', literal(param.min - 1), 'ValueError')
    if (param.max !== undefined && param.max < 2 ** 52) add('too large', literal(param.max + 1), 'ValueError')
    if (param.maxBytes !== undefined) add('too long', longText(param.maxBytes + 1), 'ValueError')
    if (param.default === undefined && !param.variadic) {
      const message = new RegExp(`missing argument '${param.name}'`)
      cases.push({ what: `${param.name}: missing`, entry, args: before(index), raised: 'TypeError', message })
    }
  }
  if (params.at(-1)?.variadic !== true) {
    const most = params.length
    const args = [...before(most), good.int]
    cases.push({
      what: 'an argument too many',
      entry,
      args,
      raised: 'TypeError',
      message: new RegExp(`takes at most ${most} arg`),
    })
  }
  return cases
}

const cases = (apiTable as readonly ApiEntry[]).filter((entry) => entry.shape === 'function').flatMap(casesOf)

for (const language of languages) {
  describe(`bad arguments in ${language}`, () => {
    let full: FullServer
    beforeAll(async () => {
      full = await FullServer.start()
    })
    afterAll(async () => await full[Symbol.asyncDispose]())

    it.each(cases.map((one) => [`${one.entry.name}: ${one.what}`, one] as const))('are refused: %s', async (_, one) => {
      const name = language === 'js' ? camelCaseName(one.entry.name) : one.entry.name
      const call = `uwsgi.${name}(${one.args.map((value) => value[language]).join(', ')})`
      const { ok, text } = await full.run(language, language === 'lua' ? call : `return ${call}`)
      expect(ok, call).toBe(false)
      expect(text).toMatch(one.message)
      expect(text).toContain(`uwsgi.${name}()`)
      if (language === 'python') expect(text).toMatch(new RegExp(`^${one.raised}:`))
      if (language === 'js') expect(text).toMatch(/^UwsgiError API_ARGUMENT:/)
    })
  })
}
