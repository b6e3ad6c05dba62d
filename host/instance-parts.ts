// What an instance is made on: its shared memory and its log file, each refused with the options that asked for it.
import { openSync } from 'node:fs'
import type { Configuration } from './config/index.ts'
import { ConfigError } from './errors.ts'
import { StateMap } from './state/state-map.ts'

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

/** @returns the descriptor. @throws ConfigError */
export const openLog = (path: string): number => {
  try {
    return openSync(path, 'a', 0o640)
  } catch (error) {
    throw new ConfigError('CONFIG_BAD_VALUE', `logto = ${path}: the file cannot be opened: ${(error as Error).message}`, {
      cause: error,
    })
  }
}
