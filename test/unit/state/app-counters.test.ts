// What workers publish of their apps.
import { describe, expect, it } from 'vitest'
import { AppCounters, mostCountedApps } from '../../../host/state/app-counters.ts'

describe('the counters of apps', () => {
  const read = (counters: AppCounters, worker: number, app: number): number[] => [
    counters.requests(worker, app),
    counters.exceptions(worker, app),
  ]

  it('are kept by worker and by app, and read by whoever opens them', () => {
    const counters = AppCounters.create(2)
    counters.publish(1, 0, 10, 1)
    counters.publish(1, mostCountedApps - 1, 20, 2)
    counters.publish(2, 0, 30, 3)
    const other = AppCounters.open(counters.handle)
    expect(read(other, 1, 0)).toEqual([10, 1])
    expect(read(other, 1, mostCountedApps - 1)).toEqual([20, 2])
    expect(read(other, 2, 0)).toEqual([30, 3])
    expect(read(other, 2, 1)).toEqual([0, 0])
  })

  it('begin anew with the thread, and leave those of others alone', () => {
    const counters = AppCounters.create(3)
    for (const worker of [1, 2, 3]) for (const app of [0, mostCountedApps - 1]) counters.publish(worker, app, 7, 5)
    counters.threadEnded(2)
    expect(read(counters, 2, 0)).toEqual([0, 0])
    expect(read(counters, 2, mostCountedApps - 1)).toEqual([0, 0])
    expect(read(counters, 1, mostCountedApps - 1)).toEqual([7, 5])
    expect(read(counters, 3, 0)).toEqual([7, 5])
  })

  it('do not count an app past the last one, nor let it touch the next worker', () => {
    const counters = AppCounters.create(2)
    counters.publish(1, mostCountedApps, 9, 9)
    expect(read(counters, 1, mostCountedApps)).toEqual([0, 0])
    expect(read(counters, 2, 0)).toEqual([0, 0])
  })

  it('go on past 31 bits', () => {
    const counters = AppCounters.create(1)
    counters.publish(1, 3, 2 ** 31 + 5, 2 ** 32 - 1)
    expect(read(counters, 1, 3)).toEqual([2 ** 31 + 5, 2 ** 32 - 1])
  })
})
