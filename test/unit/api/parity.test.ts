// What each language must see of the same values, side by side. (That every entry of the table works in each is for the
// examples of the reference to show, which test/system/api-examples.test.ts runs.)
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import js from '../../../bindings/js/index.ts'
import lua from '../../../bindings/lua/index.ts'
import python from '../../../bindings/python/index.ts'
import type { OptionMap } from '../../../host/api/kinds.ts'
import type { Plugin } from '../../../host/plugin/plugin.ts'
import { PluginHarness } from '../../support/plugin-harness.ts'

const opt: OptionMap = new Map([
  ['workers', ['2']],
  ['flag', [true]],
  ['repeated', ['a', 'b']],
])
const pid = process.pid

interface Expectation {
  readonly what: string
  readonly python: string
  readonly lua: string
  readonly js: string
}

/** One line of each app's answer, in order. */
const expectations: readonly Expectation[] = [
  { what: 'version', python: "b'0.0.0-test'", lua: '"0.0.0-test"', js: 'bytes 0.0.0-test' },
  { what: 'hostname', python: "b'test-host'", lua: '"test-host"', js: 'bytes test-host' },
  { what: 'worker_id', python: '3', lua: 'integer 3', js: '3' },
  { what: 'masterpid', python: `${pid}`, lua: `integer ${pid}`, js: `${pid}` },
  { what: 'opt: one value', python: "b'2'", lua: '"2"', js: '"2"' },
  { what: 'opt: a flag', python: 'True', lua: 'true', js: 'true' },
  { what: 'opt: several values', python: "[b'a', b'b']", lua: '{a,b}', js: '["a","b"]' },
  { what: 'opt: not given', python: 'None', lua: 'nil', js: 'undefined' },
  { what: 'log: text', python: 'True', lua: 'true', js: 'true' },
  { what: 'log: bytes', python: 'True', lua: 'true', js: 'true' },
  {
    what: 'log: nothing',
    python: "TypeError: uwsgi.log(): missing argument 'message'",
    lua: "uwsgi.log(): missing argument 'message'",
    js: "UwsgiError API_ARGUMENT: uwsgi.log(): missing argument 'message'",
  },
  {
    what: 'log: another type',
    python: "TypeError: uwsgi.log(): argument 'message' must be text or bytes",
    lua: "uwsgi.log(): argument 'message' must be a string, not a table",
    js: "UwsgiError API_ARGUMENT: uwsgi.log(): argument 'message' must be text or bytes",
  },
  {
    what: 'log: too many arguments',
    python: 'TypeError: uwsgi.log(): takes at most 1 argument, got 2',
    lua: 'uwsgi.log(): takes at most 1 argument, got 2',
    js: 'UwsgiError API_ARGUMENT: uwsgi.log(): takes at most 1 argument, got 2',
  },
  {
    what: 'worker_id: an argument',
    python: 'TypeError: uwsgi.worker_id(): takes at most 0 arguments, got 1',
    lua: 'uwsgi.worker_id(): takes at most 0 arguments, got 1',
    js: 'UwsgiError API_ARGUMENT: uwsgi.workerId(): takes at most 0 arguments, got 1',
  },
]

const languages: readonly (readonly [keyof Omit<Expectation, 'what'>, Plugin, string, string])[] = [
  ['python', python, 'api.py', 'from Python'],
  ['lua', lua, 'api.lua', 'from Lua'],
  ['js', js as Plugin, 'api.js', 'from JavaScript'],
]

for (const [language, plugin, file, logged] of languages) {
  describe(`the uwsgi module in ${language}`, () => {
    let harness: PluginHarness
    let lines: string[]
    beforeAll(async () => {
      harness = await PluginHarness.boot(plugin, { opt, workerId: 3 })
      await harness.mount(fileURLToPath(new URL(`../../apps/api/${file}`, import.meta.url)))
      const { status, text } = await harness.request()
      expect([status, harness.logLines.join('\n')]).toEqual(['200 OK', expect.any(String)])
      lines = text.split('\n')
    })
    afterAll(() => harness.close())

    it.each(expectations.map((expectation, index) => [expectation.what, index] as const))(
      'sees of %s what its language must',
      (_, index) => {
        expect(lines[index]).toBe(expectations[index]?.[language])
      },
    )

    it('writes what it logs, bytes unchanged', () => {
      expect(harness.logLines).toContain(logged)
      expect(harness.logLines).toContain('bytes \0\ufffd')
    })
  })
}
