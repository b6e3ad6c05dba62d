// From a name to its row of the options table. Names are exact, as uWSGI's are (`-` is not `_`); only the command line
// also takes unique beginnings of long names, as getopt does.
import { nearestName } from './nearest.ts'
import type { Option } from './option.ts'
import { options } from './options/index.ts'
import { isUwsgiOption } from './uwsgi-names.ts'

export interface FoundOption {
  readonly option: Option
  /** The name as the table spells it: an alias stays one, a beginning is completed. */
  readonly name: string
  /** The name is one that turns the option off. */
  readonly isNegation: boolean
}

const byName = new Map<string, FoundOption>()
const byLetter = new Map<string, FoundOption>()
for (const option of options) {
  for (const name of [option.name, ...(option.aliases ?? [])]) byName.set(name, { option, name, isNegation: false })
  if (option.type === 'flag') {
    for (const name of option.negations ?? []) byName.set(name, { option, name, isNegation: true })
  }
  if (option.shortcut !== undefined) byLetter.set(option.shortcut, { option, name: option.name, isNegation: false })
}

export const findOption = (name: string): FoundOption | undefined => byName.get(name)
export const findLetter = (letter: string): FoundOption | undefined => byLetter.get(letter)

/** An exact name, or what its beginning stands for; several names when it stands for different options, none when for nothing. */
export const findByBeginning = (beginning: string): FoundOption | readonly string[] => {
  const exact = byName.get(beginning)
  if (exact !== undefined) return exact
  if (beginning === '') return []
  const found = [...byName.values()].filter(({ name }) => name.startsWith(beginning))
  const first = found[0]
  if (first === undefined) return []
  const isOne = found.every(({ option, isNegation }) => option === first.option && isNegation === first.isNegation)
  return isOne ? first : found.map(({ name }) => name).sort()
}

/** A name as shown in a message: one of unreasonable length is cut. */
export const shown = (text: string): string => {
  const printable = text.replace(/[\x00-\x1f\x7f]/g, '\ufffd')
  return printable.length > 80 ? `${printable.slice(0, 77)}...` : printable
}

/**
 * Why a name is not an option, and what may have been meant: `unknown option '--wrokers' (did you mean '--workers'?)`.
 * @param prefix what precedes a name at the place where it was written: `--` or nothing
 */
export const unknownOption = (name: string, prefix: string): string => {
  if (isUwsgiOption(name)) return `polywsgi does not have uWSGI's option '${prefix}${name}'`
  const nearest = nearestName(name, byName.keys())
  const hint = nearest === undefined ? '' : ` (did you mean '${prefix}${nearest}'?)`
  return `unknown option '${prefix}${shown(name)}'${hint}`
}
