// A file sent piece by piece from this thread: for responses that cannot be handed over.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { PolywsgiError } from '../errors.ts'
import type { KnownFile } from '../files/containment.ts'

const pieceSize = 64 * 1024

/**
 * Calls `take` with one piece after the other, each overwritten by the next.
 * @throws PolywsgiError API_IO when it is another file by now, or has become shorter
 */
export const copyFile = (file: KnownFile, offset: number, length: number, take: (piece: Uint8Array) => void): void => {
  const fd = openSync(file.path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const { dev, ino } = fstatSync(fd)
    if (dev !== file.dev || ino !== file.ino) throw new PolywsgiError('API_IO', `${file.path} was replaced`)
    const buffer = Buffer.allocUnsafe(Math.min(pieceSize, Math.max(1, length)))
    let sent = 0
    while (sent < length) {
      const count = readSync(fd, buffer, 0, Math.min(buffer.length, length - sent), offset + sent)
      if (count === 0) throw new PolywsgiError('API_IO', `${file.path} was cut to ${offset + sent} bytes while it was sent`)
      sent += count
      take(buffer.subarray(0, count))
    }
  } finally {
    closeSync(fd)
  }
}
