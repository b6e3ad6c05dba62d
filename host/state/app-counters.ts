// What each worker has served of each app: published by the worker, read by whoever asks for the workers' state.

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

  static create(workers: number): AppCounters {
    return new AppCounters(new SharedArrayBuffer((workers + 1) * mostCountedApps * wordsPerApp * 4))
  }

  static open(handle: SharedArrayBuffer): AppCounters {
    return new AppCounters(handle)
  }

  publish(workerId: number, appId: number, requests: number, exceptions: number): void {
    if (appId >= mostCountedApps) return
    const at = (workerId * mostCountedApps + appId) * wordsPerApp
    Atomics.store(this.#words, at, requests)
    Atomics.store(this.#words, at + 1, exceptions)
  }

  requests(workerId: number, appId: number): number {
    return appId < mostCountedApps ? Atomics.load(this.#words, (workerId * mostCountedApps + appId) * wordsPerApp) >>> 0 : 0
  }

  exceptions(workerId: number, appId: number): number {
    return appId < mostCountedApps ? Atomics.load(this.#words, (workerId * mostCountedApps + appId) * wordsPerApp + 1) >>> 0 : 0
  }

  /** A new thread begins to count from 0. */
  threadEnded(workerId: number): void {
    const first = workerId * mostCountedApps * wordsPerApp
    this.#words.fill(0, first, first + mostCountedApps * wordsPerApp)
  }
}
