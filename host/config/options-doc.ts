// docs/options.md, made from the options table and the tables of blocks and magic variables. Pure: the script writes the
// text, and a test compares it with the committed file.
import { blockAliases, blocks } from './blocks.ts'
import { defaultText, formatSize, isRepeatable, spelledNames, valueName } from './describe.ts'
import { magicMeanings } from './magic.ts'
import { type Option, type OptionGroup, optionGroups, type SettingOption } from './option.ts'
import { options } from './options/index.ts'
import { closingText, openingText } from './options-doc-text.ts'
import { longestSeconds } from './value.ts'

export const renderOptionsDoc = (): string => {
  const parts = [openingText]
  for (const group of Object.keys(optionGroups) as OptionGroup[]) {
    const working = options.filter((option) => option.group === group && option.effect === 'works')
    if (working.length > 0)
      parts.push(`### ${optionGroups[group]}`, table(['Option', 'Value', 'Default', 'Meaning'], working.map(workingRow)))
  }
  const accepted = options.filter(({ effect }) => effect === 'accepted')
  parts.push(
    '## Accepted without effect',
    'These are read and checked, so that an existing configuration works, but they do nothing in this version. The server says so at start.',
    table(['Option', 'Value', 'Meaning', 'In this version'], accepted.map(acceptedRow)),
    closingText,
    '### Magic variables',
    table(
      ['Written', 'Stands for'],
      magicMeanings.map(([letters, meaning]) => [
        letters.split(' ... ').map(code).join(' to ').replaceAll(' %', '` `%'),
        meaning,
      ]),
    ),
    '### Blocks',
    'The lines between a block and its end count as often as the block says; in them `%(_)` is what the block has found. A block cannot hold another.',
    table(['Block', 'End', 'The lines count'], Object.entries(blocks).map(blockRow)),
    `Other spellings: ${Object.entries(blockAliases)
      .map(([alias, name]) => `${code(alias)} for ${code(name)}`)
      .join(', ')}.`,
  )
  return `${parts.join('\n\n')}\n`
}

const table = (heads: readonly string[], rows: ReadonlyArray<readonly string[]>): string =>
  [heads, heads.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n')

const code = (text: string): string => `\`${text}\``

// Outside of code, `<uwsgi>` would be an element of the page.
const escaped = (text: string): string => text.replaceAll('<', '&lt;')

const names = (option: Option): string => spelledNames(option).map(code).join(' ')

const workingRow = (option: Option): readonly string[] => {
  const isAlwaysOn = option.type === 'flag' && option.alwaysOn !== undefined
  const help = escaped(isAlwaysOn ? `${option.help} Always on: ${option.alwaysOn}.` : option.help)
  return [names(option), valueText(option), isAlwaysOn ? 'on' : (defaultText(option) ?? ''), help]
}

const acceptedRow = (option: Option): readonly string[] => [
  names(option),
  valueText(option),
  escaped(option.help),
  option.effect === 'accepted' ? `${capitalised(option.note)}.` : '',
]

const blockRow = ([name, block]: [string, (typeof blocks)[string]]): readonly string[] => [
  code(`${name} =`),
  code(block.end),
  block.end === 'endif' ? `if ${block.help}` : `for ${block.help}`,
]

const capitalised = (text: string): string => `${text[0]!.toUpperCase()}${text.slice(1)}`

const valueText = (option: Option): string => {
  const name = valueName(option)
  if (name === undefined) return ''
  const isBare = 'bare' in option && option.bare !== undefined
  const parts = [code(isBare ? `[${name}]` : name)]
  const range = rangeText(option as SettingOption)
  if (range !== undefined) parts.push(range)
  if (isRepeatable(option)) parts.push('repeatable')
  return parts.join(', ')
}

const rangeText = (option: SettingOption): string | undefined => {
  if (option.type === 'seconds') return option.min === 0 ? undefined : `at least ${option.min}`
  if (option.type !== 'integer' && option.type !== 'size') return undefined
  const format = option.type === 'size' ? formatSize : String
  return option.max > longestSeconds * 1000
    ? option.min === 0
      ? undefined
      : `at least ${format(option.min)}`
    : `${format(option.min)} to ${format(option.max)}`
}
