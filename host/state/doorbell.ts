// A doorbell wakes one thread that sleeps. Any thread may ring; ringing costs a system call only when the owner really
// sleeps. An owner sleeps in its event loop, or, where it may, parks its whole thread for a moment first: being woken from
// that costs both sides less than half as much, and under load the next ring comes within the moment.
//
//   word 0  sequence: +1 for every ring        word 1  1 while the owner sleeps
//
// The owner reads the sequence, looks for work, announces its sleep, and waits for the sequence to change. A ring between
// the look and the wait has changed the sequence already, so the wait returns at once: no wake-up is lost.

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
    if (Atomics.exchange(this.#words, asleepWord, 0) === 1) Atomics.notify(this.#words, sequenceWord)
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
    // A sleep in the event loop may be under way below this call. Without a ring it goes on, and is to be notified still.
    const wasAsleep = Atomics.exchange(this.#words, asleepWord, 1)
    const outcome = Atomics.wait(this.#words, sequenceWord, sequence, timeoutMs)
    if (outcome !== 'timed-out') Atomics.store(this.#words, asleepWord, 0)
    else if (wasAsleep === 0) Atomics.compareExchange(this.#words, asleepWord, 1, 0)
    return outcome !== 'timed-out'
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
        if (mayPark()) {
          const outcome = Atomics.wait(words, sequenceWord, sequence, parkMs)
          if (performance.now() - turnedAt > turnMs) {
            // Timers and messages must not starve, however many rings there are.
            Atomics.store(words, asleepWord, 0)
            setImmediate(look)
            return
          }
          if (outcome !== 'timed-out') {
            Atomics.store(words, asleepWord, 0)
            continue
          }
        }
        const wait = Atomics.waitAsync(words, sequenceWord, sequence)
        if (wait.async) {
          sleep += 1
          const number = sleep
          sleepingSince = turnedAt
          wait.value.then(() => {
            if (number === sleep) look()
          })
          return
        }
        Atomics.store(words, asleepWord, 0)
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
