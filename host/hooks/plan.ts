// The hooks of a configuration as plain data that crosses to threads: every line read and checked before anything runs.
import { nearestName } from '../config/nearest.ts'
import type { Plugin } from '../plugin/plugin.ts'
import { BadArgument, hookFault } from './action.ts'
import { actions, refusedActions } from './actions/index.ts'
import { commandPhases, type HookPhase, type HookPlace, hookPhases, phaseNames } from './phases.ts'

/** One line of a phase. */
export interface HookStep {
  /** The option it is from, for messages. */
  readonly option: string
  /** As it stands in the configuration. */
  readonly text: string
  readonly action: string
  readonly argument: string
  /** A `!` before the action: the log does not show the line. */
  readonly isPrivate: boolean
  /** What the log says when it runs; undefined: nothing. */
  readonly label: string | undefined
  /** Of hook-touch: absolute or relative path of the file. */
  readonly file?: string
}

export interface HookPlan {
  /** In the order in which they run. A phase without steps is not here. */
  readonly phases: Readonly<Partial<Record<HookPhase, readonly HookStep[]>>>
  /** Functions to call after each request. */
  readonly afterRequest: readonly string[]
}

/** Values of the options, by option name. */
export type HookSettings = (option: string) => readonly string[]

/** What the lines may name. */
export interface HookWorld {
  readonly alarms: readonly string[]
  /** Some plugin may bring actions of its own: an unknown one is judged by `checkActions`, when the plugins are there. */
  readonly hasPlugins: boolean
}

/** @throws ConfigError naming the option and the line, for bad syntax, an unknown action, or one that the phase cannot have */
export const planHooks = (values: HookSettings, world: HookWorld): HookPlan => {
  const plan: Partial<Record<HookPhase, readonly HookStep[]>> = {}
  for (const phase of phaseNames) {
    const steps = values(`hook-${phase}`).map((text) => stepOf(phase, text, world))
    if ((commandPhases as readonly HookPhase[]).includes(phase)) {
      for (const text of values(`exec-${phase}`)) steps.push(commandStep(`exec-${phase}`, text, 'exec'))
      for (const text of values(`call-${phase}`)) steps.push(commandStep(`call-${phase}`, text, 'call'))
    }
    if (steps.length > 0) plan[phase] = steps
  }
  return { phases: plan, afterRequest: values('after-request-hook') }
}

/**
 * Judges the steps that name an action of a plugin.
 * @param places whose phases are looked at
 * @throws ConfigError for one that no plugin has
 */
export const checkActions = (plan: HookPlan, plugins: readonly Plugin[], places: readonly HookPlace[]): void => {
  const added = plugins.flatMap(({ hookActions }) => Object.keys(hookActions ?? {}))
  for (const phase of phaseNames) {
    if (!places.includes(hookPhases[phase].place)) continue
    for (const step of plan.phases[phase] ?? [])
      if (!actions.has(step.action) && !added.includes(step.action)) throw unknownAction(step, added)
  }
}

const stepOf = (phase: HookPhase, line: string, world: HookWorld): HookStep => {
  const option = `hook-${phase}`
  const { file, text } = phase === 'touch' ? touchParts(option, line) : { file: undefined, text: line }
  const isPrivate = text.startsWith('!')
  const colon = text.indexOf(':')
  if (colon < 0) throw hookFault(option, isPrivate ? '!...' : line, 'it must be ACTION:ARGUMENTS, as in print:hello')
  const action = text.slice(isPrivate ? 1 : 0, colon)
  // What is hidden from the log is not for error messages either.
  const shown = isPrivate ? `${line.slice(0, line.indexOf(':') + 1)}...` : line
  const step: HookStep = {
    option,
    text: shown,
    action,
    argument: text.slice(colon + 1),
    isPrivate,
    label: isPrivate ? '--- PRIVATE HOOK ---' : `"${text}"`,
    ...(file === undefined ? {} : { file }),
  }
  const known = actions.get(action)
  if (known === undefined) {
    const reason = refusedActions.get(action)
    if (reason !== undefined) throw hookFault(option, shown, `polywsgi does not have the action ${action}: ${reason}`)
    if (!world.hasPlugins) throw unknownAction(step, [])
    return step
  }
  const { place } = hookPhases[phase]
  if (place !== 'master' && known.masterOnly !== undefined)
    throw hookFault(option, shown, `${action} cannot run in a ${place}: ${known.masterOnly}`)
  checkArgument(step)
  if (action === 'alarm') checkAlarm(step, world.alarms)
  return step
}

/** `exec-asap` and `call-asap`: the whole text is the argument. */
const commandStep = (option: string, text: string, action: 'exec' | 'call'): HookStep => {
  // uWSGI's log tells the commands, and says nothing of the calls.
  const step = { option, text, action, argument: text, isPrivate: false, label: action === 'exec' ? `"${text}"` : undefined }
  checkArgument(step)
  return step
}

const touchParts = (option: string, line: string): { readonly file: string; readonly text: string } => {
  const match = /^\s*(\S+)\s+(\S.*)$/s.exec(line)
  if (match === null) throw hookFault(option, line, 'it must be FILE ACTION:ARGUMENTS, as in /tmp/x print:touched')
  return { file: match[1] as string, text: match[2] as string }
}

const checkArgument = ({ option, text, action, argument }: HookStep): void => {
  try {
    actions.get(action)?.prepare(argument)
  } catch (error) {
    if (!(error instanceof BadArgument)) throw error
    throw hookFault(option, text, `${action}: ${error.message}`, { cause: error })
  }
}

const checkAlarm = ({ option, text, argument }: HookStep, alarms: readonly string[]): void => {
  const name = argument.slice(0, argument.indexOf(' '))
  if (alarms.includes(name)) return
  const known = alarms.length === 0 ? 'none is' : `those that are: ${alarms.join(', ')}`
  throw hookFault(option, text, `no alarm '${name}' is defined, ${known}`)
}

const unknownAction = ({ option, text, action }: HookStep, added: readonly string[]) => {
  const nearest = nearestName(action, [...actions.keys(), ...added])
  const hint = nearest === undefined ? '' : ` (did you mean '${nearest}'?)`
  return hookFault(option, text, `there is no action '${action.slice(0, 80)}'${hint}`)
}
