// Binds a server to an address, with errors that say what to do. Unix sockets left behind by a dead server are removed.

import { chmodSync, linkSync, lstatSync, renameSync, statSync, unlinkSync } from 'node:fs'
import { connect, type Server } from 'node:net'
import { dirname } from 'node:path'
import { PolywsgiError } from '../errors.ts'
import { formatTcp, type SocketAddress } from './address.ts'

export interface ListenOptions {
  readonly address: SocketAddress
  /** Length of the kernel's queue of connections nobody accepted yet. */
  readonly backlog: number
  /** Octal mode of a unix socket (`chmod-socket`). */
  readonly mode: number | undefined
  /** The unix socket is never anybody else's, not for a moment. */
  readonly isPrivate?: boolean
}

/**
 * @returns the address as a client writes it (with the port the system chose for port 0)
 * @throws PolywsgiError SOCKET_BIND
 */
export const listen = async (server: Server, options: ListenOptions): Promise<string> => {
  const { address, backlog } = options
  if (address.kind === 'unix' && !isAbstract(address.path)) {
    requireDirectory(address.path)
    await removeStale(address.path)
  }
  const target = address.kind === 'tcp' ? { host: address.host, port: address.port } : { path: address.path }
  await new Promise<void>((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => reject(bindError(address, error))
    server.once('error', failed)
    const listenNow = (): void => {
      server.listen({ ...target, backlog }, () => {
        server.off('error', failed)
        resolve()
      })
    }
    if (options.isPrivate === true) withPrivateUmask(listenNow)
    else listenNow()
  })
  if (address.kind === 'unix') {
    if (isAbstract(address.path)) return address.text
    if (options.mode !== undefined) chmodSync(address.path, options.mode)
    keepOthersAtClose(server, address.path)
    return address.text
  }
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : address.port
  return formatTcp(address.host, port)
}

/**
 * A server removes its socket's file when it closes, by the path. Another server may have put its own there meanwhile, which is to
 * stay: it gets a second name for the moment. (The system has no "remove if".)
 */
const keepOthersAtClose = (server: Server, path: string): void => {
  const own = identityAt(path)
  const close = server.close
  server.close = ((...args: Parameters<Server['close']>): Server => {
    const found = identityAt(path)
    const isOthers = server.listening && found !== undefined && found !== own
    const kept = `${path}.${process.pid}`
    try {
      if (isOthers) linkSync(path, kept)
    } catch {
      // No second name is to be had.
    }
    close.apply(server, args)
    try {
      if (isOthers) renameSync(kept, path)
    } catch {
      // As above.
    }
    return server
  }) as Server['close']
}

const identityAt = (path: string): string | undefined => {
  const found = lstatSync(path, { throwIfNoEntry: false, bigint: true })
  return found && `${found.dev}:${found.ino}`
}

/** A unix socket is bound within the call. */
const withPrivateUmask = (call: () => void): void => {
  let before: number | undefined
  try {
    before = process.umask(0o177)
  } catch {
    // A program that embeds the server in a worker thread has no say in this; the mode follows in a moment.
  }
  call()
  if (before !== undefined) process.umask(before)
}

const bindError = (address: SocketAddress, error: NodeJS.ErrnoException): PolywsgiError => {
  const name = address.kind === 'tcp' ? formatTcp(address.host, address.port) : address.text
  const why =
    {
      EADDRINUSE: 'the address is in use by another program',
      EACCES: 'permission denied',
      EADDRNOTAVAIL: 'this machine has no such address',
      ENOTFOUND: 'there is no host of this name',
      EAI_AGAIN: 'the name of the host cannot be looked up now',
    }[error.code ?? ''] ?? error.message
  return new PolywsgiError('SOCKET_BIND', `cannot listen on ${name}: ${why}`, { cause: error })
}

/** libuv tells a missing directory as a missing permission. */
const requireDirectory = (path: string): void => {
  const folder = dirname(path)
  let why: string
  try {
    const found = statSync(folder, { throwIfNoEntry: false })
    if (found?.isDirectory()) return
    why = found === undefined ? `the directory ${folder} does not exist` : `${folder} is no directory`
  } catch (error) {
    why = (error as Error).message
  }
  throw new PolywsgiError('SOCKET_BIND', `cannot listen on ${path}: ${why}`)
}

const isAbstract = (path: string): boolean => path.startsWith('\0')

/** A socket file nobody answers on was left by a server that died; anything else is not ours to remove. */
const removeStale = async (path: string): Promise<void> => {
  let isSocket: boolean
  try {
    isSocket = lstatSync(path).isSocket()
  } catch {
    return
  }
  if (!isSocket) throw new PolywsgiError('SOCKET_BIND', `cannot listen on ${path}: the file exists and is not a socket`)
  const isDead = await new Promise<boolean>((resolve) => {
    const probe = connect(path)
    probe.on('connect', () => {
      probe.destroy()
      resolve(false)
    })
    probe.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
  })
  if (isDead) unlinkSync(path)
}
