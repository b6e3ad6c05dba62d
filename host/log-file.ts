// The descriptor that the log goes to: standard error, or the file of `logto`. A file that cannot take the first line ends
// the start, since an operator who wants a log is there to be told; one that fails later costs lines, never requests.

import { closeSync, openSync, writeSync } from 'node:fs'
import { ConfigError } from './errors.ts'
import type { Logger } from './log/logger.ts'
import { Seldom } from './log/seldom.ts'

const standardError = 2

export class LogFile {
  readonly fd: number
  readonly #path: string | undefined
  readonly #seldom = new Seldom()
  #isOpen = true
  #hasBegun = false
  #failure: Error | undefined

  /** @param path undefined: standard error. @throws ConfigError */
  constructor(path: string | undefined) {
    this.#path = path
    this.fd = path === undefined ? standardError : open(path)
  }

  /** Writes the first line of this server into the file. @throws ConfigError when it cannot be written */
  begin(logger: Logger, version: string): void {
    if (this.#path === undefined) return
    logger.text(`*** starting polywsgi ${version} (pid ${process.pid}) ***`)
    if (this.#failure !== undefined) throw unusable(this.#path, 'written', this.#failure)
    this.#hasBegun = true
  }

  /** Lines are lost from now on. Who looks at standard error is told, since the log cannot. */
  lost(why: Error): void {
    this.#failure ??= why
    if (this.#path === undefined || !this.#hasBegun || !this.#seldom.isDue('lost')) return
    try {
      writeSync(standardError, `polywsgi: logto = ${this.#path}: lines are lost: ${why.message}\n`)
    } catch {
      // Nobody reads that either.
    }
  }

  /** The descriptor's number may be another file's from here on. */
  close(): void {
    if (this.#isOpen && this.#path !== undefined) closeSync(this.fd)
    this.#isOpen = false
  }
}

const open = (path: string): number => {
  try {
    return openSync(path, 'a', 0o640)
  } catch (error) {
    throw unusable(path, 'opened', error as Error)
  }
}

const unusable = (path: string, what: 'opened' | 'written', cause: Error): ConfigError =>
  new ConfigError('CONFIG_BAD_VALUE', `logto = ${path}: the file cannot be ${what}: ${cause.message}`, { cause })
