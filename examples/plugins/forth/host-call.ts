// Calls of the host from a word: what the host refuses becomes an error of the program, at the place of the word.
import { PolywsgiError } from 'polywsgi/plugin'
import { asBytes, Fault, ForthError } from './errors.ts'

/** The client has left: nobody waits for what the program would do about it. */
export const isClientGone = (error: unknown): boolean => error instanceof PolywsgiError && error.code === 'CLIENT_GONE'

/** Another interpreter of this thread is lost, and the thread with it. */
const isFatal = (error: unknown): boolean => (error as { fatal?: boolean } | undefined)?.fatal === true

/** @throws Fault host; as it is what no program can do anything about */
export const callHost = <T>(work: () => T): T => {
  try {
    return work()
  } catch (error) {
    const isRefusal = error instanceof PolywsgiError && !(error instanceof ForthError)
    if (!isRefusal || isFatal(error) || isClientGone(error)) throw error
    throw Fault.of('host', asBytes(error.message))
  }
}
