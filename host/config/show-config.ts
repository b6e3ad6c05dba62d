// --show-config: the whole configuration as an ini file, with the place where each option was set in a comment above it.
// Reading the file gives the same settings: what a line cannot hold is written as `%{hex}`.
import type { OptionMap } from '../api/kinds.ts'
import { blockAliases, blockEnds, blocks } from './blocks.ts'
import { findOption } from './lookup.ts'
import { hasSetting, settingName } from './option.ts'
import { options, type Settings } from './options/index.ts'
import { formatValue, type SettingValue } from './value.ts'

export interface ShownConfiguration {
  readonly settings: Settings
  readonly opt: OptionMap
  readonly sources: ReadonlyMap<string, string>
}

/** Without a line break at the end. */
export const renderConfig = ({ settings, opt, sources }: ShownConfiguration): string => {
  const lines = ['; polywsgi: every option, and above it where it was set', '[uwsgi]']
  const values = settings as unknown as Readonly<Record<string, SettingValue | undefined>>
  for (const option of options) {
    if (!hasSetting(option)) continue
    const source = sources.get(option.name) ?? 'default'
    // What nobody asked for and nothing would do needs no line.
    if (option.effect === 'accepted' && source === 'default') continue
    const texts = formatValue(option, values[settingName(option.name)])
    if (texts.length === 0) continue
    lines.push(`; ${oneLine(source)}`)
    for (const text of texts) lines.push(assignment(option.name, text))
  }
  const others = [...opt].filter(([name]) => findOption(name) === undefined && isPlainName(name))
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
