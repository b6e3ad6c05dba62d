// The configuration: from command line, environment and files, or from an embedder's object, to typed and frozen settings.
// Reads files through `Surroundings`, has plugins loaded by a `PluginLoader`, and has no other effect. Everything in it derives
// from the options table.
import type { OptionMap } from '../api/kinds.ts'
import { ConfigError } from '../errors.ts'
import type { PluginSource } from '../plugin/plugin-source.ts'
import { type CommandLine, parseCommandLine } from './command-line.ts'
import { addDirective, ConfigFiles } from './config-files.ts'
import { DirectiveStore } from './directive.ts'
import { parseEnvironment } from './environment.ts'
import type { ExpansionContext } from './expand.ts'
import { renderHelp } from './help.ts'
import type { ActionKind } from './option.ts'
import { type OptionTable, ownOptions } from './option-table.ts'
import type { Settings } from './options/index.ts'
import type { PluginLoader } from './plugin-loader.ts'
import { askedFor, PluginSet } from './plugin-set.ts'
import { type PluginOptions, resolveSettings } from './resolve.ts'
import { settingDirectives } from './settings-object.ts'
import { renderConfig } from './show-config.ts'
import { nodeSurroundings, type Surroundings, steadySurroundings } from './surroundings.ts'

export type { Settings } from './options/index.ts'
export { renderOptionsDoc } from './options-doc.ts'
export type { AskedPlugin, LoadedPlugin, PluginLoader, PluginSurroundings } from './plugin-loader.ts'
export type { PluginOptions } from './resolve.ts'
export type { Surroundings } from './surroundings.ts'

/** What to do at once instead of starting; `text` is what to print, without a final line break, where it is known here. */
export interface ImmediateAction {
  readonly kind: ActionKind
  readonly text?: string
}

export interface Configuration {
  readonly settings: Settings
  /** Name as given to its values as texts, names unknown to us included; `true` for an option given without a value. */
  readonly opt: OptionMap
  /** Of `opt` the names that `set` and `set-placeholder` have defined. */
  readonly defined: OptionMap
  /** Option name (the main one) to where it was set: `command line`, `app.ini:12`, `POLYWSGI_WORKERS`, `default`. */
  readonly sources: ReadonlyMap<string, string>
  /** What the operator should know at start: options without effect, unknown options of files. */
  readonly warnings: readonly string[]
  /** The plugins to load beside those that are always there, in the order in which they were asked for. */
  readonly plugins: readonly PluginSource[]
  /** The values of their options. */
  readonly pluginOptions: PluginOptions
  /** Why a plugin that was asked for is not there, a line of the log for each. */
  readonly pluginFailures: readonly string[]
  readonly action: ImmediateAction | undefined
}

/** Settings, and options of plugins by their camelCase names. */
export type UncheckedSettings = Partial<Settings> & Readonly<Record<string, unknown>>

type EnvironmentVariables = Readonly<Record<string, string | undefined>>

/** What a configuration is read from. `argv`: the arguments after the program's name; `cwd`: where relative paths begin. */
export interface ConfigurationInput {
  readonly argv: readonly string[]
  readonly env: EnvironmentVariables
  readonly cwd: string
  readonly surroundings: Surroundings
}

/** The plugins that are there when a configuration is read. */
export type PluginsAtHand = Pick<PluginSet, 'table' | 'sources' | 'failures' | 'magic'>

const noPlugins: PluginsAtHand = { table: ownOptions, sources: [], failures: [], magic: () => false }

/**
 * The configuration of a command, with the plugins it asks for.
 * @throws ConfigError with a message that names the option and the place where it was set; PolywsgiError PLUGIN_LOAD for a
 *   plugin of `need-plugin` that cannot be had
 */
