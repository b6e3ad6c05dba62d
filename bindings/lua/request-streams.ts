// `env.input` and `env.error`: host functions that act on the request under way, whichever coroutine calls them. The two
// objects are the same for every request and cannot be changed by a guest, so a request costs none.

import type { LineJoiner } from '../../host/plugin/line-joiner.ts'
import { pushBytes } from './convert.ts'
import { luaBuffer, luaType, luaTypeName, type Pointer } from './glue.ts'
import type { HostFunction, LuaRuntime } from './runtime.ts'

/** How much is asked for at once of a body that arrives piece by piece. */
const pieceSize = 256 * 1024

/** The largest buffer made in advance: what a client says of its body's length is not yet a body. */
const largestReserve = 16 * 1024 * 1024

const nothing = new Uint8Array(0)

/**
 * `input:read([n])`, which is also uWSGI's `input.read(self, n)`: n bytes, fewer at the end of the body, nil after it;
 * without n all that is left, '' when nothing is. Parks the thread while bytes are missing.
 * Differs from uWSGI: the end is told apart, by nil.
 */
export const readInput =
  (runtime: LuaRuntime): HostFunction =>
  (L) => {
    const { request, lua } = runtime
    if (request === undefined) throw new Error('env.input: no request is being served')
    const wanted = wantedBytes(runtime, L)
    if (wanted === 0) {
      pushBytes(runtime, L, nothing)
      return 1
    }
    const total = readInto(runtime, L, wanted)
    if (total === 0 && wanted !== Number.POSITIVE_INFINITY) lua.lua_pushnil(L)
    return 1
  }

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

/** Pushes a string of up to `wanted` bytes of the body, and answers how many it has. */
const readInto = (runtime: LuaRuntime, L: Pointer, wanted: number): number => {
  const { lua, buffer } = runtime
  const body = runtime.request!.body
  // A body of known length is read into a buffer of its size; what lies about its length costs a second allocation.
  const known = Math.min(wanted, Math.max(body.contentLength - runtime.bodyBytesRead, 0))
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
  runtime.bodyBytesRead += total
  lua.luaL_pushresult(buffer)
  return total
}

/** `error:write(...)`: strings and numbers, one after the other, to the log; whole lines appear at once. Answers itself. */
export const writeError =
  (runtime: LuaRuntime, errorLog: LineJoiner): HostFunction =>
  (L) => {
    const { lua } = runtime
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
