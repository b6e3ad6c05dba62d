// Actions on the process: its directory, its environment, its signals, its end.
import { constants } from 'node:os'
import { type Action, ActionFailure, BadArgument, HookExit, wholeOf, wordsOf } from '../action.ts'
import { callFunction, findFunction } from '../plugin-function.ts'

const changeDirectory: Action = {
  usage: 'DIRECTORY',
  help: 'Change the working directory of the process. Relative paths of the configuration keep their meaning.',
  masterOnly: 'all threads share the working directory of their process',
  prepare: (argument) => {
    const directory = wholeOf(argument, 'DIRECTORY')
    return () => process.chdir(directory)
  },
}

/** Node's name of a signal. @throws BadArgument */
const signalOf = (word: string): NodeJS.Signals => {
  const signum = /^\d+$/.test(word) ? Number(word) : Number.NaN
  const name = Object.entries(constants.signals).find(([, number]) => number === signum)?.[0] as NodeJS.Signals | undefined
  if (name === undefined) throw new BadArgument(`'${word}' is not the number of a signal`)
  if (name === 'SIGKILL' || name === 'SIGSTOP') throw new BadArgument(`nobody can handle ${name}`)
  return name
}

export const processActions = {
  cd: changeDirectory,
  chdir: changeDirectory,
  putenv: {
    usage: 'NAME=VALUE',
    help:
      'Set an environment variable, or without `=` remove it. In the master it counts for everything that is started later; in a ' +
      "worker or mule for that thread's own part of the host. Applications see no environment of the server.",
    prepare: (argument) => {
      const equals = argument.indexOf('=')
      const name = equals < 0 ? argument : argument.slice(0, equals)
      if (name === '') throw new BadArgument('needs NAME=VALUE')
      return () => {
        if (equals < 0) delete process.env[name]
        else process.env[name] = argument.slice(equals + 1)
      }
    },
  },
  unix_signal: {
    usage: 'SIGNUM FUNCTION',
    help: "Call a function of a plugin, with the signal's number, whenever the process gets a signal of the system.",
    masterOnly: 'the system gives signals to the process, and the master takes them',
    prepare: (argument) => {
      const [word, symbol] = wordsOf(argument, 'SIGNUM FUNCTION') as [string, string]
      const name = signalOf(word)
      return (environment) => {
        const found = findFunction(symbol, environment.plugins())
        if (found === undefined) throw new ActionFailure(`unable to find function "${symbol}"`)
        environment.onUnixSignal?.(name, () => {
          callFunction(found, word, environment).catch((error: Error) => environment.log.text(error.message))
        })
      }
    },
  },
  exit: {
    usage: '[CODE]',
    help:
      'End the server with this exit code, 0 without one: at once while it starts, after a graceful stop when it runs. Differs from ' +
      'uWSGI: a code of one digit counts.',
    masterOnly: 'a thread that ends is started anew',
    prepare: (argument) => {
      const text = argument.trim()
      if (!/^\d{0,3}$/.test(text) || Number(text) > 255) throw new BadArgument(`'${text}' is not an exit code from 0 to 255`)
      return () => {
        throw new HookExit(Number(text))
      }
    },
  },
} as const satisfies Record<string, Action>
