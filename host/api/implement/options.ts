// Implementations of the group `options`.

import type { ApiContext } from '../context.ts'
import type { ImplementationOf } from '../kinds.ts'
import type { options } from '../table/options.ts'

export const optionsImplementation: ImplementationOf<typeof options, ApiContext> = {
  opt: (context) => context.opt,
}
