// The number of the descriptor that the log goes to now, for all threads, and which of them are using which number at this moment.
//
//   word 0:          the number of the descriptor that lines go to
//   word 1 + seat:   the number that the seat's thread is using, plus one; 0 while it uses none
//
// There is no dup2: a log that is opened anew has another number, and a closed number may be a client's socket a moment later. So a
// thread says which number it is about to use, and looks again whether that is still the right one; the master, having told the new
// number, closes the old one when nobody has said so. One of the two always sees the other, however long a thread stands still.
// Invariant: a number that `take` has given is open until `giveBack`.

/** One thread's way to the descriptor. */
export interface DescriptorUse {
  /** The number to write to, which stays open until it is given back. Not to be taken twice. */
  take(): number
  giveBack(): void
}

const currentWord = 0
const firstSeatWord = 1
const standardError = 2

export class LogDescriptor {
  readonly handle: SharedArrayBuffer
  readonly #words: Int32Array

  private constructor(handle: SharedArrayBuffer) {
    this.handle = handle
    this.#words = new Int32Array(handle)
  }

  /** Of standard error until it is told otherwise. @param seats how many there are, the master's 0 included */
  static create(seats: number): LogDescriptor {
    const made = new LogDescriptor(new SharedArrayBuffer((firstSeatWord + seats) * 4))
    made.set(standardError)
    return made
  }

  static open(handle: SharedArrayBuffer): LogDescriptor {
    return new LogDescriptor(handle)
  }

  get current(): number {
    return Atomics.load(this.#words, currentWord)
  }

  /** For the master: lines go there from now on. */
  set(fd: number): void {
    Atomics.store(this.#words, currentWord, fd)
  }

  /** For the master: whether a thread uses a number that is no more the current one. */
  isUsed(fd: number): boolean {
    for (let word = firstSeatWord; word < this.#words.length; word += 1)
      if (Atomics.load(this.#words, word) === fd + 1) return true
    return false
  }

  /** For the thread of a seat. */
  of(seat: number): DescriptorUse {
    const words = this.#words
    const own = firstSeatWord + seat
    return {
      take: () => {
        for (;;) {
          const fd = Atomics.load(words, currentWord)
          Atomics.store(words, own, fd + 1)
          // Said too late: whoever has set another number meanwhile may have looked already.
          if (Atomics.load(words, currentWord) === fd) return fd
        }
      },
      giveBack: () => {
        Atomics.store(words, own, 0)
      },
    }
  }

  /** A thread that is ended while it writes gives nothing back. */
  threadEnded(seat: number): void {
    Atomics.store(this.#words, firstSeatWord + seat, 0)
  }
}
