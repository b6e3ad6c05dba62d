// Conversations with other servers, one question and one answer: RPC, caches and signals of other nodes.
// Invariant: a connection lives no longer than its timeout allows, and no answer takes more memory than the bound.
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { headerSize } from '../../protocol/packet.ts'
import { PolywsgiError, TimeoutError } from '../errors.ts'
import { type ConnectTarget, remoteAddress } from './address.ts'
import { anywhere, type ConnectPermission } from './connect-permission.ts'

export interface RemoteRequest {
  /** `host:port`, the path of a unix socket, or `@name` in the abstract namespace. */
  readonly address: string
  readonly request: Uint8Array
  /** `packet`: one uwsgi packet and what follows it until the end; `all`: everything until the end. */
  readonly reply: 'packet' | 'all'
  /** How long the other side may be silent, or take to send the next `leastProgress` bytes. */
  readonly timeoutMs: number
}

export interface RemoteClientOptions {
  /** Told why there is no answer, which the caller learns only as its absence. */
  readonly log?: (line: string) => void
  /** Most bytes of an answer. */
  readonly maxReply?: number
  /** Of whoever causes the request; without one it is the operator. */
  readonly permission?: ConnectPermission
}

/** As in uWSGI: longer than that a server of the same network does not take to accept. */
export const connectTimeoutMs = 3000

const defaultMaxReply = 64 * 1024 * 1024

/**
 * So much of an answer earns it the timeout once more. Differs from uWSGI: there one byte earns it, and a server that answers drop
 * by drop keeps a worker for hours.
 */
const leastProgress = 4096

/**
 * Opens a connection, with errors still to be listened for.
 * @throws TimeoutError, PolywsgiError API_IO, naming the address and why there is none
 */
export const connectTo = (address: string, timeoutMs: number): Promise<Socket> => {
  const target = remoteAddress(address)
  return typeof target === 'string'
    ? Promise.reject(new PolywsgiError('API_IO', target))
    : connectToTarget(target, address, timeoutMs)
}

const connectToTarget = (target: ConnectTarget, address: string, timeoutMs: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    // Bytes that the other side sent before it closed must still be readable, and ours must not be lost with its end.
    const socket = connect({ ...target, allowHalfOpen: true, noDelay: true } as NetConnectOpts)
    const refuse = (error: PolywsgiError): void => {
      clearTimeout(timer)
      socket.destroy()
      reject(error)
    }
    const failed = (error: NodeJS.ErrnoException): void => refuse(connectFault(address, error))
    const timer = setTimeout(() => refuse(noConnectionIn(address, timeoutMs)), timeoutMs)
    socket.once('error', failed)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', failed)
      resolve(socket)
    })
  })

const reasonOf = (error: NodeJS.ErrnoException): string =>
  ({
    ECONNREFUSED: 'connection refused',
    ENOENT: 'there is no such socket',
    EACCES: 'permission denied',
    ENOTFOUND: 'the host name is not known',
    EMFILE: 'the server has no file descriptor left',
  })[error.code ?? ''] ?? error.message

/** Why there is no connection to an address, for people. */
export const connectFault = (address: string, error: NodeJS.ErrnoException): PolywsgiError =>
  error instanceof PolywsgiError ? error : new PolywsgiError('API_IO', `unable to connect to ${address}: ${reasonOf(error)}`)

/** The same, when nothing came in time. */
export const noConnectionIn = (address: string, timeoutMs: number): TimeoutError =>
  new TimeoutError(`unable to connect to ${address}: no connection in ${timeoutMs / 1000} seconds`)

/**
 * Sends a request and reads the answer.
 * @returns undefined when there is none: the node cannot be reached, closes without a byte, or stays silent
 * @throws PolywsgiError API_IO for an answer that is cut off or too large, and for what is no address; API_REFUSED for an address
 *   that is not allowed
 */
export const requestRemote = async (
  { address, request, reply, timeoutMs }: RemoteRequest,
  { log = () => {}, maxReply = defaultMaxReply, permission = anywhere }: RemoteClientOptions = {},
): Promise<Uint8Array | undefined> => {
  const target = permission.target(address)
  let socket: Socket
  try {
    socket = await connectToTarget(target, address, Math.min(connectTimeoutMs, timeoutMs))
  } catch (error) {
    log((error as Error).message)
    return undefined
  }
  const { bytes, end } = await converse(socket, request, timeoutMs, maxReply)
  if (end === 'too large') throw new PolywsgiError('API_IO', `node ${address} answered with more than ${maxReply} bytes`)
  if (bytes.length === 0) {
    if (end !== undefined) log(`node ${address}: ${end}`)
    return undefined
  }
  if (reply === 'packet') {
    const missing = missingOf(bytes)
    if (missing > 0) {
      const why = end ?? 'closed the connection'
      throw new PolywsgiError('API_IO', `node ${address}: ${why}, ${missing} bytes before the end of its answer`)
    }
    // Whether what follows the packet is whole, its reader knows: the packet says how long it is.
  } else if (end !== undefined) throw new PolywsgiError('API_IO', `node ${address}: ${end} in the middle of its answer`)
  return bytes
}

/** How many bytes of header and block are not there. */
const missingOf = (bytes: Uint8Array): number => {
  if (bytes.length < headerSize) return headerSize - bytes.length
  const [, low, high] = bytes as unknown as [number, number, number]
  return Math.max(0, headerSize + (low | (high << 8)) - bytes.length)
}

interface Reply {
  readonly bytes: Uint8Array
  /** Why it ended; undefined: the other side closed. */
  readonly end: string | undefined
}

const converse = (socket: Socket, request: Uint8Array, timeoutMs: number, maxReply: number): Promise<Reply> =>
  new Promise((resolve) => {
    const chunks: Buffer[] = []
    let length = 0
    let lengthAtReset = 0
    const timer = setTimeout(() => {
      const seconds = timeoutMs / 1000
      const fresh = length - lengthAtReset
      finish(fresh === 0 ? `was silent for ${seconds} seconds` : `sent only ${fresh} bytes in ${seconds} seconds`)
    }, timeoutMs)
    const finish = (end: string | undefined): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ bytes: Buffer.concat(chunks, length), end })
    }
    socket.on('data', (chunk: Buffer) => {
      if (length + chunk.length > maxReply) return finish('too large')
      chunks.push(chunk)
      length += chunk.length
      // The first bytes come when the question has been worked on, which may have taken its time.
      if (lengthAtReset > 0 && length - lengthAtReset < leastProgress) return
      lengthAtReset = length
      timer.refresh()
    })
    socket.once('end', () => finish(undefined))
    socket.once('close', () => finish(undefined))
    socket.on('error', (error: NodeJS.ErrnoException) =>
      finish(error.code === 'ECONNRESET' ? 'reset the connection' : error.message),
    )
    // Our side stays open: a server may take the end of what it is sent for a client that has gone.
    socket.write(request)
  })
