// Implementations of the group `connection`. Descriptors live in the master; the client's connection is the request's, whose
// number is taken wherever a descriptor is.
import { ApiArgumentError, ApiError } from '../../errors.ts'
import type { ApiContext, CurrentRequest } from '../context.ts'
import type { ImplementationOf } from '../kinds.ts'
import type { connection } from '../table/connection.ts'
import { oneWait, outcomeOf, type Wait, type Waiting, waiting } from '../waiting.ts'

/** As the declaration says of what comes after a descriptor. */
const mostReceived = 1048576

/** Longer than any wait that makes sense, and what a timer can still count. */
const longestTimeout = 86_400

export const connectionImplementation: ImplementationOf<typeof connection, ApiContext> = {
  connection_fd: (context) => requestOf(context, 'connection_fd').connectionFd,
  send: (context, first, second) => {
    if (typeof first !== 'number') {
      if (second !== undefined) throw typeFault('send', 'fd_or_data', 'must be a descriptor, a whole number, before the data')
      return sendToClient(requestOf(context, 'send'), first)
    }
    if (second === undefined) throw typeFault('send', 'data', 'is missing: send(data) or send(fd, data)')
    const client = clientOf(context, first)
    if (client !== undefined) return sendToClient(client, second)
    // A view is posted with all the memory behind it, which may be an interpreter's.
    return sent(context.connections.send(first, new Uint8Array(second)))
  },
  recv: (context, first, max) => {
    if (max === undefined) {
      if (first < 1 || first > mostReceived) {
        const why = `must be from 1 to ${mostReceived} when it stands alone, not ${first}; of a descriptor: recv(fd, max)`
        throw new ApiArgumentError('recv', 'fd_or_max', 'value', `argument 'fd_or_max' ${why}`)
      }
      return receiveFromClient(requestOf(context, 'recv'), first)
    }
    const client = clientOf(context, first)
    return client === undefined ? anyWait(context.connections.receive(first, max)) : receiveFromClient(client, max)
  },
  close: (context, fd) => {
    const client = clientOf(context, fd)
    if (client === undefined) context.connections.close(fd)
    else client.disconnect()
    return undefined
  },
  connect: (context, address, timeout) => {
    if (!(timeout > 0 && timeout <= longestTimeout)) {
      const message = `argument 'timeout' must be above 0 and at most ${longestTimeout}, not ${timeout}`
      throw new ApiArgumentError('connect', 'timeout', 'value', message)
    }
    return anyWait(context.connections.connect(address, Math.ceil(timeout * 1000)))
  },
  is_connected: (context, fd) => clientOf(context, fd)?.isConnected ?? anyWait(context.connections.isConnected(fd)),
  disconnect: (context) => {
    requestOf(context, 'disconnect').disconnect()
    return undefined
  },
}

const anyWait = <T>({ park, promise }: Wait<T>): Waiting<T> => oneWait(park, promise)

const sendToClient = (request: CurrentRequest, data: Uint8Array): Waiting<true | undefined> =>
  sent({ park: () => request.sendRaw(data), promise: () => request.sendRawAsync(data) })

const receiveFromClient = (request: CurrentRequest, max: number): Waiting<Uint8Array | undefined> =>
  oneWait(
    () => request.receive(max),
    () => request.receiveAsync(max),
  )

const sent = (sending: Wait<boolean>): Waiting<true | undefined> =>
  waiting(function* () {
    return (yield* outcomeOf(sending)) ? true : undefined
  })

const requestOf = (context: ApiContext, functionName: string): CurrentRequest => {
  const { request } = context
  if (request === undefined) throw new ApiError(functionName, 'API_REFUSED', 'there is no request at the moment')
  return request
}

/** The request whose connection a number means. */
const clientOf = (context: ApiContext, fd: number): CurrentRequest | undefined => {
  const { request } = context
  return request?.connectionFd === fd ? request : undefined
}

const typeFault = (functionName: string, argument: string, why: string): ApiArgumentError =>
  new ApiArgumentError(functionName, argument, 'type', `argument '${argument}' ${why}`)
