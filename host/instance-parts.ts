// What an instance is made of settings alone: its shared memory, and what is done about exceptions.
import type { Configuration } from './config/index.ts'
import { ConfigError } from './errors.ts'
import { StateMap } from './state/state-map.ts'
import type { ExceptionSettings } from './worker/exceptions.ts'

/** What the composition root knows and nobody else: where our own modules lie. */
export interface Parts {
  readonly version: string
  readonly threadEntry: string
  /** URLs of the plugins that are always there. */
  readonly plugins: readonly string[]
}

/** Requests handed to shared slots beside those that run, so that a worker finds the next one without the master. */
const prefetch = 32
const responseRingSize = 1024 * 1024
const packetHeaderSize = 4

/** @throws ConfigError when there is no memory for it */
export const createState = (settings: Configuration['settings'], otherThreads: number): StateMap => {
  const { workers, async: cores, bufferSize } = settings
  try {
    return StateMap.create({
      workers,
      cores,
      otherThreads,
      spares: settings.spare,
      requestSlots: workers * cores + prefetch,
      requestAreaSize: packetHeaderSize + bufferSize,
      responseRingSize,
    })
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    const problem = 'the memory for requests is not to be had'
    const message = `workers = ${workers}, async = ${cores}, buffer-size = ${bufferSize}: ${problem}: ${cause.message}`
    throw new ConfigError('CONFIG_BAD_VALUE', message, { cause })
  }
}

export const exceptionSettings = (settings: Configuration['settings']): ExceptionSettings => ({
  catch: settings.catchExceptions,
  reload: settings.reloadOnException,
  reloadTypes: settings.reloadOnExceptionType,
  reloadValues: settings.reloadOnExceptionValue,
  reloadReprs: settings.reloadOnExceptionRepr,
})
