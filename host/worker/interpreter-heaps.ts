// How much memory the interpreters of this thread hold: each tells how it is read when it has booted, and the master is told of
// what has changed. WebAssembly memory never shrinks: what is read is the most that was ever held.
import type { MasterCalls } from '../api/master-calls.ts'

export class InterpreterHeaps {
  readonly #master: Pick<MasterCalls, 'notify'>
  readonly #readers = new Map<string, () => number>()
  readonly #told = new Map<string, number>()

  constructor(master: Pick<MasterCalls, 'notify'>) {
    this.#master = master
  }

  /** An interpreter has booted; one that boots anew takes the place of the one before. */
  add(language: string, read: () => number): void {
    this.#readers.set(language, read)
  }

  /** Bytes of all interpreters of this thread. */
  get total(): number {
    let total = 0
    for (const read of this.#readers.values()) total += read()
    return total
  }

  /** Lets the master know what has changed since it was told last. */
  tell(): void {
    for (const [language, read] of this.#readers) {
      const bytes = read()
      if (this.#told.get(language) === bytes) continue
      this.#told.set(language, bytes)
      this.#master.notify('heap', { language, bytes })
    }
  }
}
