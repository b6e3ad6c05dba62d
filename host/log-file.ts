// The file of `logto`, or standard error. A file that cannot take the first line ends the start, since an operator who wants a log
// is there to be told; one that fails later costs lines, never requests.
//
// While the server runs the file can be opened anew, by the same path, and moved away before (rotated). What fails leaves the log
// where it was, and is told in it and on standard error.
// Invariant: lines always have a file to go to, and each is in one of them, whole; no number is closed while a thread uses it;
// nothing is ever moved over a file that was moved away before, unless `log-backupname` says so.

import { closeSync, fstatSync, lstatSync, openSync, renameSync, statSync, writeSync } from 'node:fs'
import { ConfigError, PolywsgiError } from './errors.ts'
import type { Logger } from './log/logger.ts'
import { Seldom } from './log/seldom.ts'
import type { LogPlan } from './log-plan.ts'
import type { LogDescriptor } from './state/log-descriptor.ts'

export interface LogFileOptions {
  /** Undefined: standard error. */
  readonly plan: LogPlan | undefined
  readonly descriptor: LogDescriptor
  /** For tests: milliseconds on a clock that never goes back. */
  readonly now?: () => number
  /** For tests: milliseconds since the epoch. */
  readonly date?: () => number
}

const standardError = 2
const mode = 0o640
/** How often the size is looked at, and the least time between two rotations: files that were moved away are named by the second. */
const rotationMs = 1000
/** How often it is looked whether a thread still writes to the file that was left. */
const leaveMs = 10

export class LogFile {
  readonly #plan: LogPlan | undefined
  readonly #descriptor: LogDescriptor
  readonly #now: () => number
  readonly #date: () => number
  readonly #seldom = new Seldom()
  #logger: Pick<Logger, 'text'> | undefined
  #isOpen = true
  #hasBegun = false
  #failure: Error | undefined
  #timer: NodeJS.Timeout | undefined
  /** Settles with the last change that was asked for: there is one after the other. */
  #last: Promise<unknown> = Promise.resolve()
  /** What has been asked for and has not begun: whoever asks for the same meanwhile is answered with it. */
  #reopening: Promise<void> | undefined
  #rotation: Promise<string | undefined> | undefined
  #rotated: { readonly atMs: number; readonly to: string | undefined } | undefined
  /** The number of the file that was left, until no thread uses it. */
  #left: number | undefined
  /** Why the file could not be moved away for its size, when that has been told. */
  #sizeFault: string | undefined

  /** @throws ConfigError */
  constructor({ plan, descriptor, now = () => performance.now(), date = () => Date.now() }: LogFileOptions) {
    this.#plan = plan
    this.#descriptor = descriptor
    this.#now = now
    this.#date = date
    if (plan === undefined) return
    try {
      descriptor.set(openSync(plan.path, 'a', mode))
    } catch (error) {
      throw unusable(plan, 'opened', error as Error)
    }
  }

  /** Writes the first line of this server into the file. @throws ConfigError when it cannot be written */
  begin(logger: Pick<Logger, 'text'>, version: string): void {
    this.#logger = logger
    if (this.#plan === undefined) return
    logger.text(`*** starting polywsgi ${version} (pid ${process.pid}) ***`)
    if (this.#failure !== undefined) throw unusable(this.#plan, 'written', this.#failure)
    this.#hasBegun = true
    if (this.#plan.maxSize > 0) this.#timer = setInterval(() => this.look(), rotationMs).unref()
  }

  /** Lines are lost from now on. Who looks at standard error is told, since the log cannot. */
  lost(why: Error): void {
    this.#failure ??= why
    if (this.#plan === undefined || !this.#hasBegun || !this.#seldom.isDue('lost')) return
    complain(`logto = ${this.#plan.text}: lines are lost: ${why.message}`)
  }

  /** Whether there is a file at all. */
  get isFile(): boolean {
    return this.#plan !== undefined
  }

  /**
   * Opens the path anew and leaves the file that it stood for, which somebody has moved away. Resolves when no thread of the
   * server writes to that any more. What fails is told in the log and on standard error.
   * @throws PolywsgiError LOG_FILE when there is no file, or it cannot be opened: the log goes on where it was; HOST_CLOSED
   */
  async reopen(): Promise<void> {
    const plan = this.#file()
    this.#reopening ??= this.#inTurn(true, async () => {
      this.#reopening = undefined
      const left = this.#openAnew(plan)
      this.#say('*** the log is opened anew ***')
      await this.#leave(left)
    })
    await this.#reopening
  }

  /**
   * Moves the file away and opens a new one in its place. What fails is told in the log and on standard error. Differs from uWSGI:
   * two rotations that are asked for within a second are one, since their files are named by the second.
   * @returns the path where it is now; undefined when somebody else has moved it, so that the path was only opened anew
   * @throws PolywsgiError LOG_FILE when there is no file, or it cannot be moved: the log goes on where it was; HOST_CLOSED
   */
  async rotate(): Promise<string | undefined> {
    return await this.#rotate(true)
  }

  /** Moves the file away when it has the size of `log-maxsize`; called about once a second. */
  look(): void {
    const { maxSize = 0 } = this.#plan ?? {}
    if (maxSize === 0 || !this.#isOpen || this.#rotation !== undefined) return
    if (fstatSync(this.#descriptor.current).size < maxSize) return
    this.#rotate(false).catch(() => {
      // It was told; the next look tries again.
    })
  }

  /** The descriptor's number may be another file's from here on. */
  close(): void {
    clearInterval(this.#timer)
    if (this.#isOpen && this.#plan !== undefined) closeSync(this.#descriptor.current)
    if (this.#left !== undefined) closeSync(this.#left)
    this.#left = undefined
    this.#isOpen = false
  }

  #rotate(isAsked: boolean): Promise<string | undefined> {
    const plan = this.#file()
    this.#rotation ??= this.#inTurn(isAsked, async () => {
      this.#rotation = undefined
      const atMs = this.#now()
      if (this.#rotated !== undefined && atMs - this.#rotated.atMs < rotationMs) return this.#rotated.to
      const to = this.#moveAway(plan)
      let left: number
      try {
        left = this.#openAnew(plan)
      } catch (error) {
        if (to !== undefined) moveBack(to, plan.path)
        throw error
      }
      this.#rotated = { atMs, to }
      this.#sizeFault = undefined
      this.#say(
        to === undefined
          ? '*** the log is opened anew: its file had been moved ***'
          : `*** the log before this line is in ${to} ***`,
      )
      await this.#leave(left)
      return to
    })
    return this.#rotation
  }

  /** @throws PolywsgiError when there is nothing to be opened anew */
  #file(): LogPlan {
    if (!this.#isOpen) throw new PolywsgiError('HOST_CLOSED', 'the server is stopped')
    if (this.#plan !== undefined) return this.#plan
    throw new PolywsgiError('LOG_FILE', 'the log goes to standard error: there is no file of logto')
  }

  /** @param isAsked somebody waits to hear of a failure, also when it is the same as before */
  #inTurn<Result>(isAsked: boolean, change: () => Promise<Result>): Promise<Result> {
    const done = this.#last.then(async () => {
      try {
        return await change()
      } catch (error) {
        this.#tell(error as Error, isAsked)
        throw error
      }
    })
    this.#last = done.catch(() => {})
    return done
  }

  /** @returns the number of the file before, which threads may still write to @throws PolywsgiError LOG_FILE */
  #openAnew(plan: LogPlan): number {
    this.#file()
    let opened: number
    try {
      // To open it would wait for somebody who reads.
      if (statSync(plan.path, { throwIfNoEntry: false })?.isFIFO() === true) throw new Error('it is a named pipe')
      opened = openSync(plan.path, 'a', mode)
    } catch (error) {
      throw failed(plan, 'opened anew', error as Error)
    }
    const left = this.#descriptor.current
    this.#descriptor.set(opened)
    return left
  }

