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

  /**
   * Calls `work` now and after every ring, until `close` is called. For the owner only. `work` returns true when it left
   * something undone on purpose (to let the event loop turn): it is then called again soon without a ring.
   * @param mayPark whether the thread may be parked at this moment, since nothing in its event loop is waited for; a
   *   thread that must never block gives none
   */
  attend(work: () => boolean, mayPark: () => boolean = () => false): { close(): void } {
    let open = true
    const words = this.#words
    const look = (): void => {
      const turnedAt = performance.now()
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
          wait.value.then(look)
          return
        }
        Atomics.store(words, asleepWord, 0)
      }
    }
    look()
    return {
      close: () => {
        open = false
        this.ring()
      },
    }
  }
}
