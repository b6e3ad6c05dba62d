// Work that waits, done in both ways: parked, and by promises.
import { describe, expect, it } from 'vitest'
import { bindApi } from '../../../host/api/bind.ts'
import type { ApiFunction } from '../../../host/api/kinds.ts'
import { oneWait, outcomeOf, type Waiting, waiting } from '../../../host/api/waiting.ts'
import { testContext } from '../../support/api-context.ts'

const failing = (message: string) => (): never => {
  throw new Error(message)
}

/** Waits twice, and mends what goes wrong the second time. */
const twice = (isThere: boolean): Waiting<string> =>
  waiting(function* () {
    const first = yield* outcomeOf(
      oneWait(
        () => 'parked',
        () => (isThere ? 'at hand' : Promise.resolve('later')),
      ),
    )
    try {
      yield* outcomeOf(oneWait(failing('parked badly'), () => Promise.reject(new Error('rejected'))))
    } catch (error) {
      return `${first}, ${(error as Error).message}`
    }
    return 'nothing was thrown'
  })

describe('work that waits', () => {
  it('parks at each wait, and catches what one throws', () => {
    expect(twice(false).park()).toBe('parked, parked badly')
  })

  it('goes on after each promise, and catches what one rejects with', async () => {
    expect(await twice(false).promise()).toBe('later, rejected')
    expect(await twice(true).promise()).toBe('at hand, rejected')
  })

  it('answers at once when all it waits for is there', () => {
    const ready = waiting(function* () {
      return 1 + (yield* outcomeOf(oneWait(failing('parked'), () => 41)))
    })
    expect(ready.promise()).toBe(42)
  })

  it('throws what was thrown before the first wait, rejects with what is thrown after it', async () => {
    const early = (): unknown =>
      waiting(function* () {
        yield* outcomeOf(oneWait(failing('x'), failing('early')))
        return 0
      }).promise()
    expect(early).toThrow('early')
    const late = waiting(function* () {
      yield* outcomeOf(oneWait(failing('x'), () => Promise.resolve()))
      throw new Error('late')
    }).promise()
    await expect(late).rejects.toThrow('late')
    expect(() => oneWait(failing('alone'), () => 0).park()).toThrow('alone')
  })
})

describe('bound functions', () => {
  it('have a form that does not park when they may wait, and only then', () => {
    for (const { entry, callAsync } of bindApi(testContext()).functions) {
      const { name, kind } = entry as ApiFunction
      expect([name, callAsync !== undefined]).toEqual([name, kind !== 'immediate'])
    }
  })

  it('hold arguments to their declaration in both forms, at once', () => {
    const lock = bindApi(testContext()).functions.find(({ entry }) => entry.name === 'lock')
    expect(() => lock?.callAsync?.(['x'])).toThrow("uwsgi.lock(): argument 'num' must be a whole number")
  })
})
