// The vocabulary in which the options table is written, and the mapped types that turn the table into typed settings:
// a row added to the table adds its setting, and nothing else has to be told.

export const optionGroups = {
  sockets: 'Sockets',
  apps: 'Applications',
  workers: 'Workers',
  requests: 'Requests',
  static: 'Static files and offloading',
  server: 'Server',
  logging: 'Logging',
  subsystems: 'Subsystems',
  hooks: 'Hooks',
  plugins: 'Plugins',
  configuration: 'Configuration',
} as const

export type OptionGroup = keyof typeof optionGroups

/** An option either does what its help says, or is parsed only: then `note` tells what happens instead. */
type Effect = { readonly effect: 'works' } | { readonly effect: 'accepted'; readonly note: string }

interface OptionBase {
  /** The name in lower case with dashes; the setting's name is its camelCase form. */
  readonly name: string
  readonly aliases?: readonly string[]
  /** The short letter: `p` for `-p`. */
  readonly shortcut?: string
  readonly group: OptionGroup
  /** One or two sentences; a departure from uWSGI is said with "Differs from uWSGI:". */
  readonly help: string
}

/** Off unless given. Given without a value it is on; with one: `true on yes 1`, or `false off no 0`. */
export type FlagOption = OptionBase & {
  readonly type: 'flag'
  /** Names that turn the option off. */
  readonly negations?: readonly string[]
  /** What the option asks for is so in any case: the setting is always true, and turning it off is warned about with this. */
  readonly alwaysOn?: string
} & Effect

/** A whole number from `min` to `max`. `maxReason` tells in the refusal why there is an end. */
export type IntegerOption = OptionBase & {
  readonly type: 'integer'
  readonly min: number
  readonly max: number
  readonly maxReason?: string
  readonly default?: number
  readonly unit?: string
} & Effect

/** Bytes: a plain number, or one followed by k, m or g (powers of 1024). */
export type SizeOption = OptionBase & {
  readonly type: 'size'
  readonly min: number
  readonly max: number
  readonly maxReason?: string
  readonly default?: number
} & Effect

/** A number of seconds, fractions allowed. `bare` is the value meant by the option given without one. */
export type SecondsOption = OptionBase & {
  readonly type: 'seconds'
  readonly min: number
  readonly default?: number
  readonly bare?: number
} & Effect

/** Any text but the empty one. `value` names it in the help. `bare` is the value meant by the option given without one. */
export type TextOption = OptionBase & {
  readonly type: 'text'
  readonly value: string
  readonly default?: string
  readonly bare?: string
} & Effect

/** File permissions in octal: `660`. */
export type ModeOption = OptionBase & { readonly type: 'mode'; readonly default?: number; readonly bare: number } & Effect

/** May be repeated; every value counts. `item` tells how one value is checked. */
export type ListOption = OptionBase & {
  readonly type: 'list'
  readonly value: string
  readonly item: 'text' | 'address' | 'mount' | 'assignment'
  /** Also separates values within one. */
  readonly separator?: string
  readonly bare?: string
} & Effect

/** Loads a configuration file. No setting. */
export type FileOption = OptionBase & { readonly type: 'file'; readonly format: ConfigFormat | 'by-extension' } & Effect

/** Defines a name for `%(name)`; `mayBeOption` allows to set an option this way too. No setting. */
export type DefinitionOption = OptionBase & { readonly type: 'definition'; readonly mayBeOption: boolean } & Effect

/** Is carried out at once instead of starting the server; on the command line only. No setting. */
export type ActionOption = OptionBase & { readonly type: 'action'; readonly action: ActionKind } & Effect

export type ConfigFormat = 'ini' | 'yaml' | 'json' | 'toml' | 'xml'
export type ActionKind = 'help' | 'version' | 'show-config' | 'plugins-list' | 'dot-h' | 'build-config'

/** The options that have a setting. */
export type SettingOption = FlagOption | IntegerOption | SizeOption | SecondsOption | TextOption | ModeOption | ListOption
export type Option = SettingOption | FileOption | DefinitionOption | ActionOption

/** A row that a plugin has brought. Its value is no setting of ours: it goes to the plugin. */
export type PluginRow = SettingOption & { readonly effect: 'works' }

type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Tail}` ? `${Head}${Capitalize<CamelCase<Tail>>}` : Name

interface SettingTypes {
  flag: boolean
  integer: number
  size: number
  seconds: number
  mode: number
  text: string
  list: readonly string[]
}

type ValueOf<O extends SettingOption> = O extends { type: 'flag' | 'list' } | { default: number | string }
  ? SettingTypes[O['type']]
  : SettingTypes[O['type']] | undefined

type SettingRow<O> = O extends { type: keyof SettingTypes } ? O : never

/** The settings a list of options gives: one per row of a setting's type, under the camelCase form of its name. */
export type SettingsOf<Options extends readonly Option[]> = {
  readonly [O in SettingRow<Options[number]> as CamelCase<O['name']>]: ValueOf<O>
}

export const hasSetting = (option: Option): option is SettingOption =>
  option.type !== 'file' && option.type !== 'definition' && option.type !== 'action'

/** `http-socket` → `httpSocket`. */
export const settingName = (optionName: string): string =>
  optionName.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
