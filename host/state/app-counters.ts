// What each worker's thread has served of each app, by its seat: published by the thread, read by whoever asks for the workers'
// state.

/** As many apps as uWSGI keeps by default (`max-apps`): those past it are served, and not counted here. */
export const mostCountedApps = 64

const wordsPerApp = 2

export class AppCounters {
  readonly handle: SharedArrayBuffer
  readonly #words: Int32Array

  private constructor(handle: SharedArrayBuffer) {
    this.handle = handle
    this.#words = new Int32Array(handle)
  }

  static create(seats: number): AppCounters {
    return new AppCounters(new SharedArrayBuffer((seats + 1) * mostCountedApps * wordsPerApp * 4))
  }

  static open(handle: SharedArrayBuffer): AppCounters {
    return new AppCounters(handle)
  }

  publish(seat: number, appId: number, requests: number, exceptions: number): void {
    if (appId >= mostCountedApps) return
    const at = (seat * mostCountedApps + appId) * wordsPerApp
    Atomics.store(this.#words, at, requests)
    Atomics.store(this.#words, at + 1, exceptions)
  }

  requests(seat: number, appId: number): number {
    return appId < mostCountedApps ? Atomics.load(this.#words, (seat * mostCountedApps + appId) * wordsPerApp) >>> 0 : 0
  }

  exceptions(seat: number, appId: number): number {
    return appId < mostCountedApps ? Atomics.load(this.#words, (seat * mostCountedApps + appId) * wordsPerApp + 1) >>> 0 : 0
  }

  /** A new thread begins to count from 0. */
  threadEnded(seat: number): void {
    const first = seat * mostCountedApps * wordsPerApp
    this.#words.fill(0, first, first + mostCountedApps * wordsPerApp)
  }
}
