// Option group: locks, shared areas, the queue, metrics.
import type { Option } from '../option.ts'

export const sharedMemory = [
  {
    name: 'locks',
    group: 'subsystems',
    type: 'integer',
    min: 0,
    max: 65_535,
    default: 0,
    unit: 'locks',
    help: 'How many locks beside lock 0 applications may use.',
    effect: 'works',
  },
  {
    name: 'sharedarea',
    shortcut: 'A',
    group: 'subsystems',
    type: 'list',
    item: 'text',
    value: 'PAGES',
    help:
      'Create an area of memory that all workers share: so many pages of 4096 bytes, or size=BYTES. ' +
      'Differs from uWSGI: an area of a file or descriptor is refused.',
    effect: 'works',
  },
  {
    name: 'queue',
    group: 'subsystems',
    type: 'integer',
    min: 0,
    max: 16_777_216,
    unit: 'slots',
    help: 'Create a queue of so many slots that all workers share. It is empty after a restart.',
    effect: 'works',
  },
  {
    name: 'queue-blocksize',
    group: 'subsystems',
    type: 'size',
    min: 17,
    max: 1024 * 1024 * 1024,
    default: 8192,
    help: 'How large one slot of the queue is: its longest message and 16 bytes more.',
    effect: 'works',
  },
  {
    name: 'enable-metrics',
    group: 'subsystems',
    type: 'flag',
    help: 'Keep the metrics of the server, which applications can read.',
    effect: 'works',
  },
  {
    name: 'metric',
    group: 'subsystems',
    type: 'list',
    item: 'text',
    value: 'NAME',
    help:
      'Add a metric that applications can change, and keep those of the server too. In full: name=, type=, oid=, initial_value=, ' +
      'collector=, children=, arg1n=, freq=, alias=, with commas between.',
    effect: 'works',
  },
  {
    name: 'metrics-no-cores',
    group: 'subsystems',
    type: 'flag',
    help: 'Keep no metrics of the single cores of a worker. None are kept either when there are more than 4096 cores.',
    effect: 'works',
  },
] as const satisfies readonly Option[]
