// Sends a part of an open file: never more of it in memory than one piece, never a piece before the client took the last one.
// Invariant: the file is closed, whatever becomes of the client, the file or the disk.
import type { FileHandle } from 'node:fs/promises'
import type { ExchangeHead } from '../master/exchange.ts'
import type { Delivery } from './delivery.ts'

/** As large as the chunks that gateways copy without leaving garbage (host/gateway/chunk-pool.ts). */
const pieceSize = 64 * 1024

export interface FilePart {
  readonly handle: FileHandle
  readonly offset: number
  readonly length: number
  /** For the log. */
  readonly path: string
  readonly isRaw?: boolean
}

/** Resolves when the file is closed. A file that has become shorter ends the response before its end: the client sees it cut. */
export const sendFile = async (
  delivery: Delivery,
  head: ExchangeHead | undefined,
  { handle, offset, length, path, isRaw = false }: FilePart,
  log: (line: string) => void,
): Promise<void> => {
  try {
    let nextHead = head
    let sent = 0
    const buffer = Buffer.allocUnsafeSlow(Math.min(pieceSize, Math.max(1, length)))
    while (!delivery.isOver) {
      const wanted = Math.min(buffer.length, length - sent)
      const { bytesRead } = wanted === 0 ? { bytesRead: 0 } : await handle.read(buffer, 0, wanted, offset + sent)
      sent += bytesRead
      if (bytesRead === 0 && wanted > 0) {
        log(`${path}: the file was cut to ${offset + sent} bytes while it was sent, connection closed`)
        return delivery.fail(500, 'the file was cut while it was sent')
      }
      const room = delivery.send(nextHead, buffer.subarray(0, bytesRead), sent === length, { isRaw })
      nextHead = undefined
      if (sent === length) return
      if (room !== undefined) await room
    }
  } catch (error) {
    log(`${path}: ${(error as Error).message}`)
    delivery.fail(500, 'the file cannot be read')
  } finally {
    await handle.close()
  }
}
