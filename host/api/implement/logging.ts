// Implementations of the group `logging`.

import type { ApiContext } from '../context.ts'
import type { ImplementationOf } from '../kinds.ts'
import type { logging } from '../table/logging.ts'
import { currentRequest } from './request.ts'

export const loggingImplementation: ImplementationOf<typeof logging, ApiContext> = {
  log: (context, message) => {
    context.log.bytes(message)
    return true
  },
  log_this_request: (context) => {
    currentRequest(context, 'log_this_request').logThisRequest()
    return undefined
  },
}
