// Option group: mules and farms.
import type { Option } from '../option.ts'

export const mules = [
  {
    name: 'mule',
    group: 'subsystems',
    type: 'list',
    item: 'text',
    value: 'FILE',
    bare: '',
    help:
      'Start a mule: a thread that serves no requests but takes messages and signals. With --mule=FILE, or ' +
      '--mule=package.module:callable, it runs a program of its own instead. May be repeated.',
    effect: 'works',
  },
  {
    name: 'mules',
    group: 'subsystems',
    type: 'integer',
    min: 0,
    max: 1024,
    unit: 'mules',
    help: 'Start this many mules without programs of their own. Differs from uWSGI: they are numbered after those of --mule.',
    effect: 'works',
  },
  {
    name: 'farm',
    group: 'subsystems',
    type: 'list',
    item: 'text',
    value: 'NAME:MULES',
    help: 'Put mules together under a name: a message to the farm goes to one of them. As in --farm thumbs:1,2.',
    effect: 'works',
  },
  {
    name: 'mule-harakiri',
    group: 'subsystems',
    type: 'seconds',
    min: 0,
    default: 0,
    help: 'Stop what a mule does with a message or a signal when it takes longer than this, and end the mule if that cannot be stopped. 0: never.',
    effect: 'works',
  },
  {
    name: 'mule-msg-size',
    group: 'subsystems',
    type: 'size',
    min: 0,
    max: 1024 * 1024 * 1024,
    default: 1024 * 1024,
    help:
      'How many bytes of messages may wait for a mule, for a farm, and for all mules; rounded up to a power of two from ' +
      '128k on. One message has at most 65536 bytes.',
    effect: 'works',
  },
] as const satisfies readonly Option[]
