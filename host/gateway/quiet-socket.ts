// A socket that reads nothing until it is asked to. What another side sends to somebody who does not look stays in the
// system's buffers, where it holds that side back, and takes no memory here.
// Invariant: one `ask` reads one piece at most (64 KiB, as the system reads), and not before what was read is taken.
import { Socket } from 'node:net'

export class QuietSocket extends Socket {
  #isFree = false
  /** The stream wants more, and has not got it. */
  #held: number | undefined

  constructor() {
    // Bytes that the other side sent before it closed must still be readable, and ours must not be lost with its end.
    // One byte is enough: the stream is to want nothing while a piece lies in it.
    super({ allowHalfOpen: true, readableHighWaterMark: 1 } as ConstructorParameters<typeof Socket>[0])
  }

  /** That something may have come is not known, since nobody has asked. */
  get isQuiet(): boolean {
    return this.#held !== undefined
  }

  /** Once connected: reads the next piece when nothing lies here, or finds out that there will be none. */
  ask(): void {
    if (this.#held === undefined || this.connecting || this.destroyed) return
    const size = this.#held
    this.#held = undefined
    super._read(size)
  }

  /** From now on it reads as any other. */
  free(): void {
    this.#isFree = true
    if (!this.connecting) this.ask()
  }

  override _read(size: number): void {
    this.#held = size
    if (this.#isFree) this.ask()
  }
}
