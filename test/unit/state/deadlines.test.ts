// When threads are to be ended for overrunning: what a thread writes, what the master reads.
import { describe, expect, it } from 'vitest'
import { Deadlines, sharedNow } from '../../../host/state/deadlines.ts'

/** Long after any deadline of these tests. */
const later = (): number => sharedNow() + 1_000_000

describe('deadlines', () => {
  it('are over from their moment on, and none is over that was not set', () => {
    const deadlines = Deadlines.create(3)
    const other = Deadlines.open(deadlines.handle)
    other.set(2, 5000)
    expect([4999, 5000, 5001].map((now) => deadlines.isOver(2, now))).toEqual([false, true, true])
    expect([0, 1].map((thread) => deadlines.isOver(thread, later()))).toEqual([false, false])
  })

  it('may fall between two milliseconds: 1.001 seconds are 1000.9999999999999 of them', () => {
    const deadlines = Deadlines.create(2)
    deadlines.set(1, 5000 + 1.001 * 1000)
    expect([6000, 6001].map((now) => deadlines.isOver(1, now))).toEqual([false, true])
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
