// --show-config: the whole configuration as an ini file, with the place where each option was set in a comment above it.
// Reading the file gives the same settings: what a line cannot hold is written as `%{hex}`.
import type { OptionMap } from '../api/kinds.ts'
import { blockAliases, blockEnds, blocks } from './blocks.ts'
import { hasSetting, type SettingOption, settingName } from './option.ts'
import type { OptionTable } from './option-table.ts'
import type { Settings } from './options/index.ts'
import type { PluginOptions } from './resolve.ts'
import { formatValue, type SettingValue } from './value.ts'

export interface ShownConfiguration {
  readonly settings: Settings
  readonly opt: OptionMap
  readonly sources: ReadonlyMap<string, string>
  readonly pluginOptions: PluginOptions
}

/** Without a line break at the end. */
export const renderConfig = ({ settings, opt, sources, pluginOptions }: ShownConfiguration, table: OptionTable): string => {
  const lines = ['; polywsgi: every option, and above it where it was set', '[uwsgi]']
  const values = settings as unknown as Readonly<Record<string, SettingValue | undefined>>
  const show = (option: SettingOption, value: SettingValue | undefined): void => {
    const source = sources.get(option.name) ?? 'default'
    // What nobody asked for and nothing would do needs no line.
    if (option.effect === 'accepted' && source === 'default') return
    const texts = formatValue(option, value)
    if (texts.length === 0) return
    lines.push(`; ${oneLine(source)}`)
    for (const text of texts) lines.push(assignment(option.name, text))
  }
  for (const option of table.own) if (hasSetting(option)) show(option, values[settingName(option.name)])
  for (const { plugin, rows } of table.ofPlugins) {
    for (const option of rows) show(option, pluginOptions.get(plugin)?.get(option.name))
  }
  const others = [...opt].filter(([name]) => table.find(name) === undefined && isPlainName(name))
  if (others.length > 0) lines.push('; names that are no options')
  for (const [name, texts] of others) for (const text of texts) lines.push(assignment(name, text === true ? '' : text))
  return lines.join('\n')
}

const assignment = (name: string, text: string): string => (text === '' ? name : `${name} = ${escapeValue(text)}`)

const oneLine = (text: string): string => text.replace(/[\x00-\x1f\x7f]/g, ' ')

/** A name that reading the file would give back: JSON keys, for one, may be any text. */
const isPlainName = (name: string): boolean => {
  const block = blockAliases[name] ?? name
  return /^[^\s=;#[%][^\s=]*$/.test(name) && !Object.hasOwn(blocks, block) && !blockEnds.has(block)
}

/** A text so that the value of an ini line gives it back: nothing in it is expanded or trimmed. */
export const escapeValue = (text: string): string => {
  const characters = [...text]
  return characters
    .map((character, index) => {
      if (character === '%') return '%%'
      const isEdge = index === 0 || index === characters.length - 1
      const isMark = (character === '$' || character === '@') && characters[index + 1] === '('
      // Controls would end the line or be trimmed, and half a surrogate pair is lost in UTF-8.
      const isLost = /[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]/.test(character) && character.length === 1
      const isTrimmed = isEdge && /[ \t]/.test(character)
      return isMark || isLost || isTrimmed ? `%{${character.codePointAt(0)!.toString(16)}}` : character
    })
    .join('')
}
