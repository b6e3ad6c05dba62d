// A cache as the embedding program has it: text or bytes in, bytes out. It works on the memory that guests work on.
import type { Cache } from './state/cache.ts'

const utf8 = new TextEncoder()
const bytesOf = (value: string | Uint8Array): Uint8Array => (typeof value === 'string' ? utf8.encode(value) : value)

export class HostCache {
  readonly #cache: Cache

  constructor(cache: Cache) {
    this.#cache = cache
  }

  get name(): string {
    return this.#cache.name
  }

  /** A copy of the value; undefined when there is none. */
  get(key: string | Uint8Array): Uint8Array | undefined {
    return this.#cache.get(bytesOf(key))
  }

  has(key: string | Uint8Array): boolean {
    return this.#cache.exists(bytesOf(key))
  }

  /**
   * Sets a key that may exist or not.
   * @param expires seconds from now; 0 never
   * @returns false when the cache is full, or key or value are empty or too large
   */
  set(key: string | Uint8Array, value: string | Uint8Array, expires = 0): boolean {
    return this.#cache.update(bytesOf(key), bytesOf(value), expires)
  }

  /** Sets a key that must not exist. @returns false when it exists, and as `set` */
  add(key: string | Uint8Array, value: string | Uint8Array, expires = 0): boolean {
    return this.#cache.set(bytesOf(key), bytesOf(value), expires)
  }

  /** @returns whether it was there */
  delete(key: string | Uint8Array): boolean {
    return this.#cache.del(bytesOf(key))
  }

  /** Adds to a number of 64 bits, which is made if it is not there. @returns the sum; undefined when it could not be stored */
  increment(key: string | Uint8Array, by: number | bigint = 1): bigint | undefined {
    return this.#cache.inc(bytesOf(key), BigInt(by))
  }

  keys(): Uint8Array[] {
    return this.#cache.keys()
  }

  clear(): void {
    this.#cache.clear()
  }

  get size(): number {
    return this.#cache.items
  }
}
