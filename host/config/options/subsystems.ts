// Option group: statistics, metrics, control of the running server.
import type { Option } from '../option.ts'

export const subsystems = [
  {
    name: 'stats',
    aliases: ['stats-server'],
    group: 'subsystems',
    type: 'text',
    value: 'ADDRESS',
    help: 'Serve statistics as JSON at this address, to whoever connects. They hold what running requests were sent, cookies too.',
    effect: 'works',
  },
  {
    name: 'stats-http',
    group: 'subsystems',
    type: 'flag',
    help: 'Serve statistics over HTTP, and those for Prometheus at /metrics. Differs from uWSGI: by HTTP/1.1, and there is no page for other methods than GET and HEAD.',
    effect: 'works',
  },
  {
    name: 'stats-minified',
    aliases: ['stats-min'],
    group: 'subsystems',
    type: 'flag',
    help: 'Serve statistics without line breaks and indentation.',
    effect: 'works',
  },
  {
    name: 'stats-no-cores',
    group: 'subsystems',
    type: 'flag',
    help: 'Leave the single cores out of statistics and metrics.',
    effect: 'works',
  },
  {
    name: 'stats-no-metrics',
    group: 'subsystems',
    type: 'flag',
    help: 'Leave the metrics out of statistics.',
    effect: 'works',
  },
  {
    name: 'prometheus',
    group: 'subsystems',
    type: 'text',
    value: 'ADDRESS',
    help: 'Serve metrics in the text format of Prometheus over HTTP at this address, at /metrics, under the names of uwsgi_exporter.',
    effect: 'works',
  },
  {
    name: 'ctl',
    group: 'subsystems',
    type: 'text',
    value: 'PATH',
    help: 'Let `polywsgi ctl` look at and command the running server by a unix socket of this path, which is for the user of the server alone.',
    effect: 'works',
  },
] as const satisfies readonly Option[]
