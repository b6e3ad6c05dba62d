// Option group: what guests may have of the machine beside connections.
import type { Option } from '../option.ts'

export const permissions = [
  {
    name: 'sandbox',
    negations: ['no-sandbox'],
    group: 'apps',
    type: 'flag',
    help: 'Let applications do nothing beyond serving their requests but what the allow options name: no connections without allow-connect, no options of the server in uwsgi.opt, no reload or stop of the server. On for the applications of an embedding program. Differs from uWSGI: an application there can do whatever the server can.',
    effect: 'works',
  },
  {
    name: 'allow-read',
    group: 'apps',
    type: 'list',
    item: 'text',
    separator: ',',
    value: 'PATHS',
    help: 'Let applications read these files, and what lies in these directories, beside the directories of their own code. Differs from uWSGI: there is no such option there, applications read what the server can.',
    effect: 'works',
  },
  {
    name: 'allow-write',
    group: 'apps',
    type: 'list',
    item: 'text',
    separator: ',',
    value: 'PATHS',
    help: 'Let applications read and write these files, and everything in these directories. Without it they write no file.',
    effect: 'works',
  },
  {
    name: 'allow-env',
    group: 'apps',
    type: 'list',
    item: 'text',
    separator: ',',
    value: 'NAMES',
    help: "Let applications see these variables of the server's environment; a * at the end of a name stands for anything, alone for all of them. Without it they see none.",
    effect: 'works',
  },
] as const satisfies readonly Option[]
