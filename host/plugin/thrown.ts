// What a plugin throws may be anything: nothing at all, an object whose members throw, text without an end. What is said of
// it goes through here.
// Invariant: nothing here throws, and no text is longer than the limit.
import { types } from 'node:util'

const longestText = 65_536
const unreadable = 'something that cannot be shown'

/** The stack of an error, else the text of whatever it is. */
export const thrownText = (error: unknown): string =>
  safely(unreadable, () => {
    const stack = isObject(error) ? (error as { stack?: unknown }).stack : undefined
    return bounded(typeof stack === 'string' && stack !== '' ? stack : String(error), longestText)
  })

/** The message of an error, else the text of whatever it is. */
export const thrownMessage = (error: unknown): string =>
  safely(unreadable, () => {
    const message = isObject(error) ? (error as { message?: unknown }).message : undefined
    return bounded(typeof message === 'string' ? message : String(error), longestText)
  })

/** An interpreter is lost with it. */
export const isFatal = (error: unknown): boolean =>
  safely(false, () => isObject(error) && (error as { fatal?: unknown }).fatal === true)

/** As `instanceof`, which asks what was thrown for its prototype. */
export const isThrown = <Kind>(error: unknown, kind: abstract new (...args: never[]) => Kind): error is Kind =>
  safely(false, () => error instanceof kind)

/** Also of another realm, and what is none but has a `then`: undefined for what was answered at once. */
export const promised = <T>(answer: T | PromiseLike<T>): Promise<T> | undefined => {
  if (!isObject(answer)) return undefined
  if (types.isPromise(answer)) return answer as Promise<T>
  // A `then` that cannot be read rejects.
  if (!safely(true, () => typeof (answer as { then?: unknown }).then === 'function')) return undefined
  return Promise.resolve(answer)
}

const isObject = (value: unknown): value is object => (typeof value === 'object' && value !== null) || typeof value === 'function'

const safely = <T>(otherwise: T, read: () => T): T => {
  try {
    return read()
  } catch {
    return otherwise
  }
}

const bounded = (text: string, limit: number): string =>
  text.length <= limit ? text : `${text.slice(0, limit)} ... (${text.length} characters)`
