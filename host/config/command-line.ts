// The command line, read as getopt_long does: `--name value`, `--name=value`, unique beginnings of long names, short letters
// put together (`-Mp 4`, `-p4`), `--` ends the options. What is no option is a configuration file or an application.
import type { ConfigError } from '../errors.ts'
import { blockAliases, blockEnds, blocks } from './blocks.ts'
import type { FileRequest } from './config-files.ts'
import type { Directive } from './directive.ts'
import { badValue, unknownName } from './faults.ts'
import { configExtensions, formatOfPath } from './formats/index.ts'
import { type ActionKind, hasSetting } from './option.ts'
import type { FoundOption, OptionTable } from './option-table.ts'
import { shown } from './shown.ts'
import { BadValue, mayBeBare, parseValue } from './value.ts'

export interface CommandLine {
  readonly directives: readonly Directive[]
  readonly files: readonly FileRequest[]
  /** The first action asked for. `help` and `version` end the reading: what follows is not looked at. */
  readonly action: ActionKind | undefined
}

const where = 'command line'
const appOptions: Readonly<Record<string, string>> = {
  '.py': 'wsgi-file',
  '.wsgi': 'wsgi-file',
  '.lua': 'lua',
  '.js': 'js',
  '.mjs': 'js',
}

export interface CommandLineReading {
  readonly table: OptionTable
  /**
   * What an argument may be that is nothing we know: `refuse` unless a plugin's magic takes it, or `skip` while the plugins
   * are still to be found. An option that nobody knows may have a value: then the argument that follows it is skipped too.
   */
  readonly unknown: 'skip' | { readonly magic: (argument: string) => boolean }
}

/** @throws ConfigError */
export const parseCommandLine = (argv: readonly string[], reading: CommandLineReading): CommandLine =>
  new Reader(argv, reading).read()

class Reader {
  readonly #argv: readonly string[]
  readonly #table: OptionTable
  readonly #unknown: CommandLineReading['unknown']
  readonly #directives: Directive[] = []
  readonly #files: FileRequest[] = []
  readonly #apps = new Map<string, string>()
  #action: ActionKind | undefined
  #position = 0

  constructor(argv: readonly string[], { table, unknown }: CommandLineReading) {
    this.#argv = argv
    this.#table = table
    this.#unknown = unknown
  }

  read(): CommandLine {
    let areOptions = true
    while (this.#position < this.#argv.length && !(this.#action === 'help' || this.#action === 'version')) {
      const argument = this.#argv[this.#position++]!
      if (areOptions && argument === '--') areOptions = false
      else if (areOptions && argument.startsWith('--')) this.#long(argument)
      else if (areOptions && argument.startsWith('-') && argument !== '-') this.#letters(argument)
      else this.#positional(argument)
    }
    return { directives: this.#directives, files: this.#files, action: this.#action }
  }

  #long(argument: string): void {
    const equals = argument.indexOf('=')
    const name = equals === -1 ? argument.slice(2) : argument.slice(2, equals)
    const found = this.#table.findByBeginning(name)
    if (!('option' in found)) {
      if (this.#unknown !== 'skip') throw this.#unknownOrAmbiguous(name, found)
      if (equals === -1) this.#skipValue()
      return
    }
    this.#take(found, `--${found.name}`, equals === -1 ? undefined : argument.slice(equals + 1))
  }

  #letters(argument: string): void {
    // `-workers` would be the letter w with the value `orkers`: nobody means that.
    const asLong = /^-([a-z][a-z0-9-]{2,})/.exec(argument)?.[1]
    if (asLong !== undefined && this.#table.find(asLong) !== undefined) {
      throw unknownName(where, `'-${asLong}' is not an option (did you mean '--${asLong}'?)`)
    }
    for (let index = 1; index < argument.length; index++) {
      const letter = argument[index]!
      const found = this.#table.findLetter(letter)
      if (found === undefined) {
        if (this.#unknown === 'skip') {
          if (index === argument.length - 1) this.#skipValue()
          return
        }
        const place = argument.length > 2 ? ` in '${shown(argument)}'` : ''
        throw unknownName(where, `unknown option '-${shown(letter)}'${place}`)
      }
      const rest = argument.slice(index + 1)
      if (takesNoValue(found)) {
        this.#take(found, `-${letter}`, undefined)
        continue
      }
      this.#take(found, `-${letter}`, rest === '' ? undefined : rest)
      return
    }
  }

