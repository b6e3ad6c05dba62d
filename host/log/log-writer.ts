// Writes log lines to a file descriptor, from whatever thread owns this writer. Descriptors belong to the process, so
// master and workers write to the same file, each line with one write: lines of different threads never mix. Which descriptor
// it is, is asked for each write: the log may have been opened anew. Invariant: a line is in one file, whole.
// Request lines are gathered and written once per wake-up; what a guest logs is written at once, since its next
// instruction may be its last.

import { writeSync } from 'node:fs'
import type { Log } from '../api/context.ts'

/** Where a thread's lines go. */
export interface LogTarget {
  /** The number to write to, which stays open until it is given back. */
  take(): number
  giveBack(): void
}

const newline = Buffer.from('\n')
/** Gathered lines are written when they reach this many characters, and at every `flush`. */
const gatherLimit = 32 * 1024
/** How long one write may be refused by a full pipe before the text is given up, in milliseconds. */
const patienceMs = 1000

export class LogWriter implements Log {
  /** Sees every line, on its way to the file. It must not write to this log before it returns. */
  onLine: ((line: string) => void) | undefined
  /** Hears that lines are lost from now on, and why; again after each time that lines could be written. */
  onLost: ((why: Error) => void) | undefined
  #gathered = ''
  /** Lines that could not be written since the last one that could. */
  #lost = 0
  /** The descriptor whose file ends within a line. */
  #cutFd: number | undefined
  #isClosed = false
  readonly #target: LogTarget

  constructor(target: LogTarget) {
    this.#target = target
  }

  /** Hands the number over for something else than lines: a command that is started with it. It is not to be kept. */
  lend<Result>(use: (fd: number) => Result): Result {
    const fd = this.#target.take()
    try {
      return use(fd)
    } finally {
      this.#target.giveBack()
    }
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
    const failure = this.lend((fd) => this.#writeTo(fd, bytes))
    if (failure !== undefined) this.onLost?.(failure)
  }

  /** @returns why lines are lost from now on */
  #writeTo(fd: number, bytes: Uint8Array): Error | undefined {
    const isCut = this.#cutFd === fd
    const whole = this.#lost === 0 && !isCut ? bytes : Buffer.concat([Buffer.from(this.#notice(isCut)), bytes])
    // Who has waited in vain once does not wait for each line: the server has other things to do.
    const patience = this.#lost > 0 ? 0 : patienceMs
    let written = 0
    let waitedMs = 0
    while (written < whole.length) {
      try {
        written += writeSync(fd, whole, written)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || waitedMs >= patience) {
          const wasWritable = this.#lost === 0
          if (written > 0) this.#cutFd = whole[written - 1] === newline[0] ? undefined : fd
          this.#lose(whole, written, whole.length - bytes.length)
          return wasWritable ? (error as Error) : undefined
        }
        // A pipe whose reader lags: there is nothing to wait on but time.
        pause(1)
        waitedMs += 1
      }
    }
    this.#lost = 0
    this.#cutFd = undefined
    return undefined
  }

  /** What is said ahead of the first line that can be written again; a line that was cut gets its end. */
  #notice(isCut: boolean): string {
    const isOne = this.#lost === 1
    const told = this.#lost === 0 ? '' : `[log] ${this.#lost} earlier ${isOne ? 'line' : 'lines'} could not be written\n`
    return isCut ? `\n${told}` : told
  }

  /** @param ownFrom where the lines begin, after what was put ahead of them */
  #lose(whole: Uint8Array, written: number, ownFrom: number): void {
    // The notice was written: those lines have been told.
    if (written >= ownFrom) this.#lost = 0
    for (let at = whole.indexOf(10, Math.max(written, ownFrom)); at >= 0; at = whole.indexOf(10, at + 1)) this.#lost += 1
  }
}

const pauseWord = new Int32Array(new SharedArrayBuffer(4))
const pause = (ms: number): void => {
  Atomics.wait(pauseWord, 0, 0, ms)
}
