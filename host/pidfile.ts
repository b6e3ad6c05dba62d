// The file that tells a service manager the pid of the server that is ready (`pidfile`). It is written when the server is,
// so that a start that fails leaves the file of another server alone; whether it can be written is looked at before.

import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { ConfigError } from './errors.ts'

export class Pidfile {
  readonly #given: string
  readonly #path: string
  readonly #text = `${process.pid}\n`

  /** @throws ConfigError when it could not be written now */
  constructor(path: string) {
    this.#given = path
    this.#path = resolve(path)
    this.#attempt(() => accessSync(existsSync(this.#path) ? this.#path : dirname(this.#path), constants.W_OK))
  }

  /** @throws ConfigError */
  write(): void {
    this.#attempt(() => writeFileSync(this.#path, this.#text))
  }

  /** Not when another server has written its own there meanwhile. */
  remove(): void {
    try {
      if (readFileSync(this.#path, 'latin1') === this.#text) rmSync(this.#path)
    } catch {
      // It is gone already.
    }
  }

  #attempt(work: () => void): void {
    try {
      work()
    } catch (cause) {
      const message = `pidfile = ${this.#given}: the file cannot be written: ${(cause as Error).message}`
      throw new ConfigError('CONFIG_BAD_VALUE', message, { cause })
    }
  }
}
