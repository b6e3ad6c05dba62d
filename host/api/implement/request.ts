// Implementations of the group `request`.
import { ApiError, PolywsgiError } from '../../errors.ts'
import type { ApiContext, CurrentRequest } from '../context.ts'
import type { ImplementationOf } from '../kinds.ts'
import type { request } from '../table/request.ts'

/**
 * The request that the caller is serving. Differs from uWSGI: while apps load, and in signal handlers, there is none; there
 * the memory of the last one is what functions find.
 * @throws ApiError API_REFUSED
 */
export const currentRequest = (context: ApiContext, functionName: string): CurrentRequest => {
  if (context.request === undefined) throw new ApiError(functionName, 'API_REFUSED', 'no request is being served here')
  return context.request
}

export const requestImplementation: ImplementationOf<typeof request, ApiContext> = {
  request_id: ({ state, thread }) => (thread.kind === 'worker' ? state.workers.requests(thread.workerId) : 0),
  cl: (context) => currentRequest(context, 'cl').contentLength,
  sendfile: (context, filename, _chunk, pos, size) => {
    const request = currentRequest(context, 'sendfile')
    try {
      return request.sendFile(filename, pos, size) ? true : undefined
    } catch (error) {
      if (!(error instanceof PolywsgiError)) throw error
      throw new ApiError('sendfile', 'API_REFUSED', error.message)
    }
  },
  set_logvar: (context, name, value) => {
    currentRequest(context, 'set_logvar').setLogvar(name, value)
    return undefined
  },
  get_logvar: (context, name) => currentRequest(context, 'get_logvar').getLogvar(name),
}
