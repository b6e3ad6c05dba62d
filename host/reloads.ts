// Reloads of an instance, one after the other, whoever asks: each kind waits once at most behind the one that runs.
// Invariant: what is asked for while a reload runs is done by one that begins after it was asked for.
import type { ReloadKind } from './control/reload-kinds.ts'

export class Reloads {
  readonly #run: (kind: ReloadKind) => Promise<void>
  readonly #started: () => Promise<void>
  readonly #waiting = new Map<ReloadKind, Promise<void>>()
  #last: Promise<void> | undefined
  #running = 0

  /**
   * @param started resolves when the server has started: nothing is reloaded before
   * @param run does one reload
   */
  constructor(started: () => Promise<void>, run: (kind: ReloadKind) => Promise<void>) {
    this.#started = started
    this.#run = run
  }

  /** One runs at this moment. */
  get isRunning(): boolean {
    return this.#running > 0
  }

  /** One waits for another, or for the start of the server. */
  get isAwaited(): boolean {
    return this.#waiting.size > 0
  }

  /** Resolves when one of the kind that has begun after this call is done. */
  ask(kind: ReloadKind): Promise<void> {
    const waiting = this.#waiting.get(kind)
    if (waiting !== undefined) return waiting
    const before = this.#last ?? this.#started()
    const asked = before
      .catch(() => {})
      .then(async () => {
        this.#waiting.delete(kind)
        this.#running += 1
        try {
          await this.#run(kind)
        } finally {
          this.#running -= 1
        }
      })
    this.#waiting.set(kind, asked)
    this.#last = asked
    return asked
  }
}
