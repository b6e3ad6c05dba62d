// Functions of the API that may have to wait, written once for both ways to wait: a thread that has nothing else to do is
// parked, a core that others share the thread with gets a promise and goes on when it has settled.
// Invariant: what a function needs of its request it takes before its first wait; afterwards another one may be current.

/** Something that may take its time. */
export interface Wait<T> {
  /** Parks the thread until it is there. */
  park(): T
  /** Does not park: what is there already is returned as it is. */
  promise(): T | Promise<T>
}

/** Work that yields each wait and is given what came of it, or has it thrown where it stands. */
export type Steps<T> = Generator<Wait<unknown>, T, unknown>

/** Inside of steps: `const reply = yield* outcomeOf(oneWait(...))`. */
export function* outcomeOf<T>(wait: Wait<T>): Generator<Wait<unknown>, T, unknown> {
  return (yield wait) as T
}

/** What an implementation returns instead of a value when it has to wait. It has not begun: exactly one method begins it. */
export abstract class Waiting<T> implements Wait<T> {
  abstract park(): T
  abstract promise(): T | Promise<T>
}

/** Waits once, and for nothing else. */
class OneWait<T> extends Waiting<T> {
  override readonly park: () => T
  override readonly promise: () => T | Promise<T>

  constructor({ park, promise }: Wait<T>) {
    super()
    this.park = park
    this.promise = promise
  }
}

class SteppedWait<T> extends Waiting<T> {
  readonly #steps: Steps<T>

  constructor(steps: Steps<T>) {
    super()
    this.#steps = steps
  }

  override park(): T {
    let step = this.#steps.next()
    while (!step.done) {
      let value: unknown
      try {
        value = step.value.park()
      } catch (error) {
        step = this.#steps.throw(error)
        continue
      }
      step = this.#steps.next(value)
    }
    return step.value
  }

  override promise(): T | Promise<T> {
    return this.#goOn(this.#steps.next())
  }

  #goOn(first: IteratorResult<Wait<unknown>, T>): T | Promise<T> {
    let step = first
    while (!step.done) {
      let value: unknown
      try {
        value = step.value.promise()
      } catch (error) {
        step = this.#steps.throw(error)
        continue
      }
      if (value instanceof Promise) {
        return value.then(
          (outcome: unknown) => this.#goOn(this.#steps.next(outcome)),
          (error: unknown) => this.#goOn(this.#steps.throw(error)),
        )
      }
      step = this.#steps.next(value)
    }
    return step.value
  }
}

/** For implementations: `waiting(function* () { ... })`. */
export const waiting = <T>(steps: () => Steps<T>): Waiting<T> => new SteppedWait(steps())

/** For implementations that wait once: how by parking, how by a promise. */
export const oneWait = <T>(park: () => T, promise: () => T | Promise<T>): Waiting<T> => new OneWait({ park, promise })
