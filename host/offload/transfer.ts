// uWSGI's engines `net` and `pipe`: what another server answers goes to the client as it comes, at the client's pace.
// Invariant: the connection is closed, however it ends.
import type { Duplex } from 'node:stream'
import type { ExchangeHead } from '../master/exchange.ts'
import type { Delivery } from './delivery.ts'

export interface Transfer {
  readonly socket: Duplex
  /** Written first. */
  readonly request: Uint8Array | undefined
  /** How long the other side may be silent while the client waits for it. */
  readonly timeoutMs: number
  readonly isRaw: boolean
  /** For the log. */
  readonly name: string
}

export const transfer = async (
  delivery: Delivery,
  head: ExchangeHead | undefined,
  { socket, request, timeoutMs, isRaw, name }: Transfer,
  log: (line: string) => void,
): Promise<void> => {
  const promised = head === undefined ? Number.POSITIVE_INFINITY : lengthOf(head)
  let received = 0
  let nextHead = head
  let hasBegun = false
  let isSilent = false
  let timer: NodeJS.Timeout | undefined
  const watch = (): void => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      isSilent = true
      socket.destroy(new Error(`nothing came in ${timeoutMs / 1000} seconds`))
    }, timeoutMs)
  }
  delivery.onOver = () => socket.destroy()
  // Errors are seen where the stream is read; one that comes after that is nobody's.
  socket.on('error', () => {})
  try {
    if (request !== undefined && request.length > 0) socket.write(request)
    if (promised === 0) {
      delivery.send(nextHead, nothing, true, { isRaw })
      return
    }
    watch()
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      clearTimeout(timer)
      received += chunk.length
      // What comes after it is for nobody, and the other side may keep the connection for as long as it likes.
      const isAll = received >= promised
      const piece = isAll ? chunk.subarray(0, chunk.length - (received - promised)) : chunk
      const room = delivery.send(nextHead, piece, isAll, { isRaw })
      if (isAll) return
      nextHead = undefined
      hasBegun = true
      if (room !== undefined) await room
      if (delivery.isOver) return
      watch()
    }
    delivery.send(nextHead, nothing, true, { isRaw })
  } catch (error) {
    if (delivery.isOver) return
    log(`offload to ${name}: ${(error as Error).message}`)
    delivery.fail(isSilent && !hasBegun ? 504 : 500, 'the other server did not complete its answer')
  } finally {
    clearTimeout(timer)
    socket.destroy()
  }
}

/** What Content-Length promises; a response without one goes on to the end of the connection. */
const lengthOf = ({ headers }: ExchangeHead): number => {
  const promised = /(?:^|\0)content-length\0(\d+)(?:\0|$)/i.exec(headers)
  return promised === null ? Number.POSITIVE_INFINITY : Number(promised[1])
}

const nothing = new Uint8Array(0)
