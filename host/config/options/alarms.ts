// Option group: alarms.
import type { Option } from '../option.ts'

export const alarms = [
  {
    name: 'alarm',
    group: 'subsystems',
    type: 'list',
    item: 'text',
    value: 'NAME KIND:ARGUMENTS',
    help:
      "Define an alarm. Kinds: 'log:' writes a line; 'cmd:COMMAND' runs a shell command with the message on its standard " +
      "input; 'signal:N' raises a signal; 'mule:N' or 'mule:FARM' sends a message; 'http://HOST/PATH' posts it, with the " +
      "alarm's name in the header X-Alarm.",
    effect: 'works',
  },
  {
    name: 'log-alarm',
    aliases: ['alarm-log'],
    group: 'subsystems',
    type: 'list',
    item: 'text',
    value: 'ALARMS REGEXP',
    help: 'Raise alarms, named with commas between, for log lines that match. The pattern is a JavaScript regular expression.',
    effect: 'works',
  },
  {
    name: 'not-log-alarm',
    aliases: ['not-alarm-log'],
    group: 'subsystems',
    type: 'list',
    item: 'text',
    value: 'ALARMS REGEXP',
    help: 'Do not raise these alarms for log lines that match. Differs from uWSGI: it counts wherever it is given.',
    effect: 'works',
  },
  {
    name: 'alarm-freq',
    group: 'subsystems',
    type: 'seconds',
    min: 0,
    default: 3,
    help: 'Within this time an alarm with the same message as before is not delivered again.',
    effect: 'works',
  },
  {
    name: 'alarm-msg-size',
    group: 'subsystems',
    type: 'size',
    min: 1,
    max: 65_536,
    maxReason: 'a mule takes no longer messages',
    default: 8192,
    help: 'How long the message of an alarm may be. Differs from uWSGI: a longer one is cut, not dropped.',
    effect: 'works',
  },
] as const satisfies readonly Option[]
