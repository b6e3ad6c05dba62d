// The directories and files below which guests may read, and those below which they may write, by their real places.
import { realpathSync } from 'node:fs'
import { isWithin } from '../files/containment.ts'
import { nearestPlace } from './places.ts'

export class Roots {
  readonly #readable = new Set<string>()
  readonly #writable = new Set<string>()
  /** Links that lead to roots: they may be named, nothing lies below them. */
  readonly #links = new Set<string>()

  /** @param readable absolute; they need not exist */
  constructor(readable: readonly string[], writable: readonly string[]) {
    for (const path of readable) this.#add(this.#readable, path)
    for (const path of writable) this.#add(this.#writable, path)
  }

  #add(roots: Set<string>, path: string): void {
    const place = nearestPlace(path)
    roots.add(place)
    if (place !== path) this.#links.add(path)
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
    return this.#links.has(place) || this.isWritable(place)
  }

  isWritable(place: string): boolean {
    for (const root of this.#writable) if (isWithin(root, place)) return true
    return false
  }

  /** It may be read, or something below it. */
  isVisible(place: string): boolean {
    if (this.isReadable(place)) return true
    for (const root of this.#readable) if (isWithin(place, root)) return true
    for (const root of this.#writable) if (isWithin(place, root)) return true
    return false
  }

  isRoot(place: string): boolean {
    return this.#writable.has(place)
  }
}
