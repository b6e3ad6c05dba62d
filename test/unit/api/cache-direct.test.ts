// cache_get by its shorter way (host/api/direct.ts): it must answer what the ordinary one answers, whatever key and value.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import lua from '../../../bindings/lua/index.ts'
import python from '../../../bindings/python/index.ts'
import { planCaches } from '../../../host/caches.ts'
import { settingsFrom } from '../../../host/config/index.ts'
import type { Plugin } from '../../../host/plugin/plugin.ts'
import { Cache, type CacheShape } from '../../../host/state/cache.ts'
import { PluginHarness } from '../../support/plugin-harness.ts'

let now = 1_800_000_000_000
const { settings } = settingsFrom({ cache2: ['name=default,items=20,blocksize=200000,keysize=20'] })
const cache = Cache.create(planCaches(settings)[0] as CacheShape, { thread: 1, now: () => now })
const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')

/** Larger than any direct answer may be. */
const large = 'v'.repeat(150_000)
cache.update(bytes('key'), bytes('a\0\xffz'))
cache.update(bytes('\0\xff\xfe'), bytes('binary key'))
cache.update(bytes('k'.repeat(20)), bytes('longest key'))
cache.update(bytes('large'), bytes(large))
cache.update(Buffer.from('snow ☃'), bytes('text key'))
cache.update(bytes('old'), bytes('expired'), 5)
cache.update(bytes('42'), bytes('a number'))
for (const length of [1, 2, 3, 4, 5, 7, 8]) cache.update(bytes(`length ${length}`), bytes('x'.repeat(length)))
now += 6000

const shared = [
  ["'key'", 'a\0\xffz'],
  ["'missing'", 'nothing'],
  ["''", 'nothing'],
  ["'old'", 'nothing'],
  ["'large'", large],
  ["'length 1'", 'x'],
  ["'length 3'", 'xxx'],
  ["'length 4'", 'xxxx'],
  ["'length 7'", 'xxxxxxx'],
  ["'key', 'default'", 'a\0\xffz'],
  ["'key', 'no such cache'", 'nothing'],
] as const

const languages = [
  {
    name: 'Lua',
    plugin: lua as Plugin,
    file: 'app.lua',
    source: `return function(env)
      local ok, value = pcall(load('return uwsgi.cache_get(' .. env.input:read() .. ')'))
      return '200 OK', {}, ok and (value or 'nothing') or 'raises ' .. value
    end`,
    own: [
      ["'\\0\\255\\254'", 'binary key'],
      ["('k'):rep(20)", 'longest key'],
      ["('k'):rep(21)", 'nothing'],
      ['42', 'a number'],
      ['{}', 'raises '],
      ['', 'raises '],
    ],
  },
  {
    name: 'Python',
    plugin: python as Plugin,
    file: 'app.py',
    source: `import uwsgi
def application(environ, start_response):
    start_response('200 OK', [])
    try:
        value = eval('uwsgi.cache_get(' + environ['wsgi.input'].read().decode() + ')')
        return [b'nothing' if value is None else value]
    except Exception as error:
        return [('raises ' + type(error).__name__).encode()]
`,
    own: [
      ["b'\\0\\xff\\xfe'", 'binary key'],
      ["bytearray(b'key')", 'a\0\xffz'],
      ["memoryview(b'key')", 'a\0\xffz'],
      ["type('Own', (bytes,), {})(b'key')", 'a\0\xffz'],
      ["type('Own', (str,), {})('key')", 'a\0\xffz'],
      ["'snow \\u2603'", 'text key'],
      ["'\\ud800'", 'raises ValueError'],
      ["'k' * 20", 'longest key'],
      ["'k' * 21", 'nothing'],
      ["key='key'", 'a\0\xffz'],
      ['42', 'raises TypeError'],
      ['None', 'raises TypeError'],
      ['', 'raises TypeError'],
    ],
  },
] as const

for (const { name, plugin, file, source, own } of languages) {
  describe(`cache_get in ${name}`, () => {
    let harness: PluginHarness
    let folder: string
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'polywsgi-direct-'))
      writeFileSync(join(folder, file), source)
      harness = await PluginHarness.boot(plugin, { server: { caches: new Map([['default', cache]]) } })
      await harness.mount(join(folder, file))
    })
    afterAll(() => {
      harness.close()
      rmSync(folder, { recursive: true, force: true })
    })

    it.each([...shared, ...own])('answers for %s what is there', async (call, wanted) => {
      const { body } = await harness.request({ body: call })
      const text = Buffer.from(body).toString('latin1')
      if (wanted === 'raises ') expect(text).toMatch(/^raises /)
      else expect(text).toBe(wanted)
    })
  })
}

it('counts each answer once, as a hit or a miss', () => {
  const { hits, miss } = cache.statistics
  const words = new Uint32Array(64)
  const memory = new Uint8Array(words.buffer)
  memory.set(bytes('key'), 100)
  expect(cache.getInto(memory, 100, 3, words, 16, 64)).toBe(4)
  expect(Buffer.from(memory.subarray(16, 20)).toString('latin1')).toBe('a\0\xffz')
  expect(cache.getInto(memory, 100, 2, words, 16, 64)).toBe(-1)
  expect(cache.getInto(memory, 100, 3, words, 16, 0)).toBe(-2)
  expect(cache.statistics.hits - hits).toBe(1)
  expect(cache.statistics.miss - miss).toBe(1)
})
