// Writes log lines to a file descriptor, from whatever thread owns this writer. Descriptors belong to the process, so
// master and workers write to the same file, each line with one write: lines of different threads never mix.
// Request lines are gathered and written once per wake-up; what a guest logs is written at once, since its next
// instruction may be its last.

import { writeSync } from 'node:fs'
import type { Log } from '../api/context.ts'

const newline = Buffer.from('\n')
/** Gathered lines are written when they reach this many characters, and at every `flush`. */
const gatherLimit = 32 * 1024
/** How long one write may be refused by a full pipe before the text is given up, in milliseconds. */
const patienceMs = 1000

export class LogWriter implements Log {
  readonly fd: number
  /** Sees every line, on its way to the file. It must not write to this log before it returns. */
  onLine: ((line: string) => void) | undefined
  #gathered = ''
  #lost = 0
  #isClosed = false

  constructor(fd: number) {
    this.fd = fd
  }

  text(line: string): void {
    this.flush()
    this.#write(Buffer.from(`${line}\n`))
    this.onLine?.(line)
  }

  bytes(line: Uint8Array): void {
    this.flush()
    this.#write(Buffer.concat([line, newline]))
    this.onLine?.(Buffer.from(line).toString('latin1'))
  }

  /** A line that may wait for its neighbours until `flush`; one character per byte (Latin-1), as request variables are. */
  gather(line: string): void {
    this.#gathered += `${line}\n`
    if (this.#gathered.length >= gatherLimit) this.flush()
    this.onLine?.(line)
  }

  flush(): void {
    if (this.#gathered === '') return
    const text = this.#gathered
    this.#gathered = ''
    this.#write(Buffer.from(text, 'latin1'))
  }

  /** Writes what was gathered, and nothing after it: the descriptor may be another file's soon. */
  close(): void {
    this.flush()
    this.#isClosed = true
  }

  /** A log that cannot be written (disk full, reader gone) must not stop the server: what is lost is counted and told later. */
  #write(bytes: Uint8Array): void {
    if (this.#isClosed) return
    let rest = bytes
    let waitedMs = 0
    if (this.#lost > 0) rest = Buffer.concat([Buffer.from(`[log] ${this.#lost} earlier lines could not be written\n`), rest])
    while (rest.length > 0) {
      try {
        rest = rest.subarray(writeSync(this.fd, rest))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || waitedMs >= patienceMs) {
          this.#lost += 1
          return
        }
        // A pipe whose reader lags: there is nothing to wait on but time.
        pause(1)
        waitedMs += 1
      }
    }
    this.#lost = 0
  }
}

const pauseWord = new Int32Array(new SharedArrayBuffer(4))
const pause = (ms: number): void => {
  Atomics.wait(pauseWord, 0, 0, ms)
}
