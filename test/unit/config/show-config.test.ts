// --show-config: an ini file that reads back to the same settings.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Configuration, type Settings, settingsFrom } from '../../../host/config/index.ts'
import { hasSetting, type SettingOption, settingName } from '../../../host/config/option.ts'
import { ownOptions } from '../../../host/config/option-table.ts'
import { options } from '../../../host/config/options/index.ts'
import { renderConfig } from '../../../host/config/show-config.ts'
import { longestSeconds } from '../../../host/config/value.ts'
import { load } from './world.ts'

const readBack = (configuration: Configuration): Settings =>
  load(['shown.ini'], { files: { 'shown.ini': renderConfig(configuration, ownOptions) } }).settings

const text = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom(
        '%',
        '$',
        '@',
        '(',
        ')',
        '{',
        '}',
        ' ',
        '\t',
        '\n',
        '\r',
        ';',
        '#',
        '=',
        'd',
        'é',
        '\ud800',
        '\ufeff',
        '\u00a0',
      ),
      fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }),
    ),
    minLength: 1,
    maxLength: 12,
  })
  .filter((candidate) => !candidate.includes('\0'))

const items = {
  text,
  address: fc.constantFrom(':8080', '127.0.0.1:0', '[::1]:80', '/run/a b.sock', '@name', './8080', '/tmp/%d$(x)@(y)'),
  mount: fc.tuple(fc.constantFrom('', '/', '/py', '/a b'), text).map(([prefix, file]) => `${prefix}=${file}`),
  assignment: fc
    .tuple(
      text.filter((key) => !key.includes('=')),
      text,
    )
    .map(([key, value]) => `${key}=${value}`),
}

const anyValueOf = (option: SettingOption): fc.Arbitrary<unknown> => {
  switch (option.type) {
    case 'flag':
      return fc.boolean()
    case 'integer':
    case 'size':
      return fc.integer({ min: option.min, max: option.max })
    case 'seconds':
      return fc.integer({ min: Math.ceil(option.min * 1000), max: longestSeconds * 1000 }).map((ms) => ms / 1000)
    case 'mode':
      return fc.integer({ min: 0, max: 0o7777 })
    case 'text':
      return text
    case 'list':
      return fc.array(option.separator === undefined ? items[option.item] : fc.constantFrom('python', './a b_plugin.mjs', '%n'), {
        maxLength: 3,
      })
  }
}

const anySettings = fc.record(
  Object.fromEntries(options.filter(hasSetting).map((option) => [settingName(option.name), anyValueOf(option)])),
  { requiredKeys: [] },
) as fc.Arbitrary<Partial<Settings>>

test('any settings read back the same', () => {
  fc.assert(
    fc.property(anySettings, (partial) => {
      const configuration = settingsFrom(partial)
      expect(readBack(configuration)).toEqual(configuration.settings)
    }),
    { numRuns: 300 },
  )
})

test('each value has its place above it', () => {
  const files = { 'app.ini': '[uwsgi]\nbase = /srv\nlogto = %(base)/log\nsocket = :1\n' }
  const configuration = load(['--show-config', '--socket', ':2', 'app.ini'], { files, env: { POLYWSGI_WORKERS: '3' } })
  expect(configuration.action?.kind).toBe('show-config')
  const shown = configuration.action?.text ?? ''
  expect(shown).toMatch(/^; polywsgi: every option, and above it where it was set\n\[uwsgi\]\n/)
  expect(shown).toContain('\n; app.ini:4, command line\nsocket = :1\nsocket = :2\n')
  expect(shown).toContain('\n; POLYWSGI_WORKERS\nworkers = 3\n')
  expect(shown).toContain('\n; app.ini:3\nlogto = /srv/log\n')
  expect(shown).toContain('\n; default\nbuffer-size = 65535\n')
  expect(shown).toContain('\n; names that are no options\nbase = /srv')
  expect(shown).not.toContain('thunder-lock')
})

test('what a line cannot hold is written by its code', () => {
  const { settings } = load([])
  const shown = renderConfig(
    {
      settings: { ...settings, logFormat: ' 100%\n$(A) @(b) é\t' },
      opt: new Map(),
      sources: new Map(),
      pluginOptions: new Map(),
    },
    ownOptions,
  )
  expect(shown).toContain('\nlog-format = %{20}100%%%{a}%{24}(A) %{40}(b) é%{9}\n')
})

test('a name that no line can hold is left out, and a place stays in its comment', () => {
  const files = { 'app.json': '{"uwsgi": {"a=b": "1", "for": "x", "endfor": "", "with space": "1", "[x": "2", "fine": "3"}}' }
  const shown = load(['--show-config', 'app.json'], { files: { ...files } }).action?.text
  expect(shown).toMatch(/; names that are no options\nfine = 3$/)
  const { settings, opt } = load([])
  const sources = new Map([['workers', 'a\nworkers = 9']])
  expect(renderConfig({ settings, opt, sources, pluginOptions: new Map() }, ownOptions)).toContain(
    '\n; a workers = 9\nworkers = 1\n',
  )
})
