// The implementations of all groups as one object, held against the whole table by the compiler.
import type { ApiContext } from '../context.ts'
import type { ImplementationOf } from '../kinds.ts'
import type { apiTable } from '../table/index.ts'
import { alarmsImplementation } from './alarms.ts'
import { asyncImplementation } from './async.ts'
import { cacheImplementation } from './cache.ts'
import { clocksImplementation } from './clocks.ts'
import { connectionImplementation } from './connection.ts'
import { identityImplementation } from './identity.ts'
import { locksImplementation } from './locks.ts'
import { loggingImplementation } from './logging.ts'
import { metricsImplementation } from './metrics.ts'
import { mulesImplementation } from './mules.ts'
import { optionsImplementation } from './options.ts'
import { processImplementation } from './process.ts'
import { queueImplementation } from './queue.ts'
import { requestImplementation } from './request.ts'
import { rpcImplementation } from './rpc.ts'
import { sharedareaImplementation } from './sharedarea.ts'
import { signalsImplementation } from './signals.ts'
import { spoolerImplementation } from './spooler.ts'

export const implementation: ImplementationOf<typeof apiTable, ApiContext> = {
  ...identityImplementation,
  ...loggingImplementation,
  ...optionsImplementation,
  ...cacheImplementation,
  ...locksImplementation,
  ...signalsImplementation,
  ...clocksImplementation,
  ...rpcImplementation,
  ...mulesImplementation,
  ...spoolerImplementation,
  ...alarmsImplementation,
  ...asyncImplementation,
  ...connectionImplementation,
  ...requestImplementation,
  ...processImplementation,
  ...metricsImplementation,
  ...queueImplementation,
  ...sharedareaImplementation,
}
