// What a plugin written as a guest's file says of itself, checked: its name, its modifier1, its options, its hooks. The
// binding hands over what it found in the file as plain data, so that every language is held to the same.
// Invariant: a description is plain data and crosses threads; what is wrong is refused with the file, and the line where one
// is to be had.
import { nearestName } from '../config/nearest.ts'
import { AppLoadError } from '../errors.ts'
import { type GuestHookName, guestHooks, isGuestHook, refusedGuestHooks } from './guest-hooks.ts'
import type { Plugin } from './plugin.ts'
import type { PluginOption } from './plugin-option.ts'

/** A value of a kind that plain data has not: what the guest's language calls it. */
export class Unfit {
  readonly type: string

  constructor(type: string) {
    this.type = type
  }
}

/** Values of a guest's file: truth, numbers, text, sequences, and tables by name. Nothing (nil, None) is undefined. */
export type Plain = undefined | boolean | number | string | Unfit | readonly Plain[] | { readonly [name: string]: Plain }

/** What a binding found in a file. */
export interface GuestDeclarations {
  readonly file: string
  /** The members that are no functions. */
  readonly values: ReadonlyMap<string, Plain>
  /** Those that are, and the line each begins in. */
  readonly functions: ReadonlyMap<string, number>
  /** True when all members are the plugin's; a module has functions and values of its own beside them. */
  readonly isStrict: boolean
}

/** What must be known of a plugin before anything runs. Plain data. */
export interface GuestPluginDescription extends Pick<Plugin, 'name' | 'alias' | 'modifier1' | 'appExtensions'> {
  readonly options: readonly PluginOption[]
  readonly hooks: readonly GuestHookName[]
}

const valueNames = ['name', 'alias', 'modifier1', 'options', 'app_extensions'] as const
const hookNames = Object.keys(guestHooks) as GuestHookName[]
const allNames = [...valueNames, ...hookNames]

/** @throws AppLoadError naming the file and what is wrong in it */
export const describedBy = (declarations: GuestDeclarations): GuestPluginDescription => {
  const { file, values } = declarations
  const refuse = (why: string, line?: number): never => {
    throw new AppLoadError(`${file}${line === undefined || line <= 0 ? '' : `:${line}`}: ${why}`)
  }
  const hooks = hooksOf(declarations, refuse)
  const text = (name: 'name' | 'alias'): string | undefined => {
    const value = values.get(name)
    if (value === undefined) return undefined
    if (typeof value !== 'string') return refuse(`${name} must be a string, not ${kindOf(value)}`)
    if (!/^[\w.-]{1,64}$/.test(value)) return refuse(`${name} must be of letters, digits, '_', '-' and '.', not '${value}'`)
    return value
  }
  const name = text('name') ?? refuse('the plugin has no name')
  const modifier1 = values.get('modifier1')
  if (modifier1 !== undefined && !(isWhole(modifier1) && modifier1 >= 0 && modifier1 <= 255)) {
    refuse(`modifier1 must be a whole number from 0 to 255, not ${kindOf(modifier1)}`)
  }
  if (hooks.includes('request') && modifier1 === undefined) {
    refuse('the plugin has a request hook but no modifier1', declarations.functions.get('request'))
  }
  const alias = text('alias')
  const appExtensions = extensionsOf(values.get('app_extensions'), refuse)
  return {
    name,
    ...(alias === undefined ? {} : { alias }),
    ...(modifier1 === undefined ? {} : { modifier1: modifier1 as number }),
    ...(appExtensions === undefined ? {} : { appExtensions }),
    options: optionsOf(values.get('options'), refuse),
    hooks,
  }
}

/** What a plugin is that `loadPlugin` has loaded. */
export const descriptionOf = (plugin: Plugin): GuestPluginDescription => {
  const { name, alias, modifier1, appExtensions, options = [] } = plugin
  return {
    name,
    ...(alias === undefined ? {} : { alias }),
    ...(modifier1 === undefined ? {} : { modifier1 }),
    ...(appExtensions === undefined ? {} : { appExtensions }),
    // What a language's own plugins hold beside data stays behind.
    options: options.map(({ set: _, ...option }) => option as PluginOption),
    hooks: hookNames.filter((hook) => plugin[guestHooks[hook].member] !== undefined),
  }
}

/** Stands for the plugin where none of its hooks is called: in the master. */
export const standInFor = ({ hooks: _, ...said }: GuestPluginDescription): Plugin => said

type Refuse = (why: string, line?: number) => never

