// From everything that was said to the settings that hold: the strongest layer wins (command line, environment, files), the
// last word within a layer; lists gather all layers, files first. Every value given is checked, also one that does not win.
import type { OptionMap, OptionValue } from '../api/kinds.ts'
import type { PluginOptionValue } from '../plugin/plugin-option.ts'
import type { Directive } from './directive.ts'
import { Expansion, type ExpansionContext } from './expand.ts'
import { badValue, unknownName, written } from './faults.ts'
import { hasSetting, type Option, type SettingOption, settingName } from './option.ts'
import type { Settings } from './options/index.ts'
import { BadValue, parseValue, type SettingValue } from './value.ts'

/** The values of plugins' options: by the plugin's name, then by the option's. One that does not hold any is not there. */
export type PluginOptions = ReadonlyMap<string, ReadonlyMap<string, PluginOptionValue>>

export interface Resolved {
  readonly settings: Settings
  readonly opt: OptionMap
  /** Of `opt` the names that `set` and `set-placeholder` have defined: they are no options, but the operator's own. */
  readonly defined: OptionMap
  readonly sources: ReadonlyMap<string, string>
  readonly pluginOptions: PluginOptions
}

/** One occurrence of an option, expanded and typed. */
interface Occurrence {
  readonly directive: Directive
  readonly text: string | true
  readonly value: SettingValue
}

/** @throws ConfigError */
export const resolveSettings = (context: ExpansionContext): Resolved => {
  const expansion = new Expansion(context)
  const occurrences = new Map<Option, Occurrence[]>()
  const unknown: Directive[] = []
  const opt = new Map<string, OptionValue[]>()
  const defined = new Map<string, OptionValue[]>()
  const keep = (name: string, value: OptionValue, map = opt): void => void (map.get(name)?.push(value) ?? map.set(name, [value]))

  for (const directive of context.store.all()) {
    const text = expansion.value(directive)
    const found = context.table.find(directive.name)
    if (found === undefined) {
      if (directive.isDefinition) keep(directive.name, text, defined)
      else unknown.push(directive)
      keep(directive.name, text)
      continue
    }
    if (!hasSetting(found.option)) {
      if (found.option.type === 'action')
        context.warn(`${directive.where}: '${directive.name}' works on the command line only; it is ignored`)
      keep(directive.name, text)
      continue
    }
    const value = typed(found.option, directive, text)
    const list = occurrences.get(found.option) ?? []
    occurrences.set(found.option, list)
    list.push({ directive, text, value: found.isNegation ? !value : value })
  }

  const settings: Record<string, SettingValue | undefined> = {}
  const sources = new Map<string, string>()
  const given = (option: SettingOption): readonly Occurrence[] => {
    const held = holding(option, occurrences.get(option) ?? [])
    for (const { directive, text } of held) keep(directive.name, text)
    sources.set(option.name, sourceOf(option, held))
    warnAbout(option, held, context)
    return held
  }
  for (const option of context.table.own) {
    if (hasSetting(option)) settings[settingName(option.name)] = settingOf(option, given(option))
  }
  const pluginOptions = new Map<string, ReadonlyMap<string, PluginOptionValue>>()
  for (const { plugin, rows } of context.table.ofPlugins) {
    const values = new Map<string, PluginOptionValue>()
    for (const option of rows) {
      const held = given(option)
      const value = held.length === 0 && !('default' in option) ? undefined : settingOf(option, held)
      if (value !== undefined) values.set(option.name, value)
    }
    pluginOptions.set(plugin, values)
  }
  judgeUnknown(unknown, settings['strict'] === true, expansion.usedNames, context)
  return { settings: Object.freeze(settings) as unknown as Settings, opt, defined, sources, pluginOptions }
}

/** @throws ConfigError naming the option and the place */
export const typed = (option: SettingOption, directive: Directive, text: string | true): SettingValue => {
  try {
    return parseValue(option, text)
  } catch (error) {
    if (!(error instanceof BadValue)) throw error
    throw badValue(directive.where, `${written(spelled(directive), text)}: ${error.message}`)
  }
}

/** The name as whoever set it knows it: a setting in an embedder's object, an option everywhere else. */
const spelled = ({ name, layer }: Directive): string => (layer === 'settings' ? settingName(name) : name)

/** The occurrences that count: all of a list, those of the strongest layer of anything else. */
const holding = (option: SettingOption, all: readonly Occurrence[]): readonly Occurrence[] => {
  if (option.type === 'list') return all
  const strongest = all.at(-1)?.directive.layer
  return all.filter(({ directive }) => directive.layer === strongest)
}

const settingOf = (option: SettingOption, given: readonly Occurrence[]): SettingValue | undefined => {
  if (option.type === 'list') return Object.freeze(given.flatMap(({ value }) => value as readonly string[]))
  if (option.type === 'flag') return option.alwaysOn !== undefined || given.at(-1)?.value === true
  return given.at(-1)?.value ?? option.default
}

const sourceOf = (option: SettingOption, given: readonly Occurrence[]): string => {
  if (given.length === 0) return 'default'
  const places = option.type === 'list' ? given.map(({ directive }) => directive.where) : [given.at(-1)!.directive.where]
  return [...new Set(places)].join(', ')
}

const warnAbout = (option: SettingOption, given: readonly Occurrence[], context: ExpansionContext): void => {
  const last = given.at(-1)
  if (last === undefined) return
  const { directive, text, value } = last
  // Switched off explicitly, an option without effect has the effect it asks for.
  if (option.effect === 'accepted' && value !== false) {
    context.warn(`${directive.where}: '${spelled(directive)}' has no effect in this version: ${option.note}`)
  }
  if (option.type === 'flag' && option.alwaysOn !== undefined && value === false) {
    context.warn(`${directive.where}: '${written(spelled(directive), text)}' has no effect: ${option.alwaysOn}`)
  }
}

/** Unknown options of files stay readable for applications; one that a placeholder refers to is a name of the operator's own. */
const judgeUnknown = (
  unknown: readonly Directive[],
  isStrict: boolean,
  usedNames: ReadonlySet<string>,
  context: ExpansionContext,
): void => {
  for (const directive of unknown) {
    const problem = context.table.unknownOption(directive.name, '')
    if (isStrict) throw unknownName(directive.where, `${problem}; 'strict' refuses it`)
    const isDefined = context.store.named(directive.name).some(({ isDefinition }) => isDefinition)
    if (isDefined || usedNames.has(directive.name)) continue
    context.warn(`${directive.where}: ${problem}; only applications can see it`)
  }
}