  /** Closes a file when no thread uses it any more. */
  async #leave(fd: number): Promise<void> {
    this.#left = fd
    while (this.#isOpen && this.#descriptor.isUsed(fd)) await new Promise((resolve) => setTimeout(resolve, leaveMs))
    if (this.#left === undefined) return
    this.#left = undefined
    closeSync(fd)
  }

  /** @returns where it is now; undefined when what stands at the path is not the file that is written to @throws PolywsgiError LOG_FILE */
  #moveAway(plan: LogPlan): string | undefined {
    this.#file()
    try {
      const own = fstatSync(this.#descriptor.current, { bigint: true })
      const found = lstatSync(plan.path, { bigint: true, throwIfNoEntry: false })
      if (!own.isFile()) throw new Error('it is no regular file')
      // Whoever made the link decides where the file is.
      if (found?.isSymbolicLink() === true) throw new Error('it is a symbolic link')
      if (found === undefined || found.ino !== own.ino || found.dev !== own.dev) return undefined
      const to = plan.backupPath ?? `${plan.path}.${Math.floor(this.#date() / 1000)}`
      // What was moved away before is kept. Differs from uWSGI: there a rotation replaces whatever file has the name.
      if (plan.backupPath === undefined && lstatSync(to, { throwIfNoEntry: false }) !== undefined)
        throw new Error(`${to} is there already`)
      renameSync(plan.path, to)
      return to
    } catch (error) {
      throw failed(plan, 'moved away', error as Error)
    }
  }

  #tell(error: Error, isAsked: boolean): void {
    if (!isAsked) {
      const fault = (error.cause as NodeJS.ErrnoException | undefined)?.code ?? error.message
      if (fault === this.#sizeFault) return
      this.#sizeFault = fault
    }
    if (!this.#isOpen) return
    this.#say(error.message)
    complain(error.message)
  }

  #say(line: string): void {
    this.#logger?.text(line)
  }
}

const complain = (message: string): void => {
  try {
    writeSync(standardError, `polywsgi: ${message}\n`)
  } catch {
    // Nobody reads that either.
  }
}

/** The log goes on in it: it is to be found where it was. */
const moveBack = (from: string, to: string): void => {
  try {
    if (lstatSync(to, { throwIfNoEntry: false }) === undefined) renameSync(from, to)
  } catch {
    // Then it goes on under the other name.
  }
}

const failed = (plan: LogPlan, what: 'opened anew' | 'moved away', cause: Error): PolywsgiError => {
  const message = `logto = ${plan.text}: the file cannot be ${what}, and the log goes on in the old one: ${cause.message}`
  return new PolywsgiError('LOG_FILE', message, { cause })
}

const unusable = ({ text }: LogPlan, what: 'opened' | 'written', cause: Error): ConfigError =>
  new ConfigError('CONFIG_BAD_VALUE', `logto = ${text}: the file cannot be ${what}: ${cause.message}`, { cause })
