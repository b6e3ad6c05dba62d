// Actions that write to named pipes. A pipe that nobody reads cannot be opened, and one that is full must not hold the thread.
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { type Action, type HookEnvironment, pause, wordAndRest } from '../action.ts'

const writeWhole = async (pipe: FileHandle, text: string, signal: AbortSignal): Promise<void> => {
  let bytes = Buffer.from(text)
  while (bytes.length > 0) {
    try {
      const { bytesWritten } = await pipe.write(bytes)
      bytes = bytes.subarray(bytesWritten)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      await pause(fullMs, signal)
    }
  }
}

/** @returns whether somebody reads there */
const writeFifo = async (fifo: string, text: string, { signal }: HookEnvironment): Promise<boolean> => {
  let pipe: FileHandle
  try {
    pipe = await open(fifo, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENXIO') return false
    throw error
  }
  try {
    await writeWhole(pipe, text, signal)
  } finally {
    await pipe.close()
  }
  return true
}

/** A full pipe, and one that nobody reads, are looked at again after this. */
const fullMs = 50
const unreadMs = 1000

export const fifoActions = {
  writefifo: {
    usage: 'FIFO TEXT',
    help: 'Write a text to a named pipe. When nobody reads it, that is told in the log and is no failure.',
    prepare: (argument) => {
      const [fifo, text] = wordAndRest(argument, 'FIFO TEXT')
      return async (environment) => {
        if (!(await writeFifo(fifo, text, environment))) environment.log.text(`nobody reads ${fifo}: nothing is written to it`)
      }
    },
  },
  spinningfifo: {
    usage: 'FIFO TEXT',
    help: 'As writefifo, but waits until somebody reads the pipe, and until there is one.',
    prepare: (argument) => {
      const [fifo, text] = wordAndRest(argument, 'FIFO TEXT')
      const attempt = async (environment: HookEnvironment): Promise<boolean> => {
        try {
          return await writeFifo(fifo, text, environment)
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
          return false
        }
      }
      return async (environment) => {
        while (!(await attempt(environment))) {
          environment.log.text(`waiting for ${fifo} ...`)
          await pause(unreadMs, environment.signal)
        }
      }
    },
  },
} as const satisfies Record<string, Action>
