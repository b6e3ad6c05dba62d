// The UDP socket: each packet is offered to the plugins, and is a line of the log when none wants it.
import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { PolywsgiError } from '../errors.ts'
import { formatTcp, type SocketAddress } from './address.ts'

export interface UdpOptions {
  /** True: it was a plugin's. */
  readonly manage: (address: string, port: number, packet: Uint8Array) => boolean
  readonly log: (line: Uint8Array) => void
}

export interface UdpSocket {
  /** With the port that the system chose for port 0. */
  readonly address: string
  close(): Promise<void>
}

/** @throws PolywsgiError SOCKET_BIND */
export const bindUdp = async (target: SocketAddress, options: UdpOptions): Promise<UdpSocket> => {
  if (target.kind === 'unix') throw new PolywsgiError('SOCKET_BIND', `udp = ${target.text}: a udp socket needs host:port`)
  const { host, port } = target
  const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4' })
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.bind(port, host, () => resolve())
  }).catch((cause: Error) => {
    throw new PolywsgiError('SOCKET_BIND', `cannot bind udp ${formatTcp(host, port)}: ${cause.message}`, { cause })
  })
  socket.removeAllListeners('error')
  // An ICMP answer to something that was sent from here; the socket goes on.
  socket.on('error', () => {})
  socket.on('message', (packet, from) => {
    if (options.manage(from.address, from.port, packet)) return
    options.log(Buffer.concat([Buffer.from(`[udp:${from.address}:${from.port}] `), packet]))
  })
  return { address: formatTcp(host, socket.address().port), close: () => closed(socket) }
}

const closed = (socket: Socket): Promise<void> => new Promise((resolve) => socket.close(() => resolve()))
