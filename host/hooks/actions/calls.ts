// Actions that call functions of plugins.
import { boundedCall } from '../../plugin/bounded-call.ts'
import { type Action, ActionFailure, BadArgument, wholeOf, wordsOf } from '../action.ts'
import { callFunction, findFunction } from '../plugin-function.ts'

const calling = (kind: 'text' | 'int', counts: boolean, help: string): Action => {
  const usage = kind === 'int' ? 'FUNCTION N' : 'FUNCTION [TEXT]'
  return {
    usage,
    help,
    prepare: (argument) => {
      const blank = wholeOf(argument, usage).indexOf(' ')
      const symbol = blank < 0 ? argument : argument.slice(0, blank)
      const text = blank < 0 ? undefined : argument.slice(blank + 1)
      if (symbol === '') throw new BadArgument(`needs ${usage}`)
      if (kind === 'int' && !/^[-+]?\d+$/.test(text ?? '')) throw new BadArgument(`'${text ?? ''}' is not a whole number`)
      return async (environment) => {
        const found = findFunction(symbol, environment.plugins())
        if (found === undefined) throw new ActionFailure(`unable to call function "${symbol}"`)
        const result = await callFunction(found, text, environment)
        if (counts && result !== 0) throw new ActionFailure(`function "${symbol}" returned ${result}`)
      }
    },
  }
}

const codeUsage = 'PLUGIN FILE FUNCTION KEY'

export const callActions = {
  call: calling('text', false, 'Call a function of a plugin: `NAME` of the first plugin that has it, or `PLUGIN.NAME`.'),
  callret: calling('text', true, 'As call; a result other than 0 is a failure.'),
  callint: calling('int', false, 'As call, with a number for its argument.'),
  callintret: calling('int', true, 'As callint; a result other than 0 is a failure.'),
  code: {
    usage: codeUsage,
    help: "Have a plugin evaluate a file and call a function of it with a key; the answer is in the log. Differs from uWSGI: there only routers can ask for a plugin's code_string.",
    masterOnly: 'plugins evaluate code for the master alone',
    prepare: (argument) => {
      const [name, file, functionName, key] = wordsOf(argument, codeUsage) as [string, string, string, string]
      return async ({ plugins, callLimitMs, log }) => {
        const plugin = plugins().find((one) => one.name === name || one.alias === name)
        if (plugin === undefined) throw new ActionFailure(`there is no plugin ${name}`)
        if (plugin.codeString === undefined) throw new ActionFailure(`plugin ${name} evaluates no code`)
        const answer = await boundedCall(() => plugin.codeString?.('hook', file, functionName, key), callLimitMs)
        if (answer === undefined) throw new ActionFailure(`plugin ${name} has no answer from ${functionName} of ${file}`)
        log.text(`[code result from "${name}"] ${answer}`)
      }
    },
  },
} as const satisfies Record<string, Action>
