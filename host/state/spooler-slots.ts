// What threads share about spoolers: how often they look into their directories, and what each is doing. One word and a
// line per spooler; nothing here needs a lock.

const cacheLine = 64
const frequencyWord = 0
const lineWords = cacheLine / 4
const tasksWord = 0
const runningWord = 1

export interface SpoolerSlotsShape {
  readonly spoolers: number
  readonly frequencyMs: number
}

export interface SpoolerSlotsHandle {
  readonly buffer: SharedArrayBuffer
}

export class SpoolerSlots {
  readonly handle: SpoolerSlotsHandle
  readonly #words: Int32Array

  private constructor(handle: SpoolerSlotsHandle) {
    this.handle = handle
    this.#words = new Int32Array(handle.buffer)
  }

  static create(shape: SpoolerSlotsShape): SpoolerSlots {
    const slots = new SpoolerSlots({ buffer: new SharedArrayBuffer((1 + shape.spoolers) * cacheLine) })
    slots.frequencyMs = shape.frequencyMs
    return slots
  }

  static open(handle: SpoolerSlotsHandle): SpoolerSlots {
    return new SpoolerSlots(handle)
  }

  /** All spoolers go by the same one (`spooler-frequency`, `set_spooler_frequency`). */
  get frequencyMs(): number {
    return Atomics.load(this.#words, frequencyWord)
  }

  set frequencyMs(milliseconds: number) {
    Atomics.store(this.#words, frequencyWord, milliseconds)
  }

  /** How many jobs a spooler has done. @param spoolerId from 1 */
  tasks(spoolerId: number): number {
    return Atomics.load(this.#words, spoolerId * lineWords + tasksWord) >>> 0
  }

  isRunning(spoolerId: number): boolean {
    return Atomics.load(this.#words, spoolerId * lineWords + runningWord) === 1
  }

  jobBegun(spoolerId: number): void {
    Atomics.store(this.#words, spoolerId * lineWords + runningWord, 1)
  }

  /** @param isDone whether the job is done for good, which is what counts */
  jobEnded(spoolerId: number, isDone: boolean): void {
    if (isDone) Atomics.add(this.#words, spoolerId * lineWords + tasksWord, 1)
    Atomics.store(this.#words, spoolerId * lineWords + runningWord, 0)
  }

  /** The spooler's thread has ended, perhaps in the middle of a job. */
  spoolerEnded(spoolerId: number): void {
    Atomics.store(this.#words, spoolerId * lineWords + runningWord, 0)
  }
}
