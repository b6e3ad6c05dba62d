// Carries out what workers hand over: each order by its engine, in the master's event loop. As many at once as there are
// clients; each holds one piece of its response at most, but for memory, which is there already.
// Invariant: every order ends its exchange, also one that cannot be carried out.
import type { Duplex } from 'node:stream'
import { openKnown } from '../files/containment.ts'
import type { ExchangeHead, OffloadedResponse, OffloadRequest } from '../master/exchange.ts'
import type { OffloadOrder } from '../request/offload-order.ts'
import { Delivery } from './delivery.ts'
import { sendFile } from './send-file.ts'
import { transfer } from './transfer.ts'

export interface OffloaderOptions {
  readonly log: (line: string) => void
  /** @throws Error saying why there is no connection */
  connect(address: string): Promise<Duplex>
  /** A connection that a thread has opened, and gives away; undefined: it has none of that number. */
  take(fd: number, thread: number): Duplex | undefined
  /** @throws Error when the function raises */
  callRpc(name: string, args: readonly Uint8Array[]): Promise<Uint8Array | undefined>
}

export class Offloader {
  readonly #options: OffloaderOptions

  constructor(options: OffloaderOptions) {
    this.#options = options
  }

  run(request: OffloadRequest): OffloadedResponse {
    const { log } = this.#options
    const delivery = new Delivery(request.exchange, log)
    this.#carryOut(delivery, request).catch((error: Error) => {
      log(`offload: ${error.message}`)
      delivery.fail(500, 'what a worker has handed over could not be done')
    })
    return delivery
  }

  async #carryOut(delivery: Delivery, { order: text, head, thread, parcel, isRaw }: OffloadRequest): Promise<void> {
    const { log, connect, take, callRpc } = this.#options
    const order = JSON.parse(text) as OffloadOrder & { readonly parcel?: number }
    const bytes = await (order.parcel === undefined ? undefined : parcel(order.parcel))
    // Nobody is there for it any more, but a connection that was given away is still to be closed.
    if (delivery.isOver && order.engine !== 'pipe') return
    switch (order.engine) {
      case 'sendfile': {
        const file = await openKnown(order)
        if (file.kind !== 'open') throw new Error(`${order.path} was removed or replaced before it was sent`)
        const { offset, length, path } = order
        return await sendFile(delivery, head, { handle: file.handle, offset, length, path, isRaw }, log)
      }
      case 'memory':
        delivery.send(head, bytes ?? nothing, true, { isRaw, isLasting: true })
        return
      case 'net': {
        const socket = await connect(order.address).catch((error: Error) => {
          log(`offload: ${error.message}`)
          delivery.fail(503, 'there is no connection to the other server')
        })
        if (socket === undefined) return
        return await transfer(delivery, head, { ...order, socket, request: bytes, isRaw, name: order.address }, log)
      }
      case 'pipe': {
        const socket = take(order.fd, thread)
        if (socket === undefined) throw new Error(`${order.fd} is no open connection of the worker that offloads to it`)
        return await transfer(delivery, head, { ...order, socket, request: bytes, isRaw, name: `descriptor ${order.fd}` }, log)
      }
      case 'rpc': {
        const answer = (await callRpc(order.name, order.args.map(latin1Bytes))) ?? nothing
        delivery.send(head === undefined ? undefined : withLength(head, answer.length), answer, true, { isRaw, isLasting: true })
      }
    }
  }
}

const nothing = new Uint8Array(0)

const latin1Bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')

const withLength = (head: ExchangeHead, length: number): ExchangeHead => {
  if (/(?:^|\0)content-length\0/i.test(head.headers)) return head
  return { ...head, headers: `${head.headers === '' ? '' : `${head.headers}\0`}Content-Length\0${length}` }
}
