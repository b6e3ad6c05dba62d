// CPU time as the master limits it: threads are looked at when they can have taken so much, asked, and ended after the grace.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { causeOfEnd, endReasons, Harakiri } from '../../../host/master/harakiri.ts'
import { sharedNow } from '../../../host/state/deadlines.ts'
import { firstConnectionFd, SlotPhase } from '../../../host/state/request-slots.ts'
import { StateMap } from '../../../host/state/state-map.ts'
import { stopValue } from '../../../host/state/stop-words.ts'

const graceMs = 1000
const seat = 2

describe('a thread whose CPU time is limited', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'hrtime'] }))
  afterEach(() => void vi.useRealTimers())

  const watched = (grace = graceMs) => {
    const state = StateMap.create({ workers: 3, requestSlots: 4, requestAreaSize: 4096, responseRingSize: 4096 })
    const thread = { seat, used: 1_000_000, asked: 0, cpuUs: (): Promise<number> => Promise.resolve(0) }
    thread.cpuUs = () => {
      thread.asked += 1
      return Promise.resolve(thread.used)
    }
    const ended: string[] = []
    const begun = sharedNow()
    const harakiri = new Harakiri({
      state,
      graceMs: grace,
      isCpuLimited: true,
      threads: () => [thread],
      end: (which, cause) => void ended.push(`${which} ${cause} ${sharedNow() - begun}`),
    })
    harakiri.start()
    /** @param share of the CPU that the thread gets meanwhile */
    const pass = async (ms: number, share: number): Promise<void> => {
      for (let left = ms; left > 0; left -= 10) {
        thread.used += 10_000 * share
        await vi.advanceTimersByTimeAsync(10)
      }
    }
    const word = state.stops.of(seat)
    return { state, thread, ended, pass, word, limit: (us: number) => state.cpu.set(seat, thread.used + us, 0) }
  }

  it('is asked when it has taken so much, again while it has not got on, and ended after the grace, once', async () => {
    const { state, ended, pass, word, limit } = watched()
    limit(500_000)
    await pass(490, 1)
    expect(word[0]).toBe(0)
    await pass(250, 1)
    expect(word[0]).toBe(stopValue)
    state.stops.threadEnded(seat)
    await pass(100, 1)
    expect([word[0], ended]).toEqual([stopValue, []])
    await pass(5000, 1)
    expect(ended.length).toBe(1)
    expect(ended[0]).toMatch(/^2 CPU-LIMIT 1[5-9]\d\d$/)
  })

  it('is left alone however long it is parked, and looked at seldom', async () => {
    const { thread, ended, pass, word, limit } = watched()
    limit(500_000)
    await pass(60_000, 0)
    expect([word[0], ended]).toEqual([0, []])
    expect(thread.asked).toBeLessThan(200)
  })

  it('is left alone by the clock where it gets a part of a CPU alone', async () => {
    const { ended, pass, word, limit } = watched()
    limit(500_000)
    await pass(1900, 0.25)
    expect(word[0]).toBe(0)
    await pass(400, 0.25)
    expect([word[0], ended]).toEqual([stopValue, []])
  })

  it('is left alone while it does not answer: it waits for the system', async () => {
    const { thread, ended, pass, word, limit } = watched()
    const late = Promise.withResolvers<number>()
    thread.cpuUs = () => late.promise
    limit(500_000)
    await pass(10_000, 1)
    expect([word[0], ended]).toEqual([0, []])
    late.resolve(thread.used)
    await pass(100, 1)
    expect(word[0]).toBe(stopValue)
  })

  it('has the grace anew when it has got on, and nothing to fear when nothing runs', async () => {
    const { state, thread, ended, pass, word, limit } = watched()
    limit(100_000)
    await pass(1000, 1)
    expect(word[0]).toBe(stopValue)
    limit(100_000)
    state.stops.threadEnded(seat)
    await pass(900, 1)
    expect([word[0], ended]).toEqual([stopValue, []])
    state.cpu.set(seat, 0, 0)
    state.stops.threadEnded(seat)
    const { asked } = thread
    await pass(10_000, 1)
    expect([word[0], ended, thread.asked]).toEqual([0, [], asked])
  })

  it('is ended without being asked where there is no grace, and not before it has taken so much', async () => {
    const { ended, pass, word, limit } = watched(0)
    limit(500_000)
    await pass(5000, 0)
    expect(ended).toEqual([])
    await pass(1000, 1)
    expect([word[0], ended.length]).toEqual([0, 1])
  })

  it('takes the request that ran along as the one that overran, when it is its own', async () => {
    const { state, thread, ended, pass } = watched()
    const filling = { packet: new Uint8Array(4), body: undefined, bodyMode: 0, contentLength: 0, bodyFd: -1 } as const
    for (const [slot, owner] of [[0, seat] as const, [1, 3] as const]) {
      state.slots.fill(slot, filling as never)
      expect(state.slots.claim(slot, owner)).toBe(true)
      expect(SlotPhase.running).toBe(2)
    }
    state.cpu.set(seat, thread.used, firstConnectionFd)
    await pass(3000, 1)
    expect(ended.length).toBe(1)
    expect([0, 1].map((slot) => state.slots.isOverdue(slot, sharedNow()))).toEqual([true, false])
  })

  it('that ended says why', () => {
    expect(causeOfEnd(endReasons['CPU-LIMIT'])).toBe('CPU-LIMIT')
    expect(causeOfEnd(endReasons.HARAKIRI)).toBe('HARAKIRI')
    expect([causeOfEnd(undefined), causeOfEnd('its thread exited with code 1')]).toEqual([undefined, undefined])
  })
})
