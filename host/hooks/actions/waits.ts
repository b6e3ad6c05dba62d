// Actions that wait for something to be there, at most a minute.
import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { type Action, ActionFailure, type HookEnvironment, pause, wholeOf } from '../action.ts'

const lookMs = 250

const waiting = (
  usage: string,
  what: string,
  isThere: (name: string, environment: HookEnvironment) => Promise<boolean>,
): Action => ({
  usage,
  help: `Wait until ${what}; after 60 seconds that is a failure.`,
  prepare: (argument) => {
    const name = wholeOf(argument, usage)
    return async (environment) => {
      const { log, waitLimitMs, signal } = environment
      const seconds = waitLimitMs / 1000
      const until = performance.now() + waitLimitMs
      log.text(`waiting for ${name} (max ${seconds} seconds) ...`)
      while (!(await isThere(name, environment))) {
        if (performance.now() >= until) throw new ActionFailure(`${name} unavailable after ${seconds} seconds`)
        await pause(lookMs, signal)
      }
      log.text(`${name} found`)
    }
  },
})

const stands = (fits: (found: Stats) => boolean) => async (path: string) => {
  try {
    return fits(await stat(path))
  } catch {
    return false
  }
}

export const waitActions = {
  wait_for_fs: waiting(
    'PATH',
    'something stands at a path',
    stands(() => true),
  ),
  wait_for_file: waiting(
    'FILE',
    'there is a file',
    stands((found) => found.isFile()),
  ),
  wait_for_dir: waiting(
    'DIRECTORY',
    'there is a directory',
    stands((found) => found.isDirectory()),
  ),
  wait_for_socket: waiting('ADDRESS', 'somebody listens at an address', (address, { canConnect }) => canConnect(address)),
} as const satisfies Record<string, Action>
