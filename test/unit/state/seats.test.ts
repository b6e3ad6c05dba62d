// Seats: who stands for a number, who leaves, what of it a thread's end takes back.
import { describe, expect, it } from 'vitest'
import { seatCapacity } from '../../../host/state/layout.ts'
import { StateMap } from '../../../host/state/state-map.ts'

const create = () =>
  StateMap.create({ workers: 2, otherThreads: 1, spares: 2, requestSlots: 1, requestAreaSize: 64, responseRingSize: 4096 })

describe('seats', () => {
  it('are two for each number, and one for each spare', () => {
    expect(seatCapacity(3, 2)).toBe(8)
    expect(create().seats.capacity).toBe(8)
  })

  it('are the numbers when a server begins', () => {
    const { seats } = create()
    expect([1, 2, 3].map((number) => [seats.current(number), seats.number(number)])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ])
    expect([0, 4, 8].map((seat) => seats.number(seat))).toEqual([0, 0, 0])
  })

  it('are seen the same by all who open the map', () => {
    const { handle, seats } = create()
    const others = StateMap.open(handle).seats
    seats.name(5, 2)
    seats.setCurrent(2, 5)
    seats.setLeaving(2)
    others.setRunning(5, 3)
    others.setServing(5)
    expect([others.number(5), others.current(2), others.isLeaving(2), others.isLeaving(5)]).toEqual([2, 5, true, false])
    expect([seats.running(5), seats.isServing(5), seats.isServing(6)]).toEqual([3, true, false])
  })

  it('of one number have its requests together', () => {
    const { seats, workers } = create()
    seats.name(5, 2)
    seats.setRunning(2, 1)
    seats.setRunning(5, 2)
    expect([seats.runningOf(2), workers.running(2), workers.snapshot(2).status]).toEqual([3, 3, 'busy'])
    expect(workers.snapshot(1).status).toBe('idle')
  })

  it('are empty when their threads have ended, and stand for nobody', () => {
    const { seats } = create()
    seats.setRunning(2, 1)
    seats.setLeaving(2)
    seats.threadEnded(2)
    expect([seats.number(2), seats.current(2), seats.running(2), seats.isLeaving(2)]).toEqual([0, 0, 0, false])
  })

  it('that were followed take nothing from those that stand for their number now', () => {
    const { seats } = create()
    seats.name(5, 2)
    seats.setCurrent(2, 5)
    seats.threadEnded(2)
    expect(seats.current(2)).toBe(5)
  })

  it('of two threads of one worker add up, each by its own account', () => {
    const { workers } = create()
    workers.requestEnded(1, 100, 10, 0)
    workers.requestEnded(1, 300, 5, 1)
    workers.requestEnded(1, 50, 1, 0)
    expect(workers.snapshot(1)).toMatchObject({ runningTime: 450, sent: 16 })
  })
})
