// Files whose time of change is looked at once a second, as uWSGI's master looks at those of its `touch-*` options. A file may
// come and go: one that was not there has changed when it is. (PathWatch tells more, and at once, but of what is there only.)
// Invariant: a change after `watch` has returned is told.
import { type Stats, statSync } from 'node:fs'
import { stat } from 'node:fs/promises'

interface Watched {
  readonly path: string
  readonly onTouch: () => void
  /** Undefined: it is not there. */
  changedAt: number | undefined
}

const defaultIntervalMs = 1000

export class TouchedFiles {
  readonly #files: Watched[] = []
  readonly #intervalMs: number
  #timer: NodeJS.Timeout | undefined
  #isLooking = false

  constructor(intervalMs = defaultIntervalMs) {
    this.#intervalMs = intervalMs
  }

  watch(path: string, onTouch: () => void): void {
    let found: Stats | undefined
    try {
      found = statSync(path)
    } catch {
      // Whatever hides it may go.
    }
    this.#files.push({ path, onTouch, changedAt: found?.mtimeMs })
    this.#timer ??= setInterval(() => void this.#look(), this.#intervalMs).unref()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#files.length = 0
  }

  async #look(): Promise<void> {
    // A file system that does not answer must not gather questions.
    if (this.#isLooking) return
    this.#isLooking = true
    await Promise.all(
      this.#files.map(async (file) => {
        const changedAt = await stat(file.path).then(
          ({ mtimeMs }) => mtimeMs,
          () => undefined,
        )
        const hasChanged = changedAt !== undefined && changedAt !== file.changedAt
        file.changedAt = changedAt
        if (hasChanged && this.#files.includes(file)) file.onTouch()
      }),
    )
    this.#isLooking = false
  }
}
