// Option group: statistics.
import type { Option } from '../option.ts'

export const subsystems = [
  {
    name: 'stats',
    aliases: ['stats-server'],
    group: 'subsystems',
    type: 'text',
    value: 'ADDRESS',
    help: 'Serve statistics as JSON at this address.',
    effect: 'accepted',
    note: 'nothing listens at the address',
  },
  {
    name: 'stats-http',
    group: 'subsystems',
    type: 'flag',
    help: 'Serve statistics over HTTP.',
    effect: 'accepted',
    note: 'there is no statistics server',
  },
] as const satisfies readonly Option[]
