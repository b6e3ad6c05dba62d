// Everything the Lua interpreter can ask of the world: the functions that glue.wasm imports. What is not answered here does
// not exist for a guest, whatever Lua function it finds a way to call: no files, no environment, no shell, no exit.

import type { LineJoiner } from '../../host/plugin/line-joiner.ts'
import { wasm } from '../../host/plugin/web-assembly.ts'
import { type BrokenDownTime, localTime, readTime, secondsOf, strftime, utcTime, writeTime } from './calendar.ts'
import type { Unwinding } from './companion.ts'

/** What the calls need of the interpreter that makes them; its memory does not exist before they are given to it. */
export interface CallingInterpreter {
  /** A view of the whole memory, renewed by `growTo`. */
  readonly bytes: Uint8Array
  readonly view: DataView
  /** Makes the memory at least `size` bytes large. False: that is more than the limit, nothing was changed. */
  growTo(size: number): boolean
  /** Milliseconds since the epoch. */
  now(): number
}

// WASI error numbers, and the negative ones of Linux for the others (musl).
const badFileDescriptor = 8
const notPermitted = -1
const stderrAndStdout = new Set([1, 2])

export const systemCalls = (
  interpreter: CallingInterpreter,
  unwinding: Unwinding,
  output: LineJoiner,
): Record<string, Record<string, unknown>> => {
  const refuse = (): number => notPermitted
  const refuseDescriptor = (): number => badFileDescriptor
  const ended = (how: string) => (): never => {
    // A trap as far as Lua is concerned: it cannot be caught there, and the interpreter must not be entered again.
    throw new wasm.RuntimeError(how)
  }
  const putTime = (address: number, time: BrokenDownTime): void => writeTime(interpreter.view, address, time)

  return {
    env: {
      invoke_vii: unwinding.invoke_vii,
      _emscripten_throw_longjmp: unwinding._emscripten_throw_longjmp,
      abort: ended('the Lua interpreter gave up: an error outside of any protected call'),
      exit: ended('the Lua interpreter was told to exit'),
      emscripten_resize_heap: (size: number): number => (interpreter.growTo(size >>> 0) ? 1 : 0),

      emscripten_date_now: (): number => interpreter.now(),
      _emscripten_get_now_is_monotonic: (): number => 0,
      _tzset_js: (): void => {},
      _localtime_js: (seconds: bigint, tm: number): void => putTime(tm, localTime(Number(seconds))),
      _gmtime_js: (seconds: bigint, tm: number): void => putTime(tm, utcTime(Number(seconds))),
      _mktime_js: (tm: number): bigint => {
        const seconds = secondsOf(readTime(interpreter.view, tm))
        if (seconds === undefined) return -1n
        putTime(tm, localTime(seconds))
        return BigInt(seconds)
      },
      strftime: (target: number, capacity: number, format: number, tm: number): number => {
        const source = interpreter.bytes.subarray(format, interpreter.bytes.indexOf(0, format))
        const text = Buffer.from(strftime(Buffer.from(source).toString('latin1'), readTime(interpreter.view, tm)), 'latin1')
        if (text.length >= capacity) return 0
        interpreter.bytes.set(text, target)
        interpreter.bytes[target + text.length] = 0
        return text.length
      },

      // C: no command processor is available.
      system: (): number => 0,
      __syscall_openat: refuse,
      __syscall_fcntl64: refuse,
      __syscall_ioctl: refuse,
      __syscall_dup3: refuse,
      __syscall_unlinkat: refuse,
      __syscall_rmdir: refuse,
      __syscall_renameat: refuse,
      __syscall_readlinkat: refuse,
    },
    wasi_snapshot_preview1: {
      environ_sizes_get: (count: number, size: number): number => {
        interpreter.view.setUint32(count, 0, true)
        interpreter.view.setUint32(size, 0, true)
        return 0
      },
      environ_get: (): number => 0,
      fd_read: refuseDescriptor,
      fd_close: refuseDescriptor,
      fd_seek: refuseDescriptor,
      // `warn` and the message of a fatal error.
      fd_write: (descriptor: number, vectors: number, vectorCount: number, written: number): number => {
        if (!stderrAndStdout.has(descriptor)) return badFileDescriptor
        let total = 0
        for (let index = 0; index < vectorCount; index += 1) {
          const start = interpreter.view.getUint32(vectors + 8 * index, true)
          const length = interpreter.view.getUint32(vectors + 8 * index + 4, true)
          output.write(interpreter.bytes.subarray(start, start + length))
          total += length
        }
        interpreter.view.setUint32(written, total, true)
        return 0
      },
    },
  }
}
