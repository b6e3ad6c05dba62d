// Which seats are free.
import { describe, expect, it } from 'vitest'
import { SeatPool } from '../../../host/master/seat-pool.ts'

describe('the pool of seats', () => {
  it('gives them in order, and each to one thread', () => {
    const pool = new SeatPool(3)
    expect([pool.take(), pool.take(), pool.take()]).toEqual([1, 2, 3])
    expect(() => pool.take()).toThrow(new RangeError('every seat has a thread'))
  })

  it('gives the one first that has been free for longest', () => {
    const pool = new SeatPool(3)
    pool.giveBack(pool.take())
    expect([pool.take(), pool.take(), pool.take()]).toEqual([2, 3, 1])
  })
})
