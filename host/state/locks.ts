// The locks that guests take by number (`--locks N` gives 0 to N). Each names its owner, so that a lock of a thread that
// has ended is found and given on.
//
//   word 0  0 free, else the owner: thread number + 1 (16 bits) | core + 1, 0 outside of cores (16 bits)
//   word 1  how many wait
//
// Invariant: only the owner, or the master in the name of an owner that has ended, sets a taken lock free.

/** One cache line each: two locks that two threads spin on must not share one. */
const lockWords = 16
const ownerWord = 0
const waitersWord = 1

export interface LocksHandle {
  readonly buffer: SharedArrayBuffer
}

/**
 * `held already`: by the caller itself, who would wait for ever. `held here`: by another core of the caller's thread, which
 * cannot let go of it while the thread is parked.
 */
export type LockOutcome = 'locked' | 'held already' | 'held here' | 'timed out'

/** Code outside of cores: the thread itself. */
export const noCore = -1

/**
 * A wake-up is one waiter's, who may be a core of a thread that is parked for something else just then: the others look again
 * after this long, and find the lock free.
 */
const watchMs = 250

const ownerOf = (thread: number, core: number): number => ((thread + 1) << 16) | (core + 1)
const threadOf = (owner: number): number => (owner >>> 16) - 1

export class Locks {
  readonly handle: LocksHandle
  /** How many there are: one more than `--locks` says. */
  readonly count: number
  readonly #words: Int32Array

  private constructor(handle: LocksHandle) {
    this.handle = handle
    this.#words = new Int32Array(handle.buffer)
    this.count = this.#words.length / lockWords
  }

  /** @param locks how many beside lock 0 */
  static create({ locks }: { readonly locks: number }): Locks {
    return new Locks({ buffer: new SharedArrayBuffer((locks + 1) * lockWords * 4) })
  }

  static open(handle: LocksHandle): Locks {
    return new Locks(handle)
  }

  /** Parks the thread until the lock is its own. @param timeoutMs 0: look once; absent: wait for ever */
  lock(num: number, thread: number, timeoutMs = Number.POSITIVE_INFINITY, core = noCore): LockOutcome {
    const words = this.#words
    const at = this.#at(num)
    const deadline = performance.now() + timeoutMs
    let isWaiting = false
    try {
      for (;;) {
        const holder = this.#take(at, thread, core)
        if (typeof holder === 'string') return holder
        if (threadOf(holder) === thread) return 'held here'
        const leftMs = deadline - performance.now()
        if (leftMs <= 0) return 'timed out'
        if (isWaiting) Atomics.wait(words, at + ownerWord, holder, Math.min(leftMs, watchMs))
        else {
          // Counted before the last look at the lock: an owner that lets go after that look sees the count and wakes.
          Atomics.add(words, at + waitersWord, 1)
          isWaiting = true
        }
      }
    } finally {
      if (isWaiting) Atomics.sub(words, at + waitersWord, 1)
    }
  }

  /** The same without parking the thread, whose other cores it waits for too. */
  async lockAsync(num: number, thread: number, timeoutMs = Number.POSITIVE_INFINITY, core = noCore): Promise<LockOutcome> {
    const words = this.#words
    const at = this.#at(num)
    const deadline = performance.now() + timeoutMs
    let isWaiting = false
    try {
      for (;;) {
        const holder = this.#take(at, thread, core)
        if (typeof holder === 'string') return holder
        const leftMs = deadline - performance.now()
        if (leftMs <= 0) return 'timed out'
        if (!isWaiting) {
          Atomics.add(words, at + waitersWord, 1)
          isWaiting = true
          continue
        }
        const wait = Atomics.waitAsync(words, at + ownerWord, holder, Math.min(leftMs, watchMs))
        if (wait.async) await wait.value
      }
    } finally {
      if (isWaiting) Atomics.sub(words, at + waitersWord, 1)
    }
  }

  /** @returns an outcome, or the owner to be waited for */
  #take(at: number, thread: number, core: number): LockOutcome | number {
    const mine = ownerOf(thread, core)
    const holder = Atomics.compareExchange(this.#words, at + ownerWord, 0, mine)
    if (holder === 0) return 'locked'
    return holder === mine ? 'held already' : holder
  }

  tryLock(num: number, thread: number): boolean {
    return this.lock(num, thread, 0) === 'locked'
  }

  /** Does nothing to a free lock. Any core of the thread may. @returns false, with nothing changed, when another thread holds it */
  unlock(num: number, thread: number): boolean {
    const at = this.#at(num)
    const holder = Atomics.load(this.#words, at + ownerWord)
    if (holder === 0) return true
    if (threadOf(holder) !== thread) return false
    // The thread is the caller: nobody else sets this free meanwhile.
    Atomics.store(this.#words, at + ownerWord, 0)
    this.#wakeOne(at)
    return true
  }

  isLocked(num: number): boolean {
    return this.owner(num) !== undefined
  }

  /** The number of the thread that holds it. */
  owner(num: number): number | undefined {
    const holder = Atomics.load(this.#words, this.#at(num) + ownerWord)
    return holder === 0 ? undefined : threadOf(holder)
  }

  /** How many threads wait for it. One that was ended while it waited stays counted, which costs a needless wake-up. */
  waiting(num: number): number {
    return Atomics.load(this.#words, this.#at(num) + waitersWord)
  }

  /** In the name of a core of the calling thread that was given up. @returns the locks it held: they are free now */
  coreEnded(thread: number, core: number): number[] {
    const mine = ownerOf(thread, core)
    const released: number[] = []
    for (let num = 0; num < this.count; num += 1) {
      const at = num * lockWords
      if (Atomics.compareExchange(this.#words, at + ownerWord, mine, 0) !== mine) continue
      released.push(num)
      this.#wakeOne(at)
    }
    return released
  }

  /** In the name of a thread that has ended. @returns the locks it held: they are free now */
  threadEnded(thread: number): number[] {
    const released: number[] = []
    for (let num = 0; num < this.count; num += 1) {
      const at = num * lockWords
      const holder = Atomics.load(this.#words, at + ownerWord)
      if (holder !== 0 && threadOf(holder) !== thread) continue
      if (holder !== 0) {
        Atomics.store(this.#words, at + ownerWord, 0)
        released.push(num)
      }
      // A waiter that was woken and then ended before it took the lock has used the wake-up of a free lock up.
      this.#wakeOne(at)
    }
    return released
  }

  #wakeOne(at: number): void {
    if (Atomics.load(this.#words, at + waitersWord) > 0) Atomics.notify(this.#words, at + ownerWord, 1)
  }

  #at(num: number): number {
    if (!Number.isInteger(num) || num < 0 || num >= this.count)
      throw new RangeError(`there is no lock ${num}: they are numbered 0 to ${this.count - 1}`)
    return num * lockWords
  }
}
