// The memory of an interpreter that has just started, before it has run any code but CPython's own: the first thread of a server
// leaves it in shared memory, and those that boot later go on from there instead of starting CPython once more.
// Invariant: whoever restores it becomes equal to the thread that took it. What is not in the memory (the function table, the C
// stack, open files, addresses that our side holds) is compared, and where anything differs CPython starts in the ordinary way.
//
// No randomness is in it but the secret of str hashes, which is drawn anew for each server, and which its threads share as forked
// workers do: `random` and what is built upon it are imported later, and seed themselves from the system.
import { crc32 } from 'node:zlib'
import type { PythonApi } from './capi.ts'
import type { EmscriptenModule } from './emscripten.ts'

/** The system's page: what lies between two written ones is never touched, and takes no memory. */
const pageBytes = 4096
/** Room for what was written of a memory of 30 MiB: 5 MiB. An interpreter that needs more is not kept. */
const roomBytes = 16 * 2 ** 20

// Words of the header.
const [stateAt, pagesAt, factsAt] = [0, 1, 2] as const
const [empty, beingTaken, there] = [0, 1, 2] as const
const factCount = 6
const pageNumbersAt = factsAt + factCount
const mostPages = roomBytes / pageBytes
const headerBytes = Math.ceil(((pageNumbersAt + mostPages) * 4) / pageBytes) * pageBytes

const zeroPage = new Uint8Array(pageBytes)

/** @returns the numbers of the pages that hold anything but zeros */
const writtenPages = (memory: Uint8Array): number[] => {
  const written: number[] = []
  for (let page = 0, from = 0; from < memory.length; page += 1, from += pageBytes)
    if (Buffer.compare(memory.subarray(from, from + pageBytes), zeroPage) !== 0) written.push(page)
  return written
}

export class Snapshot {
  /** Cloned into threads without being copied. */
  readonly handle: SharedArrayBuffer
  readonly #words: Int32Array

  private constructor(handle: SharedArrayBuffer) {
    this.handle = handle
    this.#words = new Int32Array(handle, 0, headerBytes / 4)
  }

  /** An empty one. Its memory is the system's to give when it is written. */
  static create(): Snapshot {
    return new Snapshot(new SharedArrayBuffer(headerBytes + roomBytes))
  }

  static open(handle: SharedArrayBuffer): Snapshot {
    return new Snapshot(handle)
  }

  get isThere(): boolean {
    return Atomics.load(this.#words, stateAt) === there
  }

  /**
   * Starts the interpreter: from the snapshot, or else by `start`, of which the first thread takes it.
   * @param module instantiated, its standard streams in place
   */
  start(api: PythonApi, module: EmscriptenModule, start: () => void): void {
    if (this.isThere && this.#restore(api, module)) return
    const isMine = Atomics.compareExchange(this.#words, stateAt, empty, beingTaken) === empty
    if (!isMine) {
      start()
      return
    }
    const before = { pages: writtenPages(api.bytes), facts: factsOf(api, module) }
    start()
    const after = factsOf(api, module)
    // Something outside of the memory has changed: it stays with 'being taken', and nobody uses it.
    if (before.facts.some((fact, index) => fact !== after[index])) return
    this.#take(api, before)
  }

  #take({ bytes }: PythonApi, before: { readonly pages: readonly number[]; readonly facts: readonly number[] }): void {
    // One that was written before and is zero now has to become so again.
    const pages = [...new Set([...before.pages, ...writtenPages(bytes)])]
    if (pages.length > mostPages) return
    this.#words.set(before.facts, factsAt)
    this.#words.set(pages, pageNumbersAt)
    this.#words[pagesAt] = pages.length
    const room = new Uint8Array(this.handle, headerBytes)
    pages.forEach((page, index) => {
      room.set(bytes.subarray(page * pageBytes, (page + 1) * pageBytes), index * pageBytes)
    })
    Atomics.store(this.#words, stateAt, there)
  }

  #restore(api: PythonApi, module: EmscriptenModule): boolean {
    const facts = factsOf(api, module)
    if (facts.some((fact, index) => fact !== this.#words[factsAt + index])) return false
    const count = this.#words[pagesAt] as number
    const room = new Uint8Array(this.handle, headerBytes, count * pageBytes)
    // Neighbours at once: most lie side by side.
    for (let from = 0; from < count; ) {
      const page = this.#words[pageNumbersAt + from] as number
      let to = from + 1
      while (to < count && this.#words[pageNumbersAt + to] === page + to - from) to += 1
      api.bytes.set(room.subarray(from * pageBytes, to * pageBytes), page * pageBytes)
      from = to
    }
    return true
  }
}

/** What an interpreter is beside its memory: `factCount` numbers. */
const factsOf = ({ c, bytes, out }: PythonApi, { ENV, FS }: EmscriptenModule): number[] => [
  bytes.length,
  c.__indirect_function_table.length,
  c.__stack_pointer.value,
  out,
  FS.streams.filter((stream) => stream != null).length,
  // Signed, as the words are.
  crc32(JSON.stringify(Object.entries(ENV).sort())) | 0,
]
