// Reading and writing a cache of another server: modifier1 111, modifier2 17. The block is vars; the value follows it raw.
//
//   request  cmd, key, size (of the value that follows: set, update), expires (seconds from now), cache (its name)
//   reply    status "ok", size (of the value that follows: get), expires (seconds since 1970)
//
// A server that has nothing good to say closes the connection without a byte; arithmetic does not travel.
import { ProtocolError } from './errors.ts'
import { modifiers } from './modifiers.ts'
import { decodeHeader, encodePacket, headerSize } from './packet.ts'
import { checkVars, encodeVars, findVar, findVarBytes } from './vars.ts'

export const cacheModifier1 = modifiers.cache.modifier1
/** The one form of cache packets that works; those of the other numbers are of no use even in uWSGI itself. */
export const cacheModifier2 = 17

const commands = ['get', 'set', 'update', 'del', 'exists', 'clear'] as const
export type CacheCommand = (typeof commands)[number]

export interface CacheRequest {
  readonly cmd: CacheCommand
  /** Empty with `clear`. */
  readonly key: Uint8Array
  /** Bytes of the value that follows the packet; 0 but with `set` and `update`. */
  readonly size: number
  /** Seconds from now; 0 never. */
  readonly expires: number
  /** Name of the cache; empty: the server's first one. */
  readonly cache: string
}

export interface CacheReply {
  /** With `get`. */
  readonly value: Uint8Array | undefined
  /** Seconds since 1970; 0 never. */
  readonly expires: number
}

const utf8Encoder = new TextEncoder()
const noBytes = new Uint8Array(0)

const malformed = (problem: string): ProtocolError => new ProtocolError('CACHE_PACKET', problem)

/** What a request needs beside its command. */
const takesKey = (cmd: CacheCommand): boolean => cmd !== 'clear'
const takesValue = (cmd: CacheCommand): boolean => cmd === 'set' || cmd === 'update'

/**
 * Reads the block of a request. The value that may follow is the caller's to read: `size` bytes.
 * @throws ProtocolError CACHE_PACKET, and as `checkVars`
 */
export const decodeCacheRequest = (block: Uint8Array): CacheRequest => {
  checkVars(block)
  const named = findVar(block, 'cmd') ?? ''
  const cmd = commands.find((command) => command === named)
  if (cmd === undefined) {
    throw malformed(named === '' ? 'a cache request without a command' : `'${named.slice(0, 80)}' is no command of a cache`)
  }
  const key = findVarBytes(block, 'key') ?? noBytes
  if (takesKey(cmd) && key.length === 0) throw malformed(`the cache request '${cmd}' has no key`)
  const size = numberOf(block, 'size')
  if (takesValue(cmd) && size === 0) throw malformed(`the cache request '${cmd}' has no value`)
  return {
    cmd,
    key: takesKey(cmd) ? key : noBytes,
    size: takesValue(cmd) ? size : 0,
    expires: takesValue(cmd) ? numberOf(block, 'expires') : 0,
    cache: Buffer.from(findVar(block, 'cache') ?? '', 'latin1').toString('utf8'),
  }
}

/**
 * A whole request: the packet, and the value behind it.
 * @param value with `set` and `update`
 * @throws ProtocolError as `encodeVars`, for a key that is too long
 */
export const encodeCacheRequest = (request: Omit<CacheRequest, 'size'>, value: Uint8Array = noBytes): Uint8Array => {
  const vars: (readonly [string, string | Uint8Array])[] = [['cmd', request.cmd]]
  if (takesKey(request.cmd)) vars.push(['key', request.key])
  if (takesValue(request.cmd)) vars.push(['size', String(value.length)])
  if (takesValue(request.cmd) && request.expires > 0) vars.push(['expires', String(request.expires)])
  if (request.cache !== '') vars.push(['cache', utf8Encoder.encode(request.cache)])
  return withValue(vars, value)
}

/**
 * A whole reply to a request that succeeded. One that failed is answered by closing the connection.
 * @param value of a `get`
 * @param expires seconds since 1970; 0 never
 */
export const encodeCacheReply = (value?: Uint8Array, expires = 0): Uint8Array => {
  const vars: (readonly [string, string])[] = [['status', 'ok']]
  if (value !== undefined) vars.push(['size', String(value.length)])
  if (expires > 0) vars.push(['expires', String(expires)])
  return withValue(vars, value ?? noBytes)
}

/**
 * Reads a whole reply; the value is a view into it.
 * @returns undefined when there is not a byte: the request failed
 * @throws ProtocolError CACHE_PACKET, and as `checkVars`, for what is no reply or not all of one
 */
export const decodeCacheReply = (bytes: Uint8Array): CacheReply | undefined => {
  if (bytes.length === 0) return undefined
  if (bytes.length < headerSize) throw malformed(`a cache reply of ${bytes.length} bytes`)
  const { modifier1, modifier2, size: blockSize } = decodeHeader(bytes)
  if (modifier1 !== cacheModifier1 || modifier2 !== cacheModifier2) {
    throw malformed(
      `the modifiers of a cache reply are ${cacheModifier1} and ${cacheModifier2}, not ${modifier1} and ${modifier2}`,
    )
  }
  const blockEnd = headerSize + blockSize
  if (blockEnd > bytes.length) throw malformed(`the cache reply ends after ${bytes.length} of ${blockEnd} bytes`)
  const block = bytes.subarray(headerSize, blockEnd)
  checkVars(block)
  const status = findVar(block, 'status') ?? ''
  if (status !== 'ok') throw malformed(`the status of a cache reply is 'ok', not '${status.slice(0, 80)}'`)
  const expires = numberOf(block, 'expires')
  if (findVarBytes(block, 'size') === undefined) return { value: undefined, expires }
  const size = numberOf(block, 'size')
  if (blockEnd + size > bytes.length)
    throw malformed(`the cache reply has ${bytes.length - blockEnd} of ${size} bytes of the value`)
  return { value: bytes.subarray(blockEnd, blockEnd + size), expires }
}

const withValue = (vars: readonly (readonly [string, string | Uint8Array])[], value: Uint8Array): Uint8Array => {
  const packet = encodePacket(cacheModifier1, cacheModifier2, encodeVars(vars))
  if (value.length === 0) return packet
  const whole = new Uint8Array(packet.length + value.length)
  whole.set(packet)
  whole.set(value, packet.length)
  return whole
}

/** 0 when there is none. Where a name occurs twice, as uWSGI writes `size`, the last one counts. */
const numberOf = (block: Uint8Array, name: string): number => {
  const text = findVar(block, name) ?? ''
  if (text === '') return 0
  // Fifteen digits are exact as a number, and more than any memory.
  if (!/^\d{1,15}$/.test(text))
    throw malformed(`'${name}' of a cache packet must be a decimal number, not '${text.slice(0, 80)}'`)
  return Number(text)
}