export const loadConfiguration = async (
  argv: readonly string[],
  env: EnvironmentVariables,
  cwd: string,
  loader: PluginLoader,
  surroundings: Surroundings = nodeSurroundings,
): Promise<Configuration> => {
  // Read more than once, it must read the same: a file may be a pipe.
  const input: ConfigurationInput = { argv, env, cwd, surroundings: steadySurroundings(surroundings) }
  const plugins = new PluginSet(loader)
  const commandLine = (): CommandLine => parseCommandLine(argv, { table: plugins.table, unknown: 'skip' })
  const { action } = commandLine()
  try {
    // An option that a plugin adds may be what tells that an argument is a value and no file, so all is read again.
    while (action !== 'version' && (await plugins.add(askedFor(gather(input, commandLine(), plugins.table).context))));
  } catch (error) {
    // Help is for those whose configuration is not right yet.
    if (action !== 'help') throw error
  }
  try {
    return readConfiguration(input, plugins)
  } catch (error) {
    // The option that nobody knows is likely one of a plugin that is not there.
    if (!(error instanceof ConfigError) || plugins.failures.length === 0) throw error
    throw new ConfigError(error.code, [error.message, ...plugins.failures].join('\n'), { cause: error })
  }
}

/**
 * The configuration of a command, given the plugins.
 * @throws ConfigError with a message that names the option and the place where it was set
 */
export const readConfiguration = (input: ConfigurationInput, plugins: PluginsAtHand = noPlugins): Configuration => {
  const { table } = plugins
  const commandLine = parseCommandLine(input.argv, { table, unknown: { magic: (argument) => plugins.magic(argument) } })
  const { action } = commandLine
  if (action === 'help' || action === 'version') {
    const text = action === 'help' ? renderHelp(table) : input.surroundings.version
    return { ...settingsFrom({}, plugins), action: { kind: action, text } }
  }
  const { context, warnings } = gather(input, commandLine, table)
  const configuration = configurationOf(context, warnings, plugins)
  if (action === undefined) return configuration
  return {
    ...configuration,
    action: action === 'show-config' ? { kind: action, text: renderConfig(configuration, table) } : { kind: action },
  }
}

/**
 * The configuration of an embedder: checked as the command's is, defaults filled in, nothing in the values expanded.
 * @throws ConfigError for an unknown or ill-typed setting; PolywsgiError PLUGIN_LOAD as `loadConfiguration` does
 */
export const loadSettings = async (partial: UncheckedSettings, cwd: string, loader: PluginLoader): Promise<Configuration> => {
  const plugins = new PluginSet(loader)
  const { plugin, needPlugin, pluginsDir } = partial
  const { context } = newContext({}, cwd, nodeSurroundings, plugins.table)
  for (const directive of settingDirectives({ plugin, needPlugin, pluginsDir }, plugins.table)) addDirective(context, directive)
  await plugins.add(askedFor(context))
  return settingsFrom(partial, plugins)
}

/**
 * The same, given the plugins.
 * @throws ConfigError for an unknown or ill-typed setting
 */
export const settingsFrom = (partial: UncheckedSettings, plugins: PluginsAtHand = noPlugins): Configuration => {
  const { context, warnings } = newContext({}, '/', nodeSurroundings, plugins.table)
  for (const directive of settingDirectives(partial, plugins.table)) addDirective(context, directive)
  return configurationOf(context, warnings, plugins)
}

interface Gathered {
  readonly context: ExpansionContext
  readonly warnings: ReadonlySet<string>
}

/** Everything that is said, unjudged: what an unknown name means is seen when it is resolved. */
const gather = ({ env, cwd, surroundings }: ConfigurationInput, commandLine: CommandLine, table: OptionTable): Gathered => {
  const environment = parseEnvironment(env, table)
  const { context, warnings } = newContext(env, cwd, surroundings, table)
  for (const warning of environment.warnings) context.warn(warning)
  // The stronger layers first: blocks of files ask what is set.
  for (const directive of [...environment.directives, ...commandLine.directives]) addDirective(context, directive)
  const files = new ConfigFiles(context)
  for (const file of [...environment.files, ...commandLine.files]) files.load(file)
  return { context, warnings }
}

const configurationOf = (
  context: ExpansionContext,
  warnings: ReadonlySet<string>,
  { sources: plugins, failures: pluginFailures }: PluginsAtHand,
): Configuration => ({
  ...resolveSettings(context),
  warnings: [...warnings],
  plugins,
  pluginFailures,
  action: undefined,
})

const newContext = (env: EnvironmentVariables, cwd: string, surroundings: Surroundings, table: OptionTable): Gathered => {
  // A set: a value that is looked at early by an include is looked at again at the end.
  const warnings = new Set<string>()
  const warn = (warning: string): void => void warnings.add(warning)
  return { context: { table, store: new DirectiveStore(), env, cwd, surroundings, warn }, warnings }
}
