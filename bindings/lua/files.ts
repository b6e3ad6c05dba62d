// What of the machine Lua guests may have: files and environment, as host functions for guest/files.lua. Whether they may is judged
// by the host (GuestFiles); here are bytes and numbers only. None of these functions raises for a file that cannot be had: they
// answer nil, a message and the system's number of it, as Lua's own do.
import { constants } from 'node:os'
import type { GuestFiles, HostFile } from '../../host/api/guest-access.ts'
import { FileError } from '../../host/errors.ts'
import { pushInteger, pushText } from './convert.ts'
import type { Pointer } from './glue.ts'
import type { HostFunction, LuaRuntime } from './runtime.ts'

const fatalUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export const fileFunctions = (
  runtime: LuaRuntime,
  files: GuestFiles,
  environment: ReadonlyMap<string, string>,
): Record<string, HostFunction> => {
  const { lua } = runtime
  const open = new Map<number, HostFile>()
  let opened = 0

  const pathAt = (L: Pointer, index: number): string => {
    const bytes = runtime.bytesAt(L, index)
    try {
      return fatalUtf8.decode(bytes)
    } catch {
      throw new FileError(Buffer.from(bytes).toString('latin1'), 'EILSEQ', 'the path is no UTF-8')
    }
  }
  const fileAt = (L: Pointer): HostFile => {
    const file = open.get(lua.lua_tonumberx(L, 1, 0))
    if (file === undefined) throw new FileError('file', 'EBADF', 'the file is closed')
    return file
  }

  /** @param serve answers how many results it has pushed */
  const answering =
    (serve: (L: Pointer) => number): HostFunction =>
    (L) => {
      try {
        return serve(L)
      } catch (error) {
        if (!(error instanceof FileError)) throw error
        lua.lua_pushnil(L)
        pushText(runtime, L, error.message)
        pushInteger(runtime, L, constants.errno[error.errno as keyof typeof constants.errno] ?? 0)
        return 3
      }
    }
  const done = (L: Pointer): number => {
    lua.lua_pushboolean(L, 1)
    return 1
  }

  return {
    /** path, reads, writes, creates, truncates, appends: the number of the file. */
    openFile: answering((L) => {
      const flag = (index: number): boolean => lua.lua_toboolean(L, index) === 1
      const mode = { read: flag(2), write: flag(3), create: flag(4), truncate: flag(5), append: flag(6) }
      const file = files.open(pathAt(L, 1), mode)
      opened += 1
      open.set(opened, file)
      pushInteger(runtime, L, opened)
      return 1
    }),
    /** number, position: the next bytes, at most 64 KiB; '' at the end. */
    readFile: answering((L) => {
      const { scratch, scratchSize } = runtime
      const room = runtime.bytes.subarray(scratch, scratch + scratchSize)
      const length = fileAt(L).read(room, lua.lua_tonumberx(L, 2, 0))
      lua.lua_pushlstring(L, scratch, length)
      return 1
    }),
    /** number, position, bytes. */
    writeFile: answering((L) => {
      fileAt(L).write(runtime.bytesAt(L, 3), lua.lua_tonumberx(L, 2, 0))
      return done(L)
    }),
    sizeOfFile: answering((L) => {
      pushInteger(runtime, L, fileAt(L).stat().size)
      return 1
    }),
    closeFile: answering((L) => {
      const number = lua.lua_tonumberx(L, 1, 0)
      open.get(number)?.close()
      open.delete(number)
      return done(L)
    }),
    removeFile: answering((L) => {
      files.remove(pathAt(L, 1))
      return done(L)
    }),
    renameFile: answering((L) => {
      files.rename(pathAt(L, 1), pathAt(L, 2))
      return done(L)
    }),
    environment: (L) => {
      const value = environment.get(Buffer.from(runtime.bytesAt(L, 1)).toString('utf8'))
      if (value === undefined) lua.lua_pushnil(L)
      else pushText(runtime, L, value)
      return 1
    },
  }
}
