// The phases of `--hook-*`, each once: when and where it runs, and what a failure there means. The options, the order of the
// server's life and docs/hooks.md come from here.

/** Where a phase runs. */
export type HookPlace = 'master' | 'worker' | 'mule'

export interface HookPhaseRow {
  readonly place: HookPlace
  /** How the log names it, as uWSGI's does: `running "print:hello" (as root)...`. */
  readonly title: string
  readonly when: string
  /** What runs on a reload too. */
  readonly isRepeated: boolean
  /** What has failed ends the server that starts. Otherwise it is told in the log, and the next one runs. */
  readonly isFatal: boolean
  /** uWSGI has `exec-PHASE` and `call-PHASE` beside `hook-PHASE`. */
  readonly hasCommands: boolean
}

/** In the order of a server's life. */
export const hookPhases = {
  asap: {
    place: 'master',
    title: 'asap',
    when: 'first of all, as soon as the plugins are loaded',
    isRepeated: true,
    isFatal: true,
    hasCommands: true,
  },
  'pre-jail': {
    place: 'master',
    title: 'pre-jail',
    when: 'after asap. There is no jail: only the reload tells it from in-jail',
    isRepeated: false,
    isFatal: true,
    hasCommands: true,
  },
  'in-jail': {
    place: 'master',
    title: 'in-jail',
    when: 'after pre-jail',
    isRepeated: true,
    isFatal: true,
    hasCommands: true,
  },
  'as-root': {
    place: 'master',
    title: 'as root',
    when: 'after in-jail, before sockets are bound. Differs from uWSGI: no rights are dropped, and it runs once, not up to four times',
    isRepeated: true,
    isFatal: true,
    hasCommands: true,
  },
  'as-user': {
    place: 'master',
    title: 'as user',
    when: 'after as-root. Differs from uWSGI: it runs once, as the user who started the server',
    isRepeated: true,
    isFatal: true,
    hasCommands: true,
  },
  'pre-app': {
    place: 'master',
    title: 'pre app',
    when: 'the sockets are bound and the plugins prepared; the threads, which load the apps, are started next',
    isRepeated: true,
    isFatal: true,
    hasCommands: true,
  },
  'post-fork': {
    place: 'worker',
    title: 'post-fork',
    when: 'in each worker when it has started, before it loads its apps',
    isRepeated: true,
    isFatal: true,
    hasCommands: false,
  },
  'as-mule': {
    place: 'mule',
    title: 'as-mule',
    when: 'in each mule when it has started, before it loads its apps',
    isRepeated: true,
    isFatal: true,
    hasCommands: false,
  },
  accepting: {
    place: 'worker',
    title: 'accepting',
    when: 'in each worker before its first request, whenever it is started',
    isRepeated: true,
    isFatal: true,
    hasCommands: false,
  },
  'accepting-once': {
    place: 'worker',
    title: 'accepting-once',
    when: 'after accepting, but not when a worker is started anew because it has died',
    isRepeated: true,
    isFatal: true,
    hasCommands: false,
  },
  accepting1: {
    place: 'worker',
    title: 'accepting1',
    when: 'after accepting-once, in worker 1 alone',
    isRepeated: true,
    isFatal: true,
    hasCommands: false,
  },
  'accepting1-once': {
    place: 'worker',
    title: 'accepting1-once',
    when: 'after accepting1, in worker 1 alone, but not when it is started anew because it has died',
    isRepeated: true,
    isFatal: true,
    hasCommands: false,
  },
  'post-app': {
    place: 'master',
    title: 'post app',
    when:
      'every thread has loaded its apps. Differs from uWSGI: threads load the apps after their start, so that it follows the ' +
      'phases of the workers',
    isRepeated: true,
    isFatal: true,
    hasCommands: true,
  },
  'master-start': {
    place: 'master',
    title: 'master-start',
    when: 'everything runs, timers and cron jobs too',
    isRepeated: true,
    isFatal: true,
    hasCommands: false,
  },
  touch: {
    place: 'master',
    title: 'touch',
    when: 'a file was changed or made, which is looked for once a second: `hook-touch = FILE ACTION:ARGUMENTS`',
    isRepeated: false,
    isFatal: false,
    hasCommands: false,
  },
  'as-user-atexit': {
    place: 'master',
    title: 'atexit',
    when: 'the threads have ended; on a reload before anything else',
    isRepeated: true,
    isFatal: false,
    hasCommands: true,
  },
} as const satisfies Record<string, HookPhaseRow>

export type HookPhase = keyof typeof hookPhases

/** The phases that have `exec-PHASE` and `call-PHASE`. */
export type CommandPhase = {
  [Phase in HookPhase]: (typeof hookPhases)[Phase]['hasCommands'] extends true ? Phase : never
}[HookPhase]

export const phaseNames = Object.keys(hookPhases) as HookPhase[]
export const commandPhases = phaseNames.filter((phase) => hookPhases[phase].hasCommands) as CommandPhase[]

const noJail = 'there are no jails: threads share the rights of their process'
const noGateway = 'gateways are no processes of their own: the master does their work'
const noEmperor = 'there is no emperor'
const noMounts = 'file systems are mounted by who starts the server; exec-PHASE can do it where it has the rights'

/** Phases of uWSGI that cannot be, with the reason: `hook-`, `exec-`, `call-` of each are refused with it. */
const impossible: Readonly<Record<string, string>> = {
  'post-jail': noJail,
  'as-gateway': noGateway,
  'as-emperor': noEmperor,
  'as-vassal': noEmperor,
  'emperor-start': noEmperor,
  'emperor-stop': noEmperor,
  'emperor-reload': noEmperor,
  'emperor-lost': noEmperor,
}

/** Why an option of uWSGI's hooks is refused, if it is one of those. */
export const hookRefusal = (option: string): string | undefined => {
  const match = /^(hook|exec|call|u?mount)-(.+)$/.exec(option)
  if (match === null) return undefined
  const [, kind = '', phase = ''] = match
  // `call-as-vassal1` and its like.
  const reason = impossible[phase.replace(/\d$/, '')]
  return reason ?? (kind.endsWith('mount') && Object.hasOwn(hookPhases, phase) ? noMounts : undefined)
}

/** For the page: every refused phase with its reason. */
export const refusedPhases: ReadonlyArray<readonly [phase: string, reason: string]> = Object.entries(impossible)
