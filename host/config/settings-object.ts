// Settings given as an object by an embedder, turned into directives, so that they are checked by the same code as every
// other source. Here only what a text cannot get wrong is checked: the JavaScript type.
import type { Directive } from './directive.ts'
import { badValue, unknownName } from './faults.ts'
import type { SettingOption } from './option.ts'
import type { OptionTable } from './option-table.ts'
import { shown } from './shown.ts'
import { formatMode } from './value.ts'

const where = 'settings'

const expected: Readonly<Record<SettingOption['type'], string>> = {
  flag: 'true or false',
  integer: 'a number',
  size: 'a number of bytes',
  seconds: 'a number of seconds',
  mode: 'a number, as in 0o660',
  text: 'a string',
  list: 'an array of strings',
}

/**
 * @param partial setting names to values; undefined counts as not given
 * @throws ConfigError
 */
export const settingDirectives = (partial: Readonly<Record<string, unknown>>, table: OptionTable): readonly Directive[] => {
  const directives: Directive[] = []
  for (const [name, value] of Object.entries(partial)) {
    const option = table.findSetting(name)
    if (option === undefined) throw unknownName(where, table.unknownSetting(name))
    if (value === undefined) continue
    for (const text of textsOf(option, name, value)) {
      directives.push({ name: option.name, value: text, layer: 'settings', where, isLiteral: true })
    }
  }
  return directives
}

const textsOf = (option: SettingOption, name: string, value: unknown): readonly (string | true)[] => {
  const refuse = (): never => {
    const told = typeof value === 'string' ? `'${shown(value)}'` : describe(value)
    throw badValue(where, `${name} must be ${expected[option.type]}, not ${told}`)
  }
  switch (option.type) {
    case 'flag':
      if (typeof value !== 'boolean') return refuse()
      return [value || 'false']
    case 'text':
      return typeof value === 'string' ? [value] : refuse()
    case 'list':
      if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) return refuse()
      return value as readonly string[]
    case 'mode':
      if (!Number.isInteger(value) || Number(value) < 0 || Number(value) > 0o7777) return refuse()
      return [formatMode(Number(value))]
    default:
      // NaN and the infinities are numbers of no size.
      return Number.isFinite(value) ? [String(value)] : refuse()
  }
}

const describe = (value: unknown): string => {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string') ? 'an array' : 'an array of other things'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}
