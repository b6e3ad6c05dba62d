// What an action of `--hook-*` is, and what it works on. An action is told its argument twice: when the configuration is
// checked, and when it runs.
// Invariant: `prepare` has no effect, and refuses whatever can be known to be wrong without running.
import type { Log } from '../api/context.ts'
import { ConfigError, PolywsgiError } from '../errors.ts'
import type { Plugin } from '../plugin/plugin.ts'
import type { HookPlace } from './phases.ts'

/** What the actions of one thread work on. */
export interface HookEnvironment {
  readonly place: HookPlace
  readonly log: Log & { lend<Result>(use: (fd: number) => Result): Result; flush(): void }
  /** In load order. */
  plugins(): readonly Plugin[]
  /** How long a function of a plugin may take, in milliseconds. */
  readonly callLimitMs: number
  /** How long `wait_for_*` waits, in milliseconds. */
  readonly waitLimitMs: number
  /** Aborted when the server stops: nothing is waited for any more. */
  readonly signal: AbortSignal
  raiseAlarm(name: string, message: Uint8Array): void
  /**
   * @param node another server's address, '' for this one
   * @returns undefined when there is no answer
   */
  callRpc(node: string, name: string, args: readonly Uint8Array[]): Promise<Uint8Array | undefined>
  /** Whether somebody listens at an address. */
  canConnect(address: string): Promise<boolean>
  /** Master: has `handler` called whenever the process gets a signal, instead of what was called before for it. */
  onUnixSignal?(name: NodeJS.Signals, handler: () => void): void
}

/** What throws has failed; the message is for the log. */
export type RunAction = (environment: HookEnvironment) => Promise<void> | void

export interface Action {
  /** How its argument is written: `FILE TEXT`; '' for none. */
  readonly usage: string
  readonly help: string
  /** Why it may run in the master only, if so. */
  readonly masterOnly?: string
  /** @throws BadArgument */
  prepare(argument: string): RunAction
}

/** An argument that an action does not take. The message has no option's name in it. */
export class BadArgument extends Error {}

/** An action has not done what it was to do. */
export class ActionFailure extends Error {}

/** A hook has failed where that is fatal. */
export class HookError extends PolywsgiError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('HOOK_FAILED', message, options)
  }
}

/** The action `exit`: the process is to end with this code. */
export class HookExit extends PolywsgiError {
  readonly exitCode: number

  constructor(exitCode: number) {
    super('HOST_CLOSED', `a hook ends the server with exit code ${exitCode}`)
    this.exitCode = exitCode
  }
}

/** `hook-asap = write:/tmp/x: needs FILE TEXT`. */
export const hookFault = (option: string, text: string, why: string, options?: { cause?: unknown }): ConfigError =>
  new ConfigError('CONFIG_BAD_VALUE', `${option} = ${text}: ${why}`, options)

/** The first word and what follows the first blank, which may have more of them. @throws BadArgument */
export const wordAndRest = (argument: string, usage: string): readonly [string, string] => {
  const blank = argument.indexOf(' ')
  if (blank <= 0) throw new BadArgument(`needs ${usage}`)
  return [argument.slice(0, blank), argument.slice(blank + 1)]
}

/** Words with one blank between, as many as `usage` has. @throws BadArgument */
export const wordsOf = (argument: string, usage: string): readonly string[] => {
  const words = argument.split(' ')
  if (words.length !== usage.split(' ').length || words.includes('')) throw new BadArgument(`needs ${usage}`)
  return words
}

/** @throws BadArgument for an empty one */
export const wholeOf = (argument: string, usage: string): string => {
  if (argument === '') throw new BadArgument(`needs ${usage}`)
  return argument
}

/** Resolves after a time, or rejects when the server stops. */
export const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer)
      reject(new ActionFailure('the server is stopping'))
    }
    if (signal.aborted) return reject(new ActionFailure('the server is stopping'))
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, milliseconds)
    signal.addEventListener('abort', stop, { once: true })
  })
