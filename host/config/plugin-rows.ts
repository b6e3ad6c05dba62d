// From the options that a plugin declares to rows of the options table. What a plugin says is checked here as strictly as the
// compiler checks our own rows, since a plugin may be plain JavaScript.
import type { PluginOption } from '../plugin/plugin-option.ts'
import { blockAliases, blockEnds, blocks } from './blocks.ts'
import { type PluginRow, settingName } from './option.ts'
import type { OptionTable, PluginRows } from './option-table.ts'
import { shown } from './shown.ts'
import { BadValue, longestSeconds, parseValue } from './value.ts'

/** An option that cannot be had. The message names it, and not the plugin. */
export class BadPluginOption extends Error {}

const kinds: readonly string[] = ['flag', 'integer', 'size', 'seconds', 'text', 'list'] satisfies PluginOption['type'][]
const longestName = 64
// What an embedder's object has beside settings.
const ownSettings = new Set(['mounts', 'cwd'])

/**
 * @param options a plugin's `options`; anything
 * @param table the options there are already
 * @throws BadPluginOption
 */
export const pluginRows = (plugin: string, options: unknown, table: OptionTable): PluginRows => {
  if (!Array.isArray(options)) throw new BadPluginOption('its options are not an array')
  const rows: PluginRow[] = []
  options.forEach((option: unknown, index) => {
    if (typeof option !== 'object' || option === null) throw new BadPluginOption(`its option ${index + 1} is not an object`)
    const row = rowOf(option as PluginOption, index)
    refuseTaken(row, rows, table)
    rows.push(row)
  })
  return { plugin, rows }
}

/** @param earlier the plugin's own rows before this one */
const refuseTaken = (row: PluginRow, earlier: readonly PluginRow[], table: OptionTable): void => {
  const { name, shortcut } = row
  const refuse = (problem: string): never => {
    throw new BadPluginOption(`its option '${name}' ${problem}`)
  }
  if (earlier.some((other) => other.name === name)) refuse('is declared twice')
  if (table.find(name) !== undefined) {
    const owner = table.ofPlugins.find(({ rows }) => rows.some((other) => other.name === name))?.plugin
    refuse(`exists already: it is one of ${owner === undefined ? 'polywsgi' : `the plugin '${shown(owner)}'`}`)
  }
  const block = blockAliases[name] ?? name
  if (Object.hasOwn(blocks, block) || blockEnds.has(block)) refuse('has the name of a block of configuration files')
  // `a-1` and `a1` are two options and one setting.
  const setting = settingName(name)
  const isSame = (other: PluginRow): boolean => settingName(other.name) === setting
  if (table.findSetting(setting) !== undefined || earlier.some(isSame) || ownSettings.has(setting)) {
    refuse(`would be the setting '${setting}', which exists already`)
  }
  if (shortcut === undefined) return
  const other = table.findLetter(shortcut)?.name ?? earlier.find((one) => one.shortcut === shortcut)?.name
  if (other !== undefined) refuse(`has the short letter '${shortcut}', which is that of '${other}'`)
}

const rowOf = (option: PluginOption, index: number): PluginRow => {
  const { name, type, help, shortcut } = option
  if (typeof name !== 'string') throw new BadPluginOption(`its option ${index + 1} has no name`)
  const refuse = (problem: string): never => {
    throw new BadPluginOption(`its option '${shown(name)}' ${problem}`)
  }
  if (name.length > longestName || !/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(name)) {
    refuse(`is not named in lower case letters, digits and single dashes (at most ${longestName} characters)`)
  }
  if (!kinds.includes(type)) refuse(`has the type '${shown(String(type))}': it must be one of ${kinds.join(', ')}`)
  if (typeof help !== 'string' || help.trim() === '') refuse('has no help')
  if (shortcut !== undefined && !(typeof shortcut === 'string' && /^[a-z0-9]$/i.test(shortcut))) {
    refuse('has a short letter that is not a letter or a digit')
  }
  if (option.set !== undefined && typeof option.set !== 'function') refuse('has a set that is not a function')
  const base = {
    name,
    group: 'plugins',
    // Lines are broken by whoever shows it.
    help: help.trim().replace(/\s+/g, ' '),
    effect: 'works',
    ...(shortcut === undefined ? {} : { shortcut }),
  } as const
  const row = { ...base, ...kindOf(option, refuse) } as PluginRow
  if ('default' in row) checkDefault(row, refuse)
  return row
}

type Refuse = (problem: string) => never

/** The members that belong to one kind of option. */
const kindOf = (option: PluginOption, refuse: Refuse): Record<string, unknown> => {
  const { type } = option
  const given = option as unknown as { readonly [member: string]: unknown }
  const standard = given['default'] === undefined ? {} : { default: given['default'] }
  const text = (member: 'value' | 'separator', otherwise: string | undefined): Record<string, unknown> => {
    const value = given[member] ?? otherwise
    if (value !== undefined && (typeof value !== 'string' || value === '')) refuse(`has a ${member} that is not a text`)
    return value === undefined ? {} : { [member]: value }
  }
  switch (type) {
    case 'flag':
    case 'list':
      if (given['default'] !== undefined) refuse(`is a ${type} and can have no default`)
      return type === 'flag' ? { type } : { type, item: 'text', ...text('value', 'VALUE'), ...text('separator', undefined) }
    case 'text':
      return { type, ...text('value', 'VALUE'), ...standard }
    case 'seconds':
      return { type, min: range(given, 0, longestSeconds, refuse).min, ...standard }
    case 'size':
      return { type, ...range(given, 0, Number.MAX_SAFE_INTEGER, refuse), ...standard }
    case 'integer':
      return { type, ...range(given, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, refuse), ...standard }
  }
}

const range = (given: { readonly [member: string]: unknown }, lowest: number, highest: number, refuse: Refuse) => {
  const { min = lowest, max = highest } = given
  for (const [name, value] of [
    ['min', min],
    ['max', max],
  ] as const) {
    const isGood = given['type'] === 'seconds' ? Number.isFinite(value) : Number.isSafeInteger(value)
    if (!isGood || Number(value) < lowest) refuse(`has a ${name} that cannot be: ${shown(String(value))}`)
  }
  if (Number(min) > Number(max)) refuse(`has a min (${min}) above its max (${max})`)
  return { min, max }
}

/** A default is a value that could be given: a configuration that is shown must be one that can be read. */
const checkDefault = (row: PluginRow, refuse: Refuse): void => {
  const { default: value } = row as { readonly default?: unknown }
  const isRight = row.type === 'text' ? typeof value === 'string' : Number.isFinite(value)
  if (!isRight) refuse(`has a default that is not a ${row.type === 'text' ? 'text' : 'number'}`)
  try {
    parseValue(row, String(value))
  } catch (error) {
    if (!(error instanceof BadValue)) throw error
    refuse(`has a default that it would not take: ${error.message}`)
  }
}
