// A lock that many may hold to read or one to write, for as long as a guest likes; a shared area has one. Who holds it is
// recorded by thread number, so that what a thread that has ended held is given back.
//
//   mutex | writer: its thread + 1 | sequence: +1 for every release | how often each thread holds it to read
//
// Invariant: these words change only under the mutex, and each change is one word: no thread can end in the middle of one.

import { Mutex, mutexWords } from './mutex.ts'

const writerWord = mutexWords
const sequenceWord = mutexWords + 1
const waitersWord = mutexWords + 2
const readersWord = mutexWords + 3

/** `held already`: by the caller itself, who would wait for ever. */
export type ReadWriteOutcome = 'locked' | 'held already'

/** @param threads how many thread numbers there are, the master's 0 included */
export const readWriteLockWords = (threads: number): number => readersWord + threads

export class ReadWriteLock {
  readonly #words: Int32Array
  readonly #mutex: Mutex

  /** @param words as many as `readWriteLockWords` says, which nothing else uses */
  constructor(words: Int32Array) {
    this.#words = words
    this.#mutex = new Mutex(words.subarray(0, mutexWords))
  }

  /** May be taken several times by one thread, to be released as often. Parks the thread while another writes. */
  lockToRead(thread: number): ReadWriteOutcome {
    return this.#take(thread, () => this.#tryToRead(thread))
  }

  /** Parks the thread while others read or write. */
  lockToWrite(thread: number): ReadWriteOutcome {
    return this.#take(thread, () => this.#tryToWrite(thread))
  }

  /** The same without parking the thread. */
  lockAsync(thread: number, access: 'read' | 'write'): ReadWriteOutcome | Promise<ReadWriteOutcome> {
    const attempt = () => (access === 'read' ? this.#tryToRead(thread) : this.#tryToWrite(thread))
    return this.#mutex.locked(thread, attempt) ?? this.#takeLater(thread, attempt)
  }

  #tryToRead(thread: number): ReadWriteOutcome | undefined {
    if (this.#writer === thread + 1) return 'held already'
    if (this.#writer !== 0) return undefined
    this.#words[readersWord + thread]! += 1
    return 'locked'
  }

  #tryToWrite(thread: number): ReadWriteOutcome | undefined {
    if (this.#writer === thread + 1 || this.#reads(thread)) return 'held already'
    if (this.#writer !== 0 || this.#othersRead(thread)) return undefined
    this.#words[writerWord] = thread + 1
    return 'locked'
  }

  /** Gives back what the thread holds: to write, or one of its holds to read. Nothing when it holds nothing. */
  unlock(thread: number): void {
    this.#mutex.locked(thread, () => {
      if (this.#writer === thread + 1) this.#words[writerWord] = 0
      else if (this.#reads(thread)) this.#words[readersWord + thread]! -= 1
    })
    this.#wakeAll()
  }

  /**
   * Runs a short piece of work at a moment when the thread may: nobody else writes, and for work that writes, nobody else
   * reads. No two such pieces run at once.
   */
  run<Result>(thread: number, access: 'read' | 'write', work: () => Result): Result {
    return this.#take(thread, () => {
      if (this.#writer !== 0 && this.#writer !== thread + 1) return undefined
      if (access === 'write' && this.#othersRead(thread)) return undefined
      return { result: work() }
    }).result
  }

  /** Threads that are parked, waiting for it. */
  get waiting(): number {
    return Atomics.load(this.#words, waitersWord)
  }

  /** The thread that holds it to write. */
  get writer(): number | undefined {
    const writer = Atomics.load(this.#words, writerWord)
    return writer === 0 ? undefined : writer - 1
  }

  /** In the name of a thread that has ended. @returns true when it held the lock */
  threadEnded(thread: number): boolean {
    const words = this.#words
    const held = this.writer === thread || this.#reads(thread)
    Atomics.compareExchange(words, writerWord, thread + 1, 0)
    Atomics.store(words, readersWord + thread, 0)
    if (this.#mutex.isHeldBy(thread)) this.#mutex.unlock()
    this.#wakeAll()
    return held
  }

  get #writer(): number {
    return this.#words[writerWord]!
  }

  #reads(thread: number): boolean {
    return Atomics.load(this.#words, readersWord + thread) > 0
  }

  #othersRead(thread: number): boolean {
    const readers = this.#words
    for (let at = readersWord; at < readers.length; at += 1) if (readers[at]! > 0 && at !== readersWord + thread) return true
    return false
  }

  /** Tries until it gives something; in between the thread waits for a release. */
  #take<Result>(thread: number, attempt: () => Result | undefined): Result {
    const words = this.#words
    for (;;) {
      // Read before the look: a release after the look has changed it, and the wait returns at once.
      const sequence = Atomics.load(words, sequenceWord)
      const outcome = this.#mutex.locked(thread, attempt)
      if (outcome !== undefined) return outcome
      Atomics.add(words, waitersWord, 1)
      Atomics.wait(words, sequenceWord, sequence)
      Atomics.sub(words, waitersWord, 1)
    }
  }

  async #takeLater<Result>(thread: number, attempt: () => Result | undefined): Promise<Result> {
    const words = this.#words
    Atomics.add(words, waitersWord, 1)
    try {
      for (;;) {
        const sequence = Atomics.load(words, sequenceWord)
        const outcome = this.#mutex.locked(thread, attempt)
        if (outcome !== undefined) return outcome
        const wait = Atomics.waitAsync(words, sequenceWord, sequence)
        if (wait.async) await wait.value
      }
    } finally {
      Atomics.sub(words, waitersWord, 1)
    }
  }

  #wakeAll(): void {
    Atomics.add(this.#words, sequenceWord, 1)
    Atomics.notify(this.#words, sequenceWord)
  }
}
