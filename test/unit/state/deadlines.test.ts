// When threads are to be ended for overrunning: what a thread writes, what the master reads.
import { describe, expect, it } from 'vitest'
import { Deadlines, sharedNow } from '../../../host/state/deadlines.ts'
import { UserDeadlines } from '../../../host/worker/user-deadlines.ts'

/** Long after any deadline of these tests. */
const later = (): number => sharedNow() + 1_000_000
const secondsLater = (seconds: number): number => sharedNow() + seconds * 1000

describe('deadlines', () => {
  it('are over from their moment on, and none is over that was not set', () => {
    const deadlines = Deadlines.create(3)
    const other = Deadlines.open(deadlines.handle)
    other.set(2, 5000)
    expect([4999, 5000, 5001].map((now) => deadlines.isOver(2, now))).toEqual([false, true, true])
    expect([0, 1].map((thread) => deadlines.isOver(thread, later()))).toEqual([false, false])
  })

  it('are taken back by 0, and by the end of their thread', () => {
    const deadlines = Deadlines.create(3)
    deadlines.set(1, 5000)
    deadlines.set(2, 5000)
    deadlines.set(1, 0)
    deadlines.threadEnded(2)
    expect([1, 2].map((thread) => deadlines.isOver(thread, later()))).toEqual([false, false])
  })

  it('go by a clock that only goes on', () => {
    const first = sharedNow()
    expect(sharedNow()).toBeGreaterThanOrEqual(first)
    expect(Number.isSafeInteger(first)).toBe(true)
  })
})

describe('the deadlines that requests set for themselves', () => {
  const requests = [{ name: 'a' }, { name: 'b' }] as const
  const made = () => {
    const deadlines = Deadlines.create(2)
    return { deadlines, own: new UserDeadlines(deadlines, 1) }
  }

  it('end with the request that set them, while others of the worker go on', () => {
    const { deadlines, own } = made()
    own.set(requests[0], 10)
    own.requestEnded(requests[1])
    expect(deadlines.isOver(1, later())).toBe(true)
    own.requestEnded(requests[0])
    expect(deadlines.isOver(1, later())).toBe(false)
  })

  it('do not replace each other: the earliest counts, and the next one after it', () => {
    const { deadlines, own } = made()
    own.set(requests[0], 10)
    own.set(requests[1], 1000)
    expect(deadlines.isOver(1, secondsLater(500))).toBe(true)
    own.requestEnded(requests[0])
    expect(deadlines.isOver(1, secondsLater(500))).toBe(false)
    expect(deadlines.isOver(1, secondsLater(2000))).toBe(true)
  })

  it('are taken back by 0, each by its own request', () => {
    const { deadlines, own } = made()
    own.set(requests[0], 10)
    own.set(requests[1], 10)
    own.set(requests[0], 0)
    expect(deadlines.isOver(1, later())).toBe(true)
    own.set(requests[1], 0)
    expect(deadlines.isOver(1, later())).toBe(false)
  })

  it('hold outside of requests until a request ends, or for ever in a thread without any', () => {
    const { deadlines, own } = made()
    own.set(undefined, 10)
    expect(deadlines.isOver(1, later())).toBe(true)
    own.requestEnded(requests[0])
    expect(deadlines.isOver(1, later())).toBe(false)
  })
})
