// The options that one configuration has: our own rows, and those of the plugins it has loaded. From a name to its row: names
// are exact, as uWSGI's are (`-` is not `_`); only the command line also takes unique beginnings of long names, as getopt does.
// A table never changes: plugins make a larger one, so two hosts in one process share nothing.
import { hookRefusal } from '../hooks/phases.ts'
import { nearestName } from './nearest.ts'
import { hasSetting, type Option, type PluginRow, type SettingOption, settingName } from './option.ts'
import { options } from './options/index.ts'
import { shown } from './shown.ts'
import { isUwsgiOption, successorHint } from './uwsgi-names.ts'

export interface FoundOption {
  readonly option: Option
  /** The name as the table spells it: an alias stays one, a beginning is completed. */
  readonly name: string
  /** The name is one that turns the option off. */
  readonly isNegation: boolean
}

/** The rows of one plugin, in the order in which it declares them. */
export interface PluginRows {
  readonly plugin: string
  readonly rows: readonly PluginRow[]
}

export class OptionTable {
  /** Our own rows. */
  readonly own: readonly Option[]
  readonly ofPlugins: readonly PluginRows[]
  readonly #byName = new Map<string, FoundOption>()
  readonly #byLetter = new Map<string, FoundOption>()
  readonly #bySetting = new Map<string, SettingOption>()

  constructor(own: readonly Option[], ofPlugins: readonly PluginRows[] = []) {
    this.own = own
    this.ofPlugins = ofPlugins
    for (const option of this.all()) {
      for (const name of [option.name, ...(option.aliases ?? [])]) this.#byName.set(name, { option, name, isNegation: false })
      if (option.type === 'flag') {
        for (const name of option.negations ?? []) this.#byName.set(name, { option, name, isNegation: true })
      }
      if (option.shortcut !== undefined) this.#byLetter.set(option.shortcut, { option, name: option.name, isNegation: false })
      if (hasSetting(option)) this.#bySetting.set(settingName(option.name), option)
    }
  }

  /** The table with the rows of one more plugin; the names must be free. */
  with(plugin: PluginRows): OptionTable {
    return new OptionTable(this.own, [...this.ofPlugins, plugin])
  }

  all(): readonly Option[] {
    return [...this.own, ...this.ofPlugins.flatMap(({ rows }) => rows)]
  }

  find(name: string): FoundOption | undefined {
    return this.#byName.get(name)
  }

  findLetter(letter: string): FoundOption | undefined {
    return this.#byLetter.get(letter)
  }

  /** An exact name, or what its beginning stands for; several names when it stands for different options, none when for nothing. */
  findByBeginning(beginning: string): FoundOption | readonly string[] {
    const exact = this.#byName.get(beginning)
    if (exact !== undefined) return exact
    if (beginning === '') return []
    const found = [...this.#byName.values()].filter(({ name }) => name.startsWith(beginning))
    const first = found[0]
    if (first === undefined) return []
    const isOne = found.every(({ option, isNegation }) => option === first.option && isNegation === first.isNegation)
    return isOne ? first : found.map(({ name }) => name).sort()
  }

  /** The option of a setting's name: `httpSocket`. */
  findSetting(name: string): SettingOption | undefined {
    return this.#bySetting.get(name)
  }

  /**
   * Why a name is not an option, and what may have been meant: `unknown option '--wrokers' (did you mean '--workers'?)`.
   * @param prefix what precedes a name at the place where it was written: `--` or nothing
   */
  unknownOption(name: string, prefix: string): string {
    const refusal = hookRefusal(name)
    if (refusal !== undefined) return `polywsgi does not have uWSGI's option '${prefix}${name}': ${refusal}`
    if (isUwsgiOption(name)) return `polywsgi does not have uWSGI's option '${prefix}${name}'${successorHint(name, prefix)}`
    return `unknown option '${prefix}${shown(name)}'${hint(nearestName(name, this.#byName.keys()), prefix)}`
  }

  /** The same for a setting: `unknown setting 'worker' (did you mean 'workers'?)`. */
  unknownSetting(name: string): string {
    return `unknown setting '${shown(name)}'${hint(nearestName(name, this.#bySetting.keys()), '')}`
  }
}

const hint = (nearest: string | undefined, prefix: string): string =>
  nearest === undefined ? '' : ` (did you mean '${prefix}${nearest}'?)`

/** Our own options and nothing else. */
export const ownOptions = new OptionTable(options)
