// Memory for the C stacks of cores: each suspended core keeps its frames where they are, in a region of its own.
// Invariant: a region belongs to one core at a time. CPython raises RecursionError well above a region's end; the words below
// that are looked at after every stretch, so that code which overran them is found out before anybody else suffers.
import { GuestError, PolywsgiError } from '../../host/errors.ts'
import type { Pointer, PythonApi } from './capi.ts'

/** Bytes of a region. CPython keeps the last 16 KiB free of calls of its own, for C functions that it does not count. */
const mostBytes = 256 * 1024
const leastBytes = 64 * 1024
/** Below what CPython knows of: room for a C function with large variables, and the words that nobody may write. */
const reserve = 8 * 1024
const guardWords = 16
const alignment = 16
const guard = 0x5ca1ab1e
/** What a core takes beside its C stack: its thread state, the frames of Python functions, its request's environ. */
const otherBytes = 32 * 1024
/** The share of the memory limit that stacks may claim: the rest is for what the applications work with. */
const share = 0.6

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`

export class CoreStacks {
  readonly #api: PythonApi
  readonly bytes: number
  readonly #free: Pointer[] = []
  /** Regions that there may be: plain waits in the event loop take more than there are cores for requests. */
  readonly #most: number
  #made = 0

  /** @throws PolywsgiError CONFIG_BAD_VALUE when the memory limit does not hold so many cores */
  constructor(api: PythonApi, cores: number, memoryLimit: number) {
    this.#api = api
    const room = Math.max(0, (memoryLimit - api.bytes.length) * share)
    const each = Math.floor(room / cores) - otherBytes
    if (each < leastBytes) {
      const fitting = Math.floor(room / (leastBytes + otherBytes))
      const needed = api.bytes.length + (cores * (leastBytes + otherBytes)) / share
      throw new PolywsgiError(
        'CONFIG_BAD_VALUE',
        `python: ${cores} cores do not fit into a memory limit of ${mebibytes(memoryLimit)}: they need ${mebibytes(needed)}; ${fitting} would fit`,
      )
    }
    this.bytes = Math.min(mostBytes, each & ~0xfff)
    this.#most = Math.floor(room / (this.bytes + otherBytes))
  }

  /** The lowest address of a region, a multiple of 16: compiled code counts on an aligned stack. @throws GuestError when there is no memory for it */
  take(): Pointer {
    const pooled = this.#free.pop()
    if (pooled !== undefined) return pooled
    // Regions stay for the life of the interpreter, so what malloc() calls its own may be forgotten.
    const found = this.#made === this.#most ? 0 : this.#api.c.malloc(this.bytes + alignment)
    if (found === 0) throw new GuestError('python', 'MemoryError: there is no memory for the stack of another core', '')
    this.#made += 1
    const base = (found + alignment - 1) & -alignment
    this.#api.words.fill(guard, base >> 2, (base >> 2) + guardWords)
    return base
  }

  giveBack(base: Pointer): void {
    this.#free.push(base)
  }

  /** Tells CPython how far the stack of a thread state reaches. */
  protect(threadState: Pointer, base: Pointer): boolean {
    return this.#api.c.PyUnstable_ThreadState_SetStackProtection(threadState, base + reserve, this.bytes - reserve) === 0
  }

  isIntact(base: Pointer): boolean {
    const { words } = this.#api
    for (let index = 0; index < guardWords; index += 1) if (words[(base >> 2) + index] !== guard) return false
    return true
  }
}
