// The table itself: every row well formed, every name once, and what is generated from it in step.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { blockAliases, blocks } from '../../../host/config/blocks.ts'
import { renderHelp } from '../../../host/config/help.ts'
import { renderOptionsDoc } from '../../../host/config/index.ts'
import { hasSetting, type Option, settingName } from '../../../host/config/option.ts'
import { ownOptions } from '../../../host/config/option-table.ts'
import { options } from '../../../host/config/options/index.ts'
import { formatValue, parseValue } from '../../../host/config/value.ts'
import { load } from './world.ts'

const namesOf = (option: Option): readonly string[] => [
  option.name,
  ...(option.aliases ?? []),
  ...(option.type === 'flag' ? (option.negations ?? []) : []),
]

test('every name, setting and short letter is there once', () => {
  const names = options.flatMap(namesOf)
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
  const letters = options.flatMap(({ shortcut }) => (shortcut === undefined ? [] : [shortcut]))
  expect(letters.filter((letter, index) => letters.indexOf(letter) !== index)).toEqual([])
  const settings = options.filter(hasSetting).map(({ name }) => settingName(name))
  expect(new Set(settings).size).toBe(settings.length)
  expect(Object.keys(load([]).settings).sort()).toEqual(settings.sort())
})

test('no option has the name of a block', () => {
  const taken = new Set([...Object.keys(blocks), ...Object.keys(blockAliases), 'endif', 'endfor'])
  expect(options.flatMap(namesOf).filter((name) => taken.has(name))).toEqual([])
})

test.each(options.map((option) => [option.name, option] as const))('%s is well formed', (_, option) => {
  for (const name of namesOf(option)) expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
  if (option.shortcut !== undefined) expect(option.shortcut).toMatch(/^[a-zA-Z]$/)
  expect(option.help).toMatch(/^[A-Z].*\.$/s)
  if (option.effect === 'accepted') expect(option.note).toMatch(/^[a-zA-Z].*[^.]$/)
  if (option.type === 'flag' && option.alwaysOn !== undefined) expect(option.alwaysOn).toMatch(/^[a-zA-Z].*[^.]$/)
})

const defaults = options
  .filter(hasSetting)
  .flatMap((option) =>
    'default' in option && option.default !== undefined ? [[option.name, option, option.default] as const] : [],
  )

test.each(defaults)('%s takes its own default', (_, option, value) => {
  const [text] = formatValue(option, value)
  expect(parseValue(option, text!)).toBe(value)
})

describe('the help', () => {
  const help = renderHelp(ownOptions)

  test('has lines of at most 100 columns', () => {
    expect(help.split('\n').filter((line) => line.length > 100)).toEqual([])
  })

  test('names every option', () => {
    for (const { name } of options) expect(help).toContain(`--${name}`)
  })

  test('tells defaults with their units, and what an option takes', () => {
    expect(help).toContain('  -p, --workers, --processes N\n        How many workers serve requests.')
    expect(help).toMatch(/ {2}-z, --socket-timeout SECONDS\n[^-]*Default: 4\s+seconds\.\n/)
    expect(help).toContain('  -C, --chmod-socket, --chmod [MODE]\n')
    expect(help).toMatch(/--memory-limit BYTES\n[^-]*Default: 256m\.\n/)
  })

  test('is what --help prints', () => {
    expect(load(['--help']).action).toEqual({ kind: 'help', text: help })
  })
})

test('docs/options.md is what the table says (npm run gen writes it)', () => {
  expect(readFileSync(new URL('../../../docs/options.md', import.meta.url), 'utf8')).toBe(renderOptionsDoc())
})
