// Option group: hooks of the configuration. The rows derive from the table of phases.
import { type CommandPhase, commandPhases, type HookPhase, hookPhases, phaseNames } from '../../hooks/phases.ts'
import type { ListOption, Option } from '../option.ts'

type PhaseOption = {
  [Name in `hook-${HookPhase}` | `exec-${CommandPhase}` | `call-${CommandPhase}`]: ListOption & { readonly name: Name }
}[`hook-${HookPhase}` | `exec-${CommandPhase}` | `call-${CommandPhase}`]

const shared = { group: 'hooks', type: 'list', item: 'text', effect: 'works' } as const

const phases: readonly PhaseOption[] = [
  ...phaseNames.map((phase) => ({
    ...shared,
    name: `hook-${phase}` as const,
    value: phase === 'touch' ? 'FILE ACTION:ARGUMENTS' : 'ACTION:ARGUMENTS',
    help: `Run an action in the ${hookPhases[phase].place}: ${hookPhases[phase].when}.`,
  })),
  ...commandPhases.map((phase) => ({
    ...shared,
    name: `exec-${phase}` as const,
    value: 'COMMAND',
    help: `Run a shell command after the actions of hook-${phase}.`,
  })),
  ...commandPhases.map((phase) => ({
    ...shared,
    name: `call-${phase}` as const,
    value: 'FUNCTION',
    help: `Call a function of a plugin after the commands of exec-${phase}.`,
  })),
] as readonly PhaseOption[]

const afterRequest = [
  {
    name: 'after-request-hook',
    aliases: ['after-request-call'],
    group: 'hooks',
    type: 'list',
    item: 'text',
    value: 'FUNCTION',
    help: 'Call a function of a plugin in the worker after each request, with the request as its second argument.',
    effect: 'works',
  },
] as const satisfies readonly Option[]

export const hooks = [...phases, ...afterRequest] as const
