// Option group: RPC.
import type { Option } from '../option.ts'

export const rpc = [
  {
    name: 'rpc-max',
    group: 'subsystems',
    type: 'integer',
    min: 0,
    max: 65535,
    default: 64,
    unit: 'functions',
    help: 'Most RPC functions that may be registered in one worker, mule or spooler.',
    effect: 'works',
  },
] as const satisfies readonly Option[]
