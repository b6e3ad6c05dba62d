// The directories and files below which guests may read, and those below which they may write, by their real places.
import { realpathSync } from 'node:fs'
import { isWithin } from '../files/containment.ts'

export class Roots {
  readonly #readable: Set<string>
  readonly #writable: ReadonlySet<string>
  /** Links that lead to roots: they may be named, nothing lies below them. */
  readonly #links: Set<string>

  /**
   * @param readable real places; there need be nothing
   * @param paths other paths to such places
   */
  constructor(readable: readonly string[], writable: readonly string[], paths: readonly string[] = []) {
    this.#readable = new Set(readable)
    this.#writable = new Set(writable)
    this.#links = new Set(paths)
  }

  /** One more that may be read. */
  show(directory: string): void {
    try {
      const place = realpathSync.native(directory)
      this.#readable.add(place)
      if (place !== directory) this.#links.add(directory)
    } catch {
      // What is not there has nothing to be read.
    }
  }

  isReadable(place: string): boolean {
    for (const root of this.#readable) if (isWithin(root, place)) return true
    return this.isWritable(place)
  }

  isWritable(place: string): boolean {
    for (const root of this.#writable) if (isWithin(root, place)) return true
    return false
  }

  /** It may be read, or something below it. */
  isVisible(place: string): boolean {
    if (this.isReadable(place) || this.#links.has(place)) return true
    for (const root of this.#readable) if (isWithin(place, root)) return true
    for (const root of this.#writable) if (isWithin(place, root)) return true
    return false
  }

  isRoot(place: string): boolean {
    return this.#writable.has(place)
  }
}
