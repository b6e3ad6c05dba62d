// What is said of something thrown: always a text, whatever it was.
import { expect, test } from 'vitest'
import { isFatal, isThrown, promised, thrownMessage, thrownText } from '../../../host/plugin/thrown.ts'

const angry = new Proxy(
  {},
  {
    get: () => {
      throw new Error('get')
    },
    getPrototypeOf: () => {
      throw new Error('getPrototypeOf')
    },
  },
)
const angryStack = Object.defineProperty(new Error('quiet'), 'stack', {
  get: () => {
    throw new Error('stack')
  },
})

test('is a text for everything', () => {
  for (const one of [angry, angryStack, Object.create(null), { toString: () => 7 }, () => {}, Symbol('s'), undefined, null, 3]) {
    expect(typeof thrownText(one)).toBe('string')
    expect(typeof thrownMessage(one)).toBe('string')
    expect(isFatal(one)).toBe(false)
    expect(isThrown(one, RangeError)).toBe(false)
  }
  expect(thrownText(Object.assign(new Error('numbers'), { stack: 42 }))).toBe('Error: numbers')
  expect(thrownMessage(new RangeError('why'))).toBe('why')
  expect(thrownText(undefined)).toBe('undefined')
  expect(isFatal({ fatal: true })).toBe(true)
})

test('is bounded', () => {
  expect(thrownMessage(new Error('x'.repeat(1_000_000))).length).toBeLessThan(70_000)
})

test('a promise is whatever has a then', async () => {
  expect(promised(0)).toBeUndefined()
  expect(promised({})).toBeUndefined()
  const withThen = (descriptor: PropertyDescriptor) => Object.defineProperty({}, 'then', descriptor)
  await expect(promised<unknown>(withThen({ value: (done: (value: number) => void) => done(5) }))).resolves.toBe(5)
  const get = () => {
    throw new Error('then')
  }
  await expect(promised<unknown>(withThen({ get }))).rejects.toThrow('then')
})