const hooksOf = ({ values, functions, isStrict }: GuestDeclarations, refuse: Refuse): GuestHookName[] => {
  for (const [name, line] of functions) {
    if (isGuestHook(name)) continue
    const reason = refusedGuestHooks[name]
    if (reason !== undefined) refuse(`a plugin file cannot have the hook '${name}': ${reason}`, line)
    if (valueNames.some((known) => known === name)) refuse(`${name} must not be a function`, line)
    const nearest = nearestName(snakeCase(name), [...Object.keys(guestHooks), ...Object.keys(refusedGuestHooks)])
    if (nearest !== undefined) {
      const way = isStrict ? '' : ' (a function that is none is named with a leading underscore)'
      refuse(`there is no hook '${name}': did you mean '${nearest}'?${way}`, line)
    }
    if (isStrict) refuse(`there is no hook '${name}'`, line)
  }
  for (const [name, value] of values) {
    if (isGuestHook(name)) refuse(`the hook '${name}' must be a function, not ${kindOf(value)}`)
    if (!isStrict || valueNames.some((known) => known === name)) continue
    const nearest = nearestName(name, allNames)
    refuse(`a plugin has no member '${name}'${nearest === undefined ? '' : `: did you mean '${nearest}'?`}`)
  }
  return hookNames.filter((name) => functions.has(name))
}

const extensionsOf = (value: Plain, refuse: Refuse): readonly string[] | undefined => {
  if (value === undefined) return undefined
  const extensions = listOf(value)
  if (extensions === undefined) return refuse(`app_extensions must be a list, not ${kindOf(value)}`)
  for (const extension of extensions) {
    if (typeof extension !== 'string' || !/^\.\w[\w.-]*$/.test(extension)) {
      refuse(`app_extensions must be of strings like '.fth', not ${shown(extension)}`)
    }
  }
  return extensions as readonly string[]
}

/** The members that an option of each type may have beside these. */
const commonMembers = ['name', 'type', 'help', 'shortcut']
const optionMembers: Readonly<Record<PluginOption['type'], readonly string[]>> = {
  flag: [],
  integer: ['min', 'max', 'default'],
  size: ['min', 'max', 'default'],
  seconds: ['min', 'default'],
  text: ['value', 'default'],
  list: ['value', 'separator'],
}

const optionsOf = (value: Plain, refuse: Refuse): readonly PluginOption[] => {
  if (value === undefined) return []
  const options = listOf(value)
  if (options === undefined) return refuse(`options must be a list, not ${kindOf(value)}`)
  const names = new Set<string>()
  return options.map((option, index) => {
    const place = `option ${index + 1}`
    if (typeof option !== 'object' || option instanceof Unfit || isList(option)) {
      return refuse(`${place} must have a name, a type and a help text, it is ${kindOf(option)}`)
    }
    const { name, type, help } = option as { readonly [name: string]: Plain }
    if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9-]*$/.test(name)) {
      return refuse(`${place}: its name must be of lower case letters, digits and dashes, not ${shown(name)}`)
    }
    if (names.has(name)) refuse(`two options are named '${name}'`)
    names.add(name)
    const types = Object.keys(optionMembers)
    if (typeof type !== 'string' || !types.includes(type)) {
      return refuse(`option '${name}': its type must be one of ${types.join(', ')}, not ${shown(type)}`)
    }
    if (typeof help !== 'string' || help.trim() === '') refuse(`option '${name}' has no help text`)
    const allowed = [...commonMembers, ...optionMembers[type as PluginOption['type']]]
    for (const [member, given] of Object.entries(option)) {
      if (!allowed.includes(member)) refuse(`option '${name}': an option of type ${type} has no '${member}'`)
      const wanted = wantedOf(member, type)
      if (given !== undefined && !wanted.fits(given))
        refuse(`option '${name}': ${member} must be ${wanted.what}, not ${shown(given)}`)
    }
    return option as unknown as PluginOption
  })
}

const wantedOf = (member: string, type: string): { what: string; fits(value: Plain): boolean } => {
  if (member === 'shortcut') return { what: 'one letter', fits: (value) => typeof value === 'string' && /^[A-Za-z]$/.test(value) }
  if (member === 'min' || member === 'max' || (member === 'default' && type !== 'text')) {
    return { what: type === 'seconds' ? 'a number' : 'a whole number', fits: type === 'seconds' ? isNumber : isWhole }
  }
  return { what: 'a string', fits: (value) => typeof value === 'string' }
}

const isNumber = (value: Plain): value is number => typeof value === 'number' && Number.isFinite(value)
const isWhole = (value: Plain): value is number => Number.isSafeInteger(value)
const isList = (value: Plain): value is readonly Plain[] => Array.isArray(value)

/** A table without members is both a list and none in some languages. */
const listOf = (value: Plain): readonly Plain[] | undefined => {
  if (isList(value)) return value
  const isEmpty = typeof value === 'object' && !(value instanceof Unfit) && Object.keys(value).length === 0
  return isEmpty ? [] : undefined
}

const kindOf = (value: Plain): string => {
  if (value instanceof Unfit) return `a ${value.type}`
  if (isList(value)) return 'a list'
  if (value === undefined) return 'nothing'
  return typeof value === 'object' ? 'a table of names' : shown(value)
}

const shown = (value: Plain): string => {
  if (typeof value === 'string') return `'${value.length > 80 ? `${value.slice(0, 80)}...` : value}'`
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : kindOf(value)
}

/** `postFork` as a hook's author may have meant it. */
const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
