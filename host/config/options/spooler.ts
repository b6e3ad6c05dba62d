// Option group: the spooler.
import type { Option } from '../option.ts'

export const spooler = [
  {
    name: 'spooler',
    shortcut: 'Q',
    group: 'subsystems',
    type: 'list',
    item: 'text',
    value: 'DIRECTORY',
    help:
      'Run the jobs of this directory, which must exist, in a thread of its own. May be repeated. Differs from uWSGI: jobs ' +
      'are not locked while they run, so no other spooler may work on the same directory.',
    effect: 'works',
  },
  {
    name: 'spooler-frequency',
    aliases: ['spooler-freq'],
    group: 'subsystems',
    type: 'integer',
    min: 1,
    max: 2_147_483,
    default: 30,
    unit: 'seconds',
    help: 'How often a spooler looks into its directory without being woken.',
    effect: 'works',
  },
  {
    name: 'spooler-ordered',
    group: 'subsystems',
    type: 'flag',
    help:
      'Run jobs by priority, the lowest number first. Differs from uWSGI: without it jobs are run in the order they were ' +
      'submitted, and those with a priority are run too.',
    effect: 'works',
  },
  {
    name: 'spooler-quiet',
    group: 'subsystems',
    type: 'flag',
    help: 'Write no lines about jobs that are begun and done.',
    effect: 'works',
  },
  {
    name: 'spooler-harakiri',
    group: 'subsystems',
    type: 'seconds',
    min: 0,
    default: 0,
    help: 'Stop a job or a signal handler of a spooler that takes longer than this, and end the spooler if that cannot be stopped. The job has failed by it. 0: never.',
    effect: 'works',
  },
  {
    name: 'spooler-max-tries',
    group: 'subsystems',
    type: 'integer',
    min: 1,
    max: 1_000_000,
    default: 100,
    unit: 'tries',
    help:
      'Move a job to failed/ in its directory after so many tries in a row that raised an exception or ended the spooler. A ' +
      'handler that returns SPOOL_RETRY is asked again for ever. Differs from uWSGI: it retries for ever, without a pause.',
    effect: 'works',
  },
  {
    name: 'spooler-max-tasks',
    group: 'subsystems',
    type: 'integer',
    min: 0,
    max: 2_147_483_647,
    unit: 'jobs',
    help: 'Renew a spooler after so many jobs.',
    effect: 'accepted',
    note: 'a spooler is not renewed by count: memory-limit bounds its memory',
  },
  {
    name: 'spooler-processes',
    group: 'subsystems',
    type: 'integer',
    min: 0,
    max: 1024,
    unit: 'processes',
    help: 'Run so many jobs of each directory at once.',
    effect: 'accepted',
    note: 'one thread runs the jobs of one directory: repeat spooler for more',
  },
  {
    name: 'spooler-chdir',
    group: 'subsystems',
    type: 'text',
    value: 'DIRECTORY',
    help: 'The working directory of spoolers.',
    effect: 'accepted',
    note: 'all threads of the server have one working directory',
  },
] as const satisfies readonly Option[]
