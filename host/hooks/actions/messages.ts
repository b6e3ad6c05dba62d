// Actions that tell somebody something.
import { type Action, wordAndRest } from '../action.ts'

const printing: Action = {
  usage: '[TEXT]',
  help: 'Write a line to the log.',
  prepare:
    (argument) =>
    ({ log }) =>
      log.text(argument),
}

export const messageActions = {
  print: printing,
  log: printing,
  alarm: {
    usage: 'NAME MESSAGE',
    help: 'Raise an alarm. Differs from uWSGI: one that is not defined is refused in the configuration.',
    prepare: (argument) => {
      const [name, message] = wordAndRest(argument, 'NAME MESSAGE')
      return ({ raiseAlarm }) => raiseAlarm(name, Buffer.from(message))
    },
  },
} as const satisfies Record<string, Action>
