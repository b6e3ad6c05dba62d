// Watches one path, a file or a directory, whatever stands there: an editor that replaces the file, or a file that goes
// and comes back, does not end the watch.
//
// Two watches make that: one on what stands at the path now (through links, as its contents change), and one on the
// directory the path is in, which tells when something else stands there; the first is then made anew.
import { type FSWatcher, statSync, watch } from 'node:fs'
import { basename, dirname } from 'node:path'

export class PathWatch {
  readonly #path: string
  readonly #onEvent: () => void
  readonly #around: FSWatcher | undefined
  #own: FSWatcher | undefined
  #identity = ''
  #isDirectory = false

  /**
   * @param path absolute
   * @param onEvent called for each event: several for one change
   * @throws Error of the system when nothing stands there, or it cannot be watched
   */
  constructor(path: string, onEvent: () => void) {
    this.#path = path
    this.#onEvent = onEvent
    this.#arm()
    const name = basename(path)
    if (name === '') return
    try {
      this.#around = watch(dirname(path), { persistent: false }, (event, filename) => {
        if (filename !== name) return
        // Something else may stand there now.
        if (event === 'rename') this.#rearm()
        onEvent()
      })
      this.#around.on('error', () => this.#around?.close())
    } catch {
      // Its directory may be closed to us: then a replaced file is followed only when it is there at once.
    }
  }

  close(): void {
    this.#own?.close()
    this.#around?.close()
  }

  #arm(): void {
    this.#identify()
    const own = watch(this.#path, { persistent: false }, (event, filename) => {
      // Of a file every `rename` concerns itself; of a directory most concern what is in it.
      if (event === 'rename' && (!this.#isDirectory || filename === basename(this.#path) || this.#hasChanged())) this.#rearm()
      this.#onEvent()
    })
    own.on('error', () => own.close())
    this.#own = own
  }

  #rearm(): void {
    this.#own?.close()
    this.#own = undefined
    try {
      this.#arm()
    } catch {
      // Nothing stands there; the watch on the directory tells when that changes.
    }
  }

  #identify(): void {
    const stat = statSync(this.#path, { bigint: true })
    this.#identity = `${stat.dev}:${stat.ino}`
    this.#isDirectory = stat.isDirectory()
  }

  #hasChanged(): boolean {
    const before = this.#identity
    try {
      this.#identify()
    } catch {
      return true
    }
    return this.#identity !== before
  }
}
