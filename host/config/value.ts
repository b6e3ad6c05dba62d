// Option values: from the text of whatever source to the typed, range-checked setting, and back to a text that means the
// same. A refusal is a plain message about the value; the caller adds the option and the place.

import { checkAddress } from './address.ts'
import type { IntegerOption, ListOption, SecondsOption, SettingOption, SizeOption } from './option.ts'
import { shown } from './shown.ts'

/** A value that its option does not take. The message has no place and no option name in it. */
export class BadValue extends Error {}

export type SettingValue = boolean | number | string | readonly string[]

/** Timers of Node.js end at 2^31 - 1 milliseconds; a longer one would fire at once. */
export const longestSeconds = 2_147_483

const truths = new Set(['true', 'on', 'yes', '1'])
const untruths = new Set(['false', 'off', 'no', '0'])

/**
 * The typed value of one occurrence of an option; a list gives the items of this occurrence.
 * @param text as given; `true` when the option was given without a value, which an empty text means too
 * @throws BadValue
 */
export const parseValue = (option: SettingOption, text: string | true): SettingValue => {
  if (option.type === 'flag') return parseFlag(text)
  if (text === true || text === '') {
    const bare = 'bare' in option ? option.bare : undefined
    if (bare === undefined) throw new BadValue('needs a value')
    return option.type === 'list' ? [String(bare)] : bare
  }
  // No path, address or environment variable can hold one, and the system calls that meet it fail less clearly.
  if (text.includes('\0')) throw new BadValue('the value holds a NUL byte')
  switch (option.type) {
    case 'integer':
      return inRange(option, parseInteger(text))
    case 'size':
      return inRange(option, parseSize(text))
    case 'seconds':
      return parseSeconds(option, text)
    case 'mode':
      if (!/^\s*[0-7]{3,4}\s*$/.test(text))
        throw new BadValue(`'${shown(text)}' is not a file mode: write octal digits, as in 660`)
      return Number.parseInt(text, 8)
    case 'text':
      return text
    case 'list':
      return parseItems(option, text)
  }
}

/** Whether an option may be given without a value. */
export const mayBeBare = (option: SettingOption): boolean =>
  option.type === 'flag' || ('bare' in option && option.bare !== undefined)

const parseFlag = (text: string | true): boolean => {
  if (text === true || text === '') return true
  const word = text.trim().toLowerCase()
  if (truths.has(word)) return true
  if (untruths.has(word)) return false
  throw new BadValue(`'${shown(text)}' is neither on (true, on, yes, 1) nor off (false, off, no, 0)`)
}

const parseInteger = (text: string): number => {
  if (!/^\s*-?\d+\s*$/.test(text)) throw new BadValue(`'${shown(text)}' is not a whole number`)
  return Number(text)
}

const sizeUnits = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

const parseSize = (text: string): number => {
  const match = /^\s*(\d+)([kmg]?)\s*$/i.exec(text)
  if (match === null) {
    throw new BadValue(`'${shown(text)}' is not a size: write a number of bytes, or a whole number followed by k, m or g`)
  }
  return Number(match[1]) * sizeUnits[match[2]!.toLowerCase() as keyof typeof sizeUnits]
}

const inRange = (option: IntegerOption | SizeOption, value: number): number => {
  const unit = option.type === 'size' ? ' bytes' : ''
  if (value < option.min) throw new BadValue(`must be at least ${option.min}${unit}`)
  // Past the safe integers the comparison still holds, and no option allows them.
  if (value > option.max) {
    const reason = option.maxReason === undefined ? '' : `: ${option.maxReason}`
    throw new BadValue(`must be at most ${option.max}${unit}${reason}`)
  }
  return value
}

const parseSeconds = (option: SecondsOption, text: string): number => {
  if (!/^\s*-?(\d+(\.\d*)?|\.\d+)\s*$/.test(text)) throw new BadValue(`'${shown(text)}' is not a number of seconds`)
  const seconds = Number(text)
  if (seconds < option.min) throw new BadValue(`must be at least ${option.min} seconds`)
  if (seconds > longestSeconds) throw new BadValue(`must be at most ${longestSeconds} seconds (24.8 days)`)
  return seconds
}

const parseItems = (option: ListOption, text: string): readonly string[] => {
  if (option.separator === undefined) return [checkItem(option, text)]
  const items = text.split(option.separator).map((item) => item.trim())
  return items.map((item) => {
    if (item === '') throw new BadValue(`'${shown(text)}' has an empty item`)
    return checkItem(option, item)
  })
}

const checkItem = (option: ListOption, item: string): string => {
  if (option.item === 'address') {
    const fault = checkAddress(item)
    if (fault !== undefined) throw new BadValue(fault)
  }
  if (option.item === 'assignment' && !/^[^=]+=/.test(item)) {
    throw new BadValue(`'${shown(item)}' is not ${option.value}`)
  }
  if (option.item === 'mount') checkMount(item)
  return item
}

const checkMount = (item: string): void => {
  const equals = item.indexOf('=')
  if (equals === -1 || equals === item.length - 1) throw new BadValue(`'${shown(item)}' is not PREFIX=FILE`)
  const prefix = item.slice(0, equals)
  if (prefix !== '' && !prefix.startsWith('/')) {
    const file = item.slice(equals + 1)
    if (file.startsWith('/') && /\.\w+$/.test(prefix))
      throw new BadValue(`the prefix comes first: write '${shown(`${file}=${prefix}`)}'`)
    throw new BadValue(`the prefix '${shown(prefix)}' does not begin with '/': write '/${shown(item)}'`)
  }
}

/** The texts, one per occurrence, that `parseValue` turns into this value again. */
export const formatValue = (option: SettingOption, value: SettingValue | undefined): readonly string[] => {
  if (value === undefined) return []
  if (typeof value === 'object') return value
  return [option.type === 'mode' ? formatMode(Number(value)) : String(value)]
}

export const formatMode = (mode: number): string => mode.toString(8).padStart(3, '0')
