// How often a job was begun and not finished, on disk beside the job, so that it survives the spooler's thread: a job that
// kills its thread each time must neither be run for ever nor keep the others from running.
//
//   DIRECTORY/.tries_NAME: `COUNT MILLISECONDS`, the tries begun in a row and when the last one was
//
// Invariant: the count is written before a try begins and removed after one has ended well.
import { readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const prefix = '.tries_'
const firstDelayMs = 1000
const longestDelayMs = 300_000

/** How long a job waits after it was tried `count` times in a row: 1 second, then twice as long each time, 5 minutes at most. */
export const retryDelayMs = (count: number): number => Math.min(firstDelayMs * 2 ** Math.max(0, count - 1), longestDelayMs)

export interface Tries {
  readonly count: number
  /** When the last one began, in milliseconds since the epoch. */
  readonly lastMs: number
}

export class SpoolTries {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  /** What an earlier thread has left, by the name of the job. */
  load(): Map<string, Tries> {
    const found = new Map<string, Tries>()
    for (const name of readdirSync(this.#directory)) {
      if (!name.startsWith(prefix)) continue
      const match = /^(\d{1,9}) (\d{1,16})\n$/.exec(readFileSync(join(this.#directory, name), 'latin1'))
      // A count that was being written when the machine stopped is one try at least.
      found.set(name.slice(prefix.length), { count: Number(match?.[1] ?? 1), lastMs: Number(match?.[2] ?? 0) })
    }
    return found
  }

  write(jobName: string, tries: Tries): void {
    writeFileSync(this.#path(jobName), `${tries.count} ${tries.lastMs}\n`, { mode: 0o600 })
  }

  remove(jobName: string): void {
    try {
      unlinkSync(this.#path(jobName))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }

  #path(jobName: string): string {
    return join(this.#directory, prefix + jobName)
  }
}
