// Actions that run a shell command, beside the server, and wait for its end.
// Invariant: a server that stops does not wait: the command and what it has started are ended, also when they will not hear of it.
import { spawn } from 'node:child_process'
import { type Action, ActionFailure, type HookEnvironment, wholeOf } from '../action.ts'

/** How long a command may take to end when it is asked to. */
const graceMs = 1000

/** Resolves to what it is that went wrong, or undefined. */
const runCommand = (command: string, { log, signal }: HookEnvironment): Promise<string | undefined> =>
  new Promise((resolve) => {
    // What was said before the command must stand before what it says.
    log.flush()
    const child = log.lend((fd) => spawn('/bin/sh', ['-c', command], { stdio: ['ignore', fd, fd], detached: true }))
    let last: NodeJS.Timeout | undefined
    const kill = (signalName: NodeJS.Signals): void => {
      // The whole group: a shell that ends leaves what it has started.
      try {
        if (child.pid !== undefined) process.kill(-child.pid, signalName)
      } catch {
        // It has ended already.
      }
    }
    const stop = (): void => {
      kill('SIGTERM')
      last = setTimeout(() => kill('SIGKILL'), graceMs)
    }
    const ended = (what: string | undefined): void => {
      clearTimeout(last)
      signal.removeEventListener('abort', stop)
      resolve(what)
    }
    child.once('error', (error) => ended(`command "${command}" cannot be run: ${error.message}`))
    child.once('exit', (code, signalName) => {
      if (code === 0) return ended(undefined)
      ended(
        code === null
          ? `command "${command}" was ended by ${signalName}`
          : `command "${command}" exited with non-zero code: ${code}`,
      )
    })
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
  })

export const commandActions = {
  exec: {
    usage: 'COMMAND',
    help: 'Run a shell command and wait for its end; what it prints is in the log. An exit code other than 0 is a failure.',
    prepare: (argument) => {
      const command = wholeOf(argument, 'COMMAND')
      return async (environment) => {
        const fault = await runCommand(command, environment)
        if (fault !== undefined) throw new ActionFailure(fault)
      }
    },
  },
  safeexec: {
    usage: 'COMMAND',
    help: 'As exec, but what goes wrong is told in the log only.',
    prepare: (argument) => {
      const command = wholeOf(argument, 'COMMAND')
      return async (environment) => {
        const fault = await runCommand(command, environment)
        if (fault !== undefined) environment.log.text(fault)
      }
    },
  },
} as const satisfies Record<string, Action>
