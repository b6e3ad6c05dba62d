// Looks at files, once for all who ask in the same turn of the event loop: under load many ask for the same few.
// Invariant: a look begins after everybody who gets its result has asked, so nobody is told what was so before.
import { type Stats, stat } from 'node:fs'

/** Undefined: the path leads to nothing that can be looked at. */
type Answer = (stats: Stats | undefined) => void

export class Looks {
  #asked = new Map<string, Answer[]>()

  /** Links are followed. `answer` is called in a later turn. */
  at(path: string, answer: Answer): void {
    const asked = this.#asked.get(path)
    if (asked !== undefined) {
      asked.push(answer)
      return
    }
    if (this.#asked.size === 0) setImmediate(() => this.#look())
    this.#asked.set(path, [answer])
  }

  #look(): void {
    const asked = this.#asked
    this.#asked = new Map()
    for (const [path, answers] of asked) {
      stat(path, (error, stats) => {
        const found = error === null ? stats : undefined
        for (const answer of answers) answer(found)
      })
    }
  }
}
