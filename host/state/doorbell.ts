// A doorbell wakes one thread that sleeps. Any thread may ring; ringing costs a system call only when the owner really
// sleeps. An owner sleeps in its event loop, or, where it may, parks its whole thread for a moment first: being woken from
// that costs both sides less than half as much, and under load the next ring comes within the moment.
//
//   word 0  sequence: +1 for every ring        word 1  1 while the owner sleeps; it is what the owner waits on
//
// The owner reads the sequence, looks for work, announces its sleep, reads the sequence again, and waits for the
// announcement to be taken back. A ring before the second reading has changed the sequence; a later one takes the
// announcement back, also when it comes before the wait, which then returns at once. (To wait for the sequence itself would
// lose a wake-up: a ring that has counted itself before the look, and takes the announcement back after it, notifies nobody,
// and the next ring sees nobody asleep.)
// Invariant: whoever sleeps and was not woken is announced; only a ring takes an announcement back that others rely on.

/** How long a thread parks before it sleeps in its event loop: what a timer of its may be late by. */
const parkMs = 2
/** How long a thread goes on without a turn of its event loop. */
const turnMs = 10

/** How long a sleep may last before its owner looks for work by itself. */
const watchMs = 500

const sequenceWord = 0
const asleepWord = 1

export class Doorbell {
  readonly #words: Int32Array

  constructor(words: Int32Array) {
    this.#words = words
  }

  get isOwnerAsleep(): boolean {
    return Atomics.load(this.#words, asleepWord) === 1
  }

  ring(): void {
    Atomics.add(this.#words, sequenceWord, 1)
    // Of several threads that ring at once only the one that clears the flag pays for the notification.
    if (Atomics.exchange(this.#words, asleepWord, 0) === 1) Atomics.notify(this.#words, asleepWord)
  }

  /** To be read before looking for work, and given to `park` when there was none. */
  get sequence(): number {
    return Atomics.load(this.#words, sequenceWord)
  }

  /**
   * Parks the owner's thread until the bell has rung since `sequence` was read, at most `timeoutMs`. For loops that do not
   * live in the event loop: a guest that waits inside a call.
   * @returns false when the time ran out
   */
  park(sequence: number, timeoutMs = Number.POSITIVE_INFINITY): boolean {
    const words = this.#words
    // A sleep in the event loop may be under way below this call. It goes on, announced, unless a ring ends both.
    const wasAsleep = Atomics.exchange(words, asleepWord, 1) === 1
    const isRung = Atomics.load(words, sequenceWord) !== sequence || Atomics.wait(words, asleepWord, 1, timeoutMs) !== 'timed-out'
    if (!wasAsleep) Atomics.store(words, asleepWord, 0)
    return isRung
  }

  /**
   * Calls `work` now and after every ring, until `close` is called. For the owner only. `work` returns true when it left
   * something undone on purpose (to let the event loop turn): it is then called again soon without a ring.
   * @param mayPark whether the thread may be parked at this moment, since nothing in its event loop is waited for; a
   *   thread that must never block gives none
   */
  attend(work: () => boolean, mayPark: () => boolean = () => false): { close(): void } {
    let open = true
    const words = this.#words
    // Each sleep has a number, so that a sleeper who is given up and whose promise resolves late wakes nobody.
    let sleep = 0
    let sleepingSince = Number.POSITIVE_INFINITY
    const look = (): void => {
      const turnedAt = performance.now()
      sleepingSince = Number.POSITIVE_INFINITY
      while (open) {
        const sequence = Atomics.load(words, sequenceWord)
        if (work()) {
          setImmediate(look)
          return
        }
        Atomics.store(words, asleepWord, 1)
        let isRung = Atomics.load(words, sequenceWord) !== sequence
        if (!isRung && mayPark()) isRung = Atomics.wait(words, asleepWord, 1, parkMs) !== 'timed-out'
        if (performance.now() - turnedAt > turnMs) {
          // Timers and messages must not starve, however many rings there are.
          Atomics.store(words, asleepWord, 0)
          setImmediate(look)
          return
        }
        if (isRung) {
          Atomics.store(words, asleepWord, 0)
          continue
        }
        const wait = Atomics.waitAsync(words, asleepWord, 1)
        if (wait.async) {
          sleep += 1
          const number = sleep
          sleepingSince = turnedAt
          wait.value.then(() => {
            if (number === sleep) look()
          })
          return
        }
      }
    }
    look()
    // Nothing known needs this; a notification that never arrived would otherwise stop the whole server.
    const watch = setInterval(() => {
      if (!open || performance.now() - sleepingSince < watchMs) return
      sleep += 1
      look()
    }, watchMs)
    watch.unref()
    return {
      close: () => {
        open = false
        clearInterval(watch)
        this.ring()
      },
    }
  }
}
