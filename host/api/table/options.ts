// API group: the options the server was started with.
import type { ApiEntry } from '../kinds.ts'

export const options = [
  {
    shape: 'attribute',
    name: 'opt',
    group: 'options',
    type: 'options',
    doc: 'The options as given, unknown ones of a configuration file included. An option given more than once is a list of its values. An option given without a value is true. Differs from uWSGI: repeated options are kept (uWSGI on Python 3 loses all but the last).',
    example: {
      js: "uwsgi.opt.workers // '2'",
      lua: "uwsgi.opt.workers -- '2'",
      python: "uwsgi.opt['workers']  # b'2'",
    },
  },
] as const satisfies readonly ApiEntry[]
