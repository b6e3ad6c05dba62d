// Calls a function of a plugin within a time: an endless loop in a hook must not take the thread it runs in for ever.
// Invariant: what is called synchronously ends when its time is over, wherever it is; what it awaits is only not waited for.
import { Script } from 'node:vm'
import { isThrown, promised } from './thrown.ts'

/** Its hook was not done in time. */
export class OverrunError extends Error {}

const place = Symbol.for('polywsgi.bounded-call')
const slot = globalThis as { [place]?: () => unknown }
// V8 ends what runs inside a script that has a time limit, also in functions that were made outside of it.
const script = new Script(`globalThis[Symbol.for('polywsgi.bounded-call')]()`)

/**
 * @param limitMs how long the function may run, and its promise may take
 * @throws OverrunError, and what the function throws
 */
export const boundedCall = <T>(run: () => T | Promise<T>, limitMs: number): T | Promise<T> => {
  const outcome = boundedSync(run, limitMs)
  const promise = promised<T>(outcome)
  return promise === undefined ? (outcome as T) : inTime(promise, limitMs)
}

/** As `boundedCall`, for what answers at once. */
export const boundedSync = <T>(run: () => T, limitMs: number): T => {
  const outer = slot[place]
  slot[place] = run
  try {
    return script.runInThisContext({ timeout: limitMs, displayErrors: false }) as T
  } catch (error) {
    if (isThrown(error, Error) && (error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw overrun(limitMs)
    throw error
  } finally {
    if (outer === undefined) delete slot[place]
    else slot[place] = outer
  }
}

const inTime = async <T>(promise: Promise<T>, limitMs: number): Promise<T> => {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(overrun(limitMs)), limitMs)
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

const overrun = (limitMs: number): OverrunError =>
  new OverrunError(`has not returned within ${limitMs / 1000} second${limitMs === 1000 ? '' : 's'}`)
