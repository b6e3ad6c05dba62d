// `env.input` and `env.error`: host functions that act on the request under way, whichever coroutine calls them. The two
// objects are the same for every request and cannot be changed by a guest, so a request costs none.
import type { RequestBody } from '../../host/request/body.ts'
import { pushBytes } from './convert.ts'
import { luaBuffer, luaType, luaTypeName, type Pointer } from './glue.ts'
import type { HostFunction, LuaRuntime } from './runtime.ts'
import type { Task } from './task.ts'

/** How much is asked for at once of a body that arrives piece by piece. */
const pieceSize = 256 * 1024

/** The largest buffer made in advance: what a client says of its body's length is not yet a body. */
const largestReserve = 16 * 1024 * 1024

const nothing = new Uint8Array(0)

/** How much is reserved for a body that is waited for: it may never come. */
const firstReserve = 16 * 1024

/**
 * `input:read([n])`, which is also uWSGI's `input.read(self, n)`: n bytes, fewer at the end of the body, nil after it;
 * without n all that is left, '' when nothing is. Waits while bytes are missing.
 * Differs from uWSGI: the end is told apart, by nil.
 */
export const readInput =
  (runtime: LuaRuntime): HostFunction =>
  (L) => {
    const { request, bodyBytesRead } = runtime.serving
    if (request === undefined) throw new Error('env.input: no request is being served')
    const wanted = wantedBytes(runtime, L)
    if (wanted === 0) {
      pushBytes(runtime, L, nothing)
      return 1
    }
    const { body } = request
    // A body of known length is read into a buffer of its size; what lies about its length costs a second allocation.
    const known = Math.min(wanted, Math.max(body.contentLength - bodyBytesRead, 0))
    if (isHere(body) || !runtime.canWait(L)) return readNow(runtime, L, body, wanted, known)
    // Others build their strings in the common one meanwhile.
    const task = runtime.task as Task
    if (task.buffer === 0) task.buffer = runtime.allocate(luaBuffer.size)
    runtime.lua.luaL_buffinitsize(L, task.buffer, Math.min(known, firstReserve))
    return readWaiting(runtime, L, { body, buffer: task.buffer, wanted, known, total: 0 })
  }

const isHere = (body: RequestBody): boolean => body.canReadNow === undefined || body.whole !== undefined

const wantedBytes = ({ lua }: LuaRuntime, L: Pointer): number => {
  const type = lua.lua_type(L, 2)
  if (type === luaType.none || type === luaType.nil) return Number.POSITIVE_INFINITY
  if (type !== luaType.number) {
    throw new Error(`env.input:read(): the number of bytes must be a number, not a ${luaTypeName(type)}`)
  }
  const wanted = lua.lua_tonumberx(L, 2, 0)
  if (!(wanted >= 0) || (wanted !== Number.POSITIVE_INFINITY && !Number.isInteger(wanted))) {
    throw new Error(`env.input:read(): ${wanted} is not a number of bytes`)
  }
  return wanted
}

/** A read under way: the string grows in `buffer`, a luaL_Buffer, and has `total` bytes so far. */
interface Reading {
  readonly body: RequestBody
  readonly buffer: Pointer
  readonly wanted: number
  /** How much of that the client says there is. */
  readonly known: number
  total: number
}

const nextSize = ({ wanted, known, total }: Reading): number => Math.min(wanted - total, Math.max(known - total, pieceSize))

/** Parks the thread for each piece that is not here yet. */
const readNow = (runtime: LuaRuntime, L: Pointer, body: RequestBody, wanted: number, known: number): number => {
  const { lua, buffer } = runtime
  runtime.startBuffer(L, Math.min(known, largestReserve))
  let total = 0
  while (total < wanted) {
    const piece = body.read(Math.min(wanted - total, Math.max(known - total, pieceSize)))
    if (piece.length === 0) break
    const target = lua.luaL_prepbuffsize(buffer, piece.length)
    runtime.bytes.set(piece, target)
    total += piece.length
    runtime.view.setUint32(buffer + luaBuffer.lengthOffset, total, true)
  }
  return finishReading(runtime, L, buffer, wanted, total)
}

/** Suspends for each piece that is not here yet. */
const readWaiting = (runtime: LuaRuntime, L: Pointer, reading: Reading): number => {
  const { body } = reading
  while (reading.total < reading.wanted) {
    if (body.canReadNow?.() === false) {
      return runtime.wait(body.readAsync(nextSize(reading)), (resumed, piece) =>
        append(runtime, reading, piece)
          ? readWaiting(runtime, resumed, reading)
          : finishReading(runtime, resumed, reading.buffer, reading.wanted, reading.total),
      )
    }
    if (!append(runtime, reading, body.read(nextSize(reading)))) break
  }
  return finishReading(runtime, L, reading.buffer, reading.wanted, reading.total)
}

/** False: that was the end. */
const append = (runtime: LuaRuntime, reading: Reading, piece: Uint8Array): boolean => {
  if (piece.length === 0) return false
  const target = runtime.lua.luaL_prepbuffsize(reading.buffer, piece.length)
  runtime.bytes.set(piece, target)
  reading.total += piece.length
  runtime.view.setUint32(reading.buffer + luaBuffer.lengthOffset, reading.total, true)
  return true
}

const finishReading = (runtime: LuaRuntime, L: Pointer, buffer: Pointer, wanted: number, total: number): number => {
  runtime.serving.bodyBytesRead += total
  runtime.lua.luaL_pushresult(buffer)
  if (total === 0 && wanted !== Number.POSITIVE_INFINITY) runtime.lua.lua_pushnil(L)
  return 1
}

/** `error:write(...)`: strings and numbers, one after the other, to the log; whole lines appear at once. Answers itself. */
export const writeError =
  (runtime: LuaRuntime): HostFunction =>
  (L) => {
    const { lua } = runtime
    const { errorLog } = runtime.serving
    const count = lua.lua_gettop(L)
    for (let index = 2; index <= count; index += 1) {
      const type = lua.lua_type(L, index)
      if (type !== luaType.string && type !== luaType.number) {
        throw new Error(`env.error:write(): argument ${index - 1} must be a string or a number, not a ${luaTypeName(type)}`)
      }
      errorLog.write(runtime.bytesAt(L, index))
    }
    lua.lua_settop(L, 1)
    return 1
  }
