// Implementations of the group `identity`. All values are fixed for the life of a worker.

import type { ApiContext } from '../context.ts'
import type { ImplementationOf } from '../kinds.ts'
import type { identity } from '../table/identity.ts'

const utf8 = new TextEncoder()

export const identityImplementation: ImplementationOf<typeof identity, ApiContext> = {
  version: (context) => utf8.encode(context.version),
  version_info: (context) => context.version.split(/[.+-]/, 3).map(Number),
  hostname: (context) => utf8.encode(context.hostname),
  worker_id: (context) => context.thread.workerId,
  masterpid: (context) => context.masterPid,
  mule_id: (context) => context.thread.muleId,
  i_am_the_spooler: (context) => (context.thread.kind === 'spooler' ? true : undefined),
}
