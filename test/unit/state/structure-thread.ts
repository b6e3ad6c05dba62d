// Threads for tests of shared structures: real ones, which may be parked in a call, or ended wherever they are.
import { Worker } from 'node:worker_threads'

export interface ThreadData {
  readonly kind: 'Locks' | 'Metrics' | 'SharedArea' | 'SharedQueue'
  readonly handle: unknown
}

export interface Instruction {
  readonly method: string
  readonly args: readonly unknown[]
  readonly times: number
}

export class StructureThread {
  readonly #thread: Worker

  constructor(kind: ThreadData['kind'], structure: { readonly handle: unknown }) {
    const workerData: ThreadData = { kind, handle: structure.handle }
    this.#thread = new Worker(new URL('./fixtures/structure-thread.ts', import.meta.url), { workerData, execArgv: [] })
  }

  /** Calls a method there. Resolves with what it returned, call by call. */
  call(method: string, args: readonly unknown[], times = 1): Promise<unknown[]> {
    return new Promise((resolve, reject) => {
      this.#thread.once('message', resolve)
      this.#thread.once('error', reject)
      this.#thread.postMessage({ method, args, times } satisfies Instruction)
    })
  }

  /** Ends it between any two instructions. */
  async end(): Promise<void> {
    await this.#thread.terminate()
  }
}

/** Turns the event loop until something is so. */
export const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve))
}
