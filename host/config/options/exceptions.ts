// Option group: what is done about exceptions of applications and plugins beside the log.
import type { Option } from '../option.ts'

export const exceptions = [
  {
    name: 'catch-exceptions',
    group: 'requests',
    type: 'flag',
    help: 'Answer a request whose handler has raised with what it raised and with the variables of the request: for development, since it tells strangers what they should not know.',
    effect: 'works',
  },
  {
    name: 'reload-on-exception',
    group: 'workers',
    type: 'flag',
    help: 'Renew a worker after a request whose handler has raised.',
    effect: 'works',
  },
  {
    name: 'reload-on-exception-type',
    group: 'workers',
    type: 'list',
    item: 'text',
    value: 'CLASS',
    help: 'Renew a worker after an exception of this class. Differs from uWSGI: a class of Python is also known by its name without its module (ValueError, builtins.ValueError).',
    effect: 'works',
  },
  {
    name: 'reload-on-exception-value',
    group: 'workers',
    type: 'list',
    item: 'text',
    value: 'MESSAGE',
    help: 'Renew a worker after an exception with this message.',
    effect: 'works',
  },
  {
    name: 'reload-on-exception-repr',
    group: 'workers',
    type: 'list',
    item: 'text',
    value: 'CLASS: MESSAGE',
    help: 'Renew a worker after an exception of this class with this message.',
    effect: 'works',
  },
] as const satisfies readonly Option[]
