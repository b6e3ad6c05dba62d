// The configuration: from command line, environment and files, or from an embedder's object, to typed and frozen settings.
// Reads files through `Surroundings` and has no other effect. Everything in it derives from the options table.
import type { OptionMap } from '../api/kinds.ts'
import { parseCommandLine } from './command-line.ts'
import { addDirective, ConfigFiles } from './config-files.ts'
import { DirectiveStore } from './directive.ts'
import { parseEnvironment } from './environment.ts'
import type { ExpansionContext } from './expand.ts'
import { renderHelp } from './help.ts'
import type { ActionKind } from './option.ts'
import type { Settings } from './options/index.ts'
import { resolveSettings } from './resolve.ts'
import { settingDirectives } from './settings-object.ts'
import { renderConfig } from './show-config.ts'
import { nodeSurroundings, type Surroundings } from './surroundings.ts'

export type { Settings } from './options/index.ts'
export { renderOptionsDoc } from './options-doc.ts'
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
  /** Option name (the main one) to where it was set: `command line`, `app.ini:12`, `POLYWSGI_WORKERS`, `default`. */
  readonly sources: ReadonlyMap<string, string>
  /** What the operator should know at start: options without effect, unknown options of files. */
  readonly warnings: readonly string[]
  readonly action: ImmediateAction | undefined
}

type EnvironmentVariables = Readonly<Record<string, string | undefined>>

/**
 * The configuration of a command.
 * @param argv the arguments after the program's name
 * @param cwd what relative paths of configuration files are relative to
 * @throws ConfigError with a message that names the option and the place where it was set
 */
export const loadConfiguration = (
  argv: readonly string[],
  env: EnvironmentVariables,
  cwd: string,
  surroundings: Surroundings = nodeSurroundings,
): Configuration => {
  const commandLine = parseCommandLine(argv)
  const { action } = commandLine
  if (action === 'help' || action === 'version') {
    const text = action === 'help' ? renderHelp() : surroundings.version
    return { ...settingsFrom({}), action: { kind: action, text } }
  }
  const environment = parseEnvironment(env)
  const { context, warnings } = newContext(env, cwd, surroundings)
  for (const warning of environment.warnings) context.warn(warning)
  // The stronger layers first: blocks of files ask what is set.
  for (const directive of [...environment.directives, ...commandLine.directives]) addDirective(context, directive)
  const files = new ConfigFiles(context)
  for (const file of [...environment.files, ...commandLine.files]) files.load(file)
  const configuration = { ...resolveSettings(context), warnings: [...warnings], action: undefined }
  if (action === undefined) return configuration
  return {
    ...configuration,
    action: action === 'show-config' ? { kind: action, text: renderConfig(configuration) } : { kind: action },
  }
}

/**
 * The configuration of an embedder: checked as the command's is, defaults filled in, nothing in the values expanded.
 * @throws ConfigError for an unknown or ill-typed setting
 */
export const settingsFrom = (partial: Partial<Settings>): Configuration => {
  const { context, warnings } = newContext({}, '/', nodeSurroundings)
  for (const directive of settingDirectives(partial)) addDirective(context, directive)
  return { ...resolveSettings(context), warnings: [...warnings], action: undefined }
}

const newContext = (
  env: EnvironmentVariables,
  cwd: string,
  surroundings: Surroundings,
): { context: ExpansionContext; warnings: ReadonlySet<string> } => {
  // A set: a value that is looked at early by an include is looked at again at the end.
  const warnings = new Set<string>()
  const context = { store: new DirectiveStore(), env, cwd, surroundings, warn: (warning: string) => void warnings.add(warning) }
  return { context, warnings }
}
