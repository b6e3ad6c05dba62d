// Imports a built file in a thread of its own and says what is wrong with it, in bounded time.

import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { CheckOrder, CheckReport } from './check-entry.ts'

/** A module that is still being imported after so long waits for something, or loops. */
const patienceMs = 10_000

/**
 * @param path of the built file
 * @param checkEntry URL of the thread's module
 */
export const checkBuilt = async (path: string, name: string, checkEntry: string): Promise<CheckReport> => {
  const workerData: CheckOrder = { url: pathToFileURL(path).href, name }
  const worker = new Worker(new URL(checkEntry), { workerData })
  const { promise, resolve } = Promise.withResolvers<CheckReport>()
  const fail = (fault: string): void => resolve({ fault })
  worker.once('message', resolve)
  // What is thrown beside the import: by a timer, in a promise nobody awaits.
  worker.once('error', (error: unknown) => fail(`it fails when it is imported: ${String((error as Error)?.message ?? error)}`))
  worker.once('exit', () => fail('it ends its thread when it is imported'))
  const timer = setTimeout(() => fail(`importing it does not end within ${patienceMs / 1000} seconds`), patienceMs)
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    await worker.terminate()
  }
}
