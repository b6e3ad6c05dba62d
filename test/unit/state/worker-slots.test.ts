// The scoreboard: what is counted for each worker, and what a snapshot makes of it.
import { describe, expect, it } from 'vitest'
import { StateMap } from '../../../host/state/state-map.ts'
import { WorkerState } from '../../../host/state/worker-slots.ts'

const create = () => StateMap.create({ workers: 3, requestSlots: 4, requestAreaSize: 64, responseRingSize: 4096 })

describe('the scoreboard', () => {
  it('begins with nothing', () => {
    const { workers } = create()
    expect(workers.count).toBe(3)
    expect(workers.snapshot(2)).toEqual({
      id: 2,
      state: WorkerState.dead,
      requests: 0,
      deltaRequests: 0,
      failedRequests: 0,
      exceptions: 0,
      offloadedRequests: 0,
      harakiris: 0,
      status: 'idle',
      runningTime: 0,
      lastSpawn: 0,
      respawns: 0,
      sent: 0,
      averageTime: 0,
    })
  })

  it('counts the files that the master served itself with the requests of all', () => {
    const { workers } = create()
    workers.countRequest(1)
    workers.countStaticRequest()
    workers.countStaticRequest()
    workers.countOffloadedRequest(1)
    expect([workers.staticRequests, workers.totalRequests(), workers.requests(1)]).toEqual([2, 3, 1])
    expect([workers.snapshot(1).offloadedRequests, workers.snapshot(2).offloadedRequests]).toEqual([1, 0])
  })

  it('counts each worker by itself, for every thread to see', () => {
    const state = create()
    const { workers } = state
    workers.countRequest(2)
    workers.requestEnded(2, 1000.4, 70)
    workers.countRequest(2)
    workers.requestEnded(2, 3000, 5_000_000_000)
    workers.countException(2)
    workers.countFailedRequest(2)
    workers.countRespawn(2)
    expect(StateMap.open(state.handle).workers.snapshot(2)).toMatchObject({
      requests: 2,
      exceptions: 1,
      failedRequests: 1,
      respawns: 1,
      runningTime: 4000,
      sent: 5_000_000_070,
      averageTime: 1750,
    })
    for (const id of [1, 3]) expect(workers.snapshot(id)).toMatchObject({ requests: 0, runningTime: 0, sent: 0, averageTime: 0 })
  })

  it('counts requests since the start of the thread too', () => {
    const { workers } = create()
    for (let n = 0; n < 5; n += 1) workers.countRequest(1)
    workers.spawned(1, 1_795_806_101.9)
    workers.countRequest(1)
    expect(workers.snapshot(1)).toMatchObject({ requests: 6, deltaRequests: 1, lastSpawn: 1_795_806_101 })
  })

  it('says what a worker is doing', () => {
    const state = create()
    const { workers } = state
    state.seats.setRunning(1, 2)
    expect(workers.snapshot(1).status).toBe('busy')
    state.seats.setRunning(1, 0)
    expect(workers.snapshot(1).status).toBe('idle')
  })

  it('counts what concerns no single worker', () => {
    const { workers } = create()
    workers.countOverload()
    workers.countOverload()
    expect(workers.overloads).toBe(2)
    expect(workers.totalRequests()).toBe(0)
  })
})
