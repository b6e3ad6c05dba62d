import { describe, expect, it } from 'vitest'
import { CoreSlots, mostCountedCores } from '../../../host/state/core-slots.ts'
import { StateMap } from '../../../host/state/state-map.ts'

describe('the counters of cores', () => {
  it('count each core of each worker by itself, for every thread that opens them', () => {
    const cores = CoreSlots.create(2, 3)
    const worker = CoreSlots.open(cores.handle)
    worker.countRequest(2, 0)
    worker.countRequest(2, 2)
    worker.countRequest(2, 2)
    worker.countOffloaded(2, 2)
    worker.countErrors(1, 0, 3, 4)
    expect(cores.count).toBe(3)
    expect(cores.snapshot(2, 2)).toEqual({ requests: 2, offloadedRequests: 1, writeErrors: 0, readErrors: 0 })
    expect(cores.snapshot(2, 0).requests).toBe(1)
    expect(cores.snapshot(2, 1).requests).toBe(0)
    expect(cores.snapshot(1, 0)).toEqual({ requests: 0, offloadedRequests: 0, writeErrors: 3, readErrors: 4 })
  })

  it('count nothing where there are more cores than anybody would read of', () => {
    const cores = CoreSlots.create(2, mostCountedCores / 2 + 1)
    cores.countRequest(1, 0)
    cores.countErrors(2, 5, 1, 1)
    expect([cores.count, cores.snapshot(1, 0).requests, cores.snapshot(2, 5).readErrors]).toEqual([0, 0, 0])
  })
})

describe('where a request runs', () => {
  const create = () => StateMap.create({ workers: 3, requestSlots: 2, requestAreaSize: 64, responseRingSize: 4096 }).slots
  const filling = { packet: Buffer.of(0, 0, 0, 0), bodyMode: 0, body: undefined, contentLength: 0, bodyFd: -1 } as const

  it('is told while it runs, and forgotten with the slot', () => {
    const slots = create()
    slots.fill(1, filling)
    expect(slots.runningCore(1)).toBeUndefined()
    slots.claim(1, 3)
    expect(slots.runningCore(1)).toBeUndefined()
    slots.noteCore(1, 3, 65_534, 4_000_000_000)
    expect(slots.runningCore(1)).toEqual({ workerId: 3, core: 65_534, begunAt: 4_000_000_000 })
    slots.free(1)
    expect(slots.runningCore(1)).toBeUndefined()
    slots.fill(1, filling)
    slots.claim(1, 2)
    expect(slots.runningCore(1)).toBeUndefined()
  })
})
