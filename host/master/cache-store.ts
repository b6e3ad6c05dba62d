// The file that keeps a cache's items over a restart (`store`). It is written beside the old one and renamed over it, so
// there is always a whole one. Differs from uWSGI: the file holds the items, not the cache's memory, and a checksum; it fits
// another cache as long as the items do.
//
//   "POLYWSGI CACHE\n", version (1 byte) | items | end mark: an item with a key of no bytes | CRC-32 of all before (u32)
//   item: key length (u32), value length (u32), expiry in milliseconds since 1970 or 0 (f64), key, value. Little endian.

import { type FileHandle, open, rename, unlink } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import type { Cache, CacheItem } from '../state/cache.ts'

/** A store that this cache cannot be filled from. The message says what is wrong with it. */
export class UnusableStore extends Error {}

const magic = Buffer.from('POLYWSGI CACHE\n', 'latin1')
const version = 1
const itemHead = 16
const checksumBytes = 4
/** So much is read or written between two turns of the event loop. */
const pieceBytes = 1024 * 1024
/** Places looked at between two turns of the event loop. */
const placesPerTurn = 2000
/** An item is being changed for microseconds, or until the death of a thread is known. */
const busyTurns = 1000

const encodeHead = (keyLength: number, valueLength: number, expiresAtMs: number): Buffer => {
  const head = Buffer.allocUnsafe(itemHead)
  head.writeUInt32LE(keyLength, 0)
  head.writeUInt32LE(valueLength, 4)
  head.writeDoubleLE(expiresAtMs, 8)
  return head
}

/**
 * Writes every item that has not expired. Items that change meanwhile are written as they are when their turn comes.
 * @throws whatever the file system says; the old file is then still there
 */
export const saveStore = async (cache: Cache, path: string): Promise<void> => {
  const temporary = `${path}.tmp`
  // Items are nobody else's business on this machine.
  const file = await open(temporary, 'w', 0o600)
  try {
    await writeItems(cache, file)
    await file.sync()
    await file.close()
    await rename(temporary, path)
  } catch (error) {
    await file.close().catch(() => {})
    await unlink(temporary).catch(() => {})
    throw error
  }
}

const writeItems = async (cache: Cache, file: FileHandle): Promise<void> => {
  let pieces: Uint8Array[] = [magic, Uint8Array.of(version)]
  let size = 0
  let checksum = 0
  const flush = async (): Promise<void> => {
    const piece = Buffer.concat(pieces)
    checksum = crc32(piece, checksum)
    pieces = []
    size = 0
    await writeAll(file, piece)
  }
  for (let place = 0; place < cache.highWater; place += 1) {
    if (place % placesPerTurn === placesPerTurn - 1) await setImmediate()
    let item = cache.itemAt(place)
    for (let turn = 0; item === 'busy' && turn < busyTurns; turn += 1) {
      await setImmediate()
      item = cache.itemAt(place)
    }
    if (item === undefined || item === 'busy') continue
    pieces.push(encodeHead(item.key.length, item.value.length, item.expiresAtMs), item.key, item.value)
    size += itemHead + item.key.length + item.value.length
    if (size >= pieceBytes) await flush()
  }
  pieces.push(encodeHead(0, 0, 0))
  await flush()
  const trailer = Buffer.allocUnsafe(checksumBytes)
  trailer.writeUInt32LE(checksum)
  await writeAll(file, trailer)
}

const writeAll = async (file: FileHandle, bytes: Uint8Array): Promise<void> => {
  for (let offset = 0; offset < bytes.length; ) offset += (await file.write(bytes, offset)).bytesWritten
}

/**
 * Fills an empty cache. Items that have expired meanwhile are left out.
 * @returns how many items were taken over; undefined when there is no such file
 * @throws UnusableStore, and the cache is empty again; whatever the file system says
 */
export const loadStore = async (cache: Cache, path: string, now: number): Promise<number | undefined> => {
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    return await readItems(cache, new StoreReader(file, (await file.stat()).size), now)
  } catch (error) {
    cache.clear()
    throw error
  } finally {
    await file.close()
  }
}

const readItems = async (cache: Cache, reader: StoreReader, now: number): Promise<number> => {
  if (reader.left < magic.length || !magic.equals(await reader.take(magic.length))) {
    throw new UnusableStore('it is not a cache store of polywsgi')
  }
  const [found] = await reader.take(1)
  if (found !== version) throw new UnusableStore(`it has version ${found}, not ${version}`)
  let count = 0
  for (;;) {
    const head = await reader.take(itemHead)
    const keyLength = head.readUInt32LE(0)
    const valueLength = head.readUInt32LE(4)
    const expiresAtMs = head.readDoubleLE(8)
    if (keyLength === 0) break
    const key = await reader.take(keyLength)
    const value = await reader.take(valueLength)
    if (expiresAtMs !== 0 && expiresAtMs <= now) continue
    const item: CacheItem = { key, value, expiresAtMs }
    if (!cache.restore(item)) throw new UnusableStore(misfit(cache, item))
    count += 1
  }
  const { checksum } = reader
  if ((await reader.take(checksumBytes)).readUInt32LE() !== checksum) throw new UnusableStore('its checksum is wrong')
  if (reader.left > 0) throw new UnusableStore(`there are ${reader.left} bytes behind its end`)
  return count
}

const misfit = (cache: Cache, { key, value }: CacheItem): string => {
  const { keysize, maxItems } = cache.handle.shape
  if (key.length > keysize) return `it holds a key of ${key.length} bytes, the cache takes ${keysize}`
  if (value.length > cache.maxValue) return `it holds a value of ${value.length} bytes, the cache takes ${cache.maxValue}`
  if (cache.items === maxItems) return `it holds more items than the cache's ${maxItems}`
  return 'it holds more than fits into the blocks of the cache'
}

class StoreReader {
  /** Of everything taken so far. */
  checksum = 0
  /** Bytes of the file that were not taken yet. */
  left: number
  readonly #file: FileHandle
  #piece: Buffer = Buffer.alloc(0)
  #offset = 0

  constructor(file: FileHandle, size: number) {
    this.#file = file
    this.left = size
  }

  /** The next bytes, in memory that is not written again. @throws UnusableStore when the file has not so many left */
  async take(length: number): Promise<Buffer> {
    // A damaged length is noticed here, before memory is asked for.
    if (length > this.left) throw new UnusableStore('it ends in the middle of an item')
    if (this.#offset + length > this.#piece.length) await this.#fill(length)
    const bytes = this.#piece.subarray(this.#offset, this.#offset + length)
    this.#offset += length
    this.left -= length
    this.checksum = crc32(bytes, this.checksum)
    return bytes
  }

  async #fill(length: number): Promise<void> {
    const rest = this.#piece.subarray(this.#offset)
    const piece = Buffer.allocUnsafe(Math.max(length, pieceBytes))
    let end = rest.copy(piece)
    while (end < length) {
      const { bytesRead } = await this.#file.read(piece, end, piece.length - end)
      if (bytesRead === 0) throw new UnusableStore('it became shorter while it was read')
      end += bytesRead
    }
    this.#piece = piece.subarray(0, end)
    this.#offset = 0
  }
}
