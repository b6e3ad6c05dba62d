// Collects the guest's cycles in time. The interpreter's own trigger counts blocks of memory but, in this build, not their
// size, so that a few megabytes held by forgotten cycles would pile up to the memory limit. The trigger's threshold is a
// word of JSRuntime; set to 0 it makes the next new object start a collection, which sets it anew.
import type { Converter } from './convert.ts'
import { type Engine, maxStackSize, type Pointer } from './engine.ts'

const runtimeWords = 128
const initialThreshold = 256 * 1024
// After so many bytes of bodies and other buffers given to the guest.
const collectAfterBytes = 4 * 1024 * 1024
// After a collection that made no room: what fills the memory is in use, and looking for more would cost every turn.
const turnsOfPatience = 64

export class Collector {
  readonly #engine: Engine
  readonly #converter: Converter
  readonly #thresholdWord: Pointer
  #growths: number
  #patience = 0

  /** To be made before the guest has run anything: the words are known by their first values. */
  constructor(engine: Engine, converter: Converter) {
    this.#engine = engine
    this.#converter = converter
    this.#growths = engine.growths
    const start = engine.runtime >> 2
    const words = engine.u32.slice(start, start + runtimeWords)
    // struct JSRuntime: malloc_gc_threshold, weakref_list (two words), stack_size, which is known.
    const stackSize = words.findIndex((value, at) => value === maxStackSize && words[at - 3] === initialThreshold)
    if (stackSize < 0) {
      throw new Error('this build of QuickJS has no collection threshold where expected')
    }
    this.#thresholdWord = start + stackSize - 3
  }

  collect(): void {
    const { ffi, context } = this.#engine
    this.#engine.u32[this.#thresholdWord] = 0
    this.#engine.free(ffi._QTS_NewObject(context))
    this.#converter.bytesGiven = 0
    this.#growths = this.#engine.growths
  }

  /** To be called between turns. */
  check(): void {
    if (this.#converter.bytesGiven > collectAfterBytes || this.#engine.growths !== this.#growths) this.collect()
    if (this.#engine.memory.buffer.byteLength < (this.#engine.memoryLimit >>> 3) * 5) return
    // The memory cannot grow much more: what is left of it is seen only by asking for some.
    if (this.#patience > 0) this.#patience -= 1
    else if (!this.#hasRoom()) {
      this.collect()
      if (!this.#hasRoom()) this.#patience = turnsOfPatience
    }
  }

  #hasRoom(): boolean {
    const probe = this.#engine.ffi._malloc(this.#engine.memoryLimit >>> 2)
    if (probe === 0) return false
    this.#engine.ffi._free(probe)
    return true
  }
}
