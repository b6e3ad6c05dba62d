// Implementations of the group `async`. What is registered, and waiting for it, is the thread's part (`context.waits`).
import { ApiArgumentError, ApiError } from '../../errors.ts'
import type { ApiContext } from '../context.ts'
import type { ImplementationOf } from '../kinds.ts'
import type { async } from '../table/async.ts'
import { oneWait } from '../waiting.ts'

/** Longer than any wait that makes sense, and what a timer can still count. */
const longestSeconds = 86_400

const nothing = new Uint8Array(0)
const succeed = (): true => true

const milliseconds = (functionName: string, argument: string, seconds: number): number => {
  if (seconds <= longestSeconds) return Math.ceil(seconds * 1000)
  const message = `argument '${argument}' must be at most ${longestSeconds} seconds, not ${seconds}`
  throw new ApiArgumentError(functionName, argument, 'value', message)
}

const waitFd = (
  context: ApiContext,
  functionName: string,
  fd: number,
  timeout: number,
  direction: 'read' | 'write',
): Uint8Array => {
  if (!(timeout >= 0)) {
    const message = `argument 'timeout' must be at least 0 seconds, not ${timeout}`
    throw new ApiArgumentError(functionName, 'timeout', 'value', message)
  }
  context.waits.addFd(functionName, fd, direction, milliseconds(functionName, 'timeout', timeout))
  return nothing
}

export const asyncImplementation: ImplementationOf<typeof async, ApiContext> = {
  // Called at every turn of every core: one promise is made for it, and no steps.
  suspend: ({ waits }) =>
    oneWait(
      () => {
        waits.park()
        return true as const
      },
      () => waits.settled().then(succeed),
    ),
  async_sleep: ({ waits }, seconds) => {
    // Not a number is no time either.
    if (seconds > 0) waits.addTimeout(milliseconds('async_sleep', 'seconds', seconds))
    return nothing
  },
  async_connect: ({ connections, socketTimeoutMs }, address) => {
    const { park, promise } = connections.begin(address, socketTimeoutMs)
    return oneWait(park, promise)
  },
  wait_fd_read: (context, fd, timeout) => waitFd(context, 'wait_fd_read', fd, timeout, 'read'),
  wait_fd_write: (context, fd, timeout) => waitFd(context, 'wait_fd_write', fd, timeout, 'write'),
  ready_fd: ({ waits }) => waits.readyFd,
  async_id: ({ request }) => {
    if (request === undefined) throw new ApiError('async_id', 'API_REFUSED', 'there is no request at the moment')
    return request.coreId
  },
}