  /** @param attached the value that is part of the same argument */
  #take(found: FoundOption, spelled: string, attached: string | undefined): void {
    const { option } = found
    if (option.type === 'action') {
      if (attached !== undefined) throw badValue(where, `${spelled} takes no value`)
      this.#action ??= option.action
      return
    }
    if (found.isNegation && attached !== undefined) throw badValue(where, `${spelled} takes no value`)
    const value = attached ?? this.#followingValue(found, spelled)
    if (option.type === 'file')
      this.#files.push({ name: found.name, target: value === true ? '' : value, format: option.format, where })
    this.#directives.push({ name: found.name, value, layer: 'command line', where })
  }

  #followingValue(found: FoundOption, spelled: string): string | true {
    if (takesNoValue(found)) return true
    const next = this.#argv[this.#position]
    const { option } = found
    if (hasSetting(option) && mayBeBare(option)) {
      if (next === undefined || option.type === 'text' || option.type === 'list' || !isValueOf(found, next)) return true
      this.#position++
      return next
    }
    if (next === undefined) throw badValue(where, `${spelled} needs a value`)
    if (this.#isOption(next)) {
      throw badValue(
        where,
        `${spelled} needs a value, but the option '${next}' follows (write '${spelled}=${next}' if that is the value)`,
      )
    }
    this.#position++
    return next
  }

  #positional(argument: string): void {
    const path = argument.replace(/:[^:/]*$/, '')
    const format = formatOfPath(argument) ?? formatOfPath(path)
    if (format !== undefined) {
      this.#files.push({ name: 'config', target: argument, format, where })
      this.#directives.push({ name: 'config', value: argument, layer: 'command line', where, isLiteral: true })
      return
    }
    const name = appOptions[/\.[a-z]+$/i.exec(argument)?.[0].toLowerCase() ?? '']
    if (name === undefined) {
      if (this.#unknown === 'skip' || this.#unknown.magic(argument)) return
      throw unknownArgument(argument, this.#directives.at(-1))
    }
    const earlier = this.#apps.get(name)
    if (earlier !== undefined) {
      throw badValue(
        where,
        `'${shown(earlier)}' and '${shown(argument)}' cannot both be the application at the root: use --mount PREFIX=FILE`,
      )
    }
    this.#apps.set(name, argument)
    this.#directives.push({ name, value: argument, layer: 'command line', where, isLiteral: true })
  }

  /** Passes over the argument that may be the value of an option that is not known yet. */
  #skipValue(): void {
    const next = this.#argv[this.#position]
    if (next !== undefined && !next.startsWith('-')) this.#position++
  }

  /** Whether an argument is an option by its exact name, and not a value that begins with a dash. */
  #isOption(argument: string): boolean {
    return /^--./.test(argument)
      ? this.#table.find(argument.slice(2).split('=')[0]!) !== undefined
      : /^-[a-z]$/i.test(argument) && this.#table.findLetter(argument[1]!) !== undefined
  }

  #unknownOrAmbiguous(name: string, candidates: readonly string[]): ConfigError {
    const block = blockAliases[name] ?? name
    if (Object.hasOwn(blocks, block) || blockEnds.has(block)) {
      return unknownName(where, `'--${name}' is a block of configuration files and no option of the command line`)
    }
    if (candidates.length === 0) return unknownName(where, this.#table.unknownOption(name, '--'))
    return unknownName(
      where,
      `'--${name}' is the beginning of several options: ${candidates.map((other) => `--${other}`).join(', ')}`,
    )
  }
}

const takesNoValue = ({ option }: FoundOption): boolean => option.type === 'flag' || option.type === 'action'

const isValueOf = ({ option }: FoundOption, text: string): boolean => {
  try {
    if (hasSetting(option)) parseValue(option, text)
    return text !== ''
  } catch (error) {
    if (error instanceof BadValue) return false
    throw error
  }
}

const unknownArgument = (argument: string, previous: Directive | undefined): ConfigError => {
  const configs = configExtensions.join(' ')
  const apps = Object.keys(appOptions).join(' ')
  const isFlagValue = previous?.value === true && /^(true|false|on|off|yes|no|0|1)$/i.test(argument)
  const hint = isFlagValue ? `; for a value of ${previous.name} write '--${previous.name}=${argument}'` : ''
  return badValue(
    where,
    `'${shown(argument)}' is neither an option, nor a configuration file (${configs}), nor an application (${apps})${hint}`,
  )
}
