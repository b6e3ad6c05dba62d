// What threads have told of themselves for the statistics: the apps they have loaded, the memory of their interpreters. What a
// successor tells takes the place of what its predecessor told. Threads are meant by their seats.
import type { AppFacts } from '../api/context.ts'
import type { Caller } from './call-handlers.ts'

export class ThreadFacts {
  readonly #apps = new Map<number, readonly AppFacts[]>()
  readonly #heaps = new Map<number, Map<string, number>>()

  /** For the table of notices. */
  readonly noticeHandlers = {
    apps: ({ apps }: { apps: readonly AppFacts[] }, { thread }: Caller): void => void this.#apps.set(thread, apps),
    heap: ({ language, bytes }: { language: string; bytes: number }, { thread }: Caller): void => {
      const heaps = this.#heaps.get(thread)
      if (heaps === undefined) this.#heaps.set(thread, new Map([[language, bytes]]))
      else heaps.set(language, bytes)
    },
  }

  /** Another may sit there next. */
  threadEnded(seat: number): void {
    this.#apps.delete(seat)
    this.#heaps.delete(seat)
  }

  /** Those that could be loaded. */
  apps(seat: number): readonly AppFacts[] {
    return this.#apps.get(seat) ?? []
  }

  /** Bytes of each interpreter, by its language. */
  heaps(seat: number): ReadonlyMap<string, number> {
    return this.#heaps.get(seat) ?? none
  }
}

const none: ReadonlyMap<string, number> = new Map()
