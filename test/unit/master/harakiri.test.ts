// Deadlines as the master enforces them: asked first, again and again, and ended after the grace.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { failedCounts, failedLines } from '../../../host/master/failed-requests.ts'
import { Harakiri } from '../../../host/master/harakiri.ts'
import { sharedNow } from '../../../host/state/deadlines.ts'
import { StateMap } from '../../../host/state/state-map.ts'
import { stopValue } from '../../../host/state/stop-words.ts'

const graceMs = 1000

describe('the deadline of a thread', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'hrtime'] }))
  afterEach(() => void vi.useRealTimers())

  const watched = (grace = graceMs) => {
    const state = StateMap.create({ workers: 3, requestSlots: 4, requestAreaSize: 4096, responseRingSize: 4096 })
    const ended: string[] = []
    const begun = sharedNow()
    const harakiri = new Harakiri({
      state,
      graceMs: grace,
      isCpuLimited: false,
      threads: () => [1, 2, 3].map((seat) => ({ seat, cpuUs: () => Promise.reject(new Error('nobody asks')) })),
      end: (thread) => void ended.push(`${thread}@${sharedNow() - begun}`),
    })
    harakiri.start()
    const { deadlines, stops } = state
    return { deadlines, stops, ended, harakiri, in: (ms: number) => begun + ms }
  }

  it('is told to the thread, and to no other, at its moment', () => {
    const { deadlines, stops, ended, ...at } = watched()
    deadlines.set(1, at.in(500))
    deadlines.set(2, at.in(5000))
    vi.advanceTimersByTime(499)
    expect(stops.of(1)[0]).toBe(0)
    vi.advanceTimersByTime(2)
    expect([1, 2, 3].map((thread) => stops.of(thread)[0])).toEqual([stopValue, 0, 0])
    expect(ended).toEqual([])
  })

  it('is told again while it stands, since the word may have been taken back by other code', () => {
    const { deadlines, stops, ...at } = watched()
    deadlines.set(1, at.in(500))
    for (let ms = 600; ms < 1400; ms += 100) {
      vi.advanceTimersByTime(ms === 600 ? 600 : 100)
      expect(stops.of(1)[0]).toBe(stopValue)
      stops.threadEnded(1)
    }
  })

  it('costs the thread when it has stood for the grace, once', () => {
    const { deadlines, ended, ...at } = watched()
    deadlines.set(1, at.in(500))
    vi.advanceTimersByTime(1490)
    expect(ended).toEqual([])
    vi.advanceTimersByTime(5000)
    expect(ended.length).toBe(1)
    const ms = Number(ended[0]?.split('@')[1])
    expect([ms >= 1500, ms <= 1510]).toEqual([true, true])
  })

  it('costs nothing when it is met within the grace, and the grace begins anew with the next one', () => {
    const { deadlines, ended, ...at } = watched()
    deadlines.set(1, at.in(500))
    vi.advanceTimersByTime(1400)
    deadlines.set(1, at.in(1300))
    vi.advanceTimersByTime(800)
    expect(ended).toEqual([])
    deadlines.set(1, 0)
    vi.advanceTimersByTime(10_000)
    expect(ended).toEqual([])
  })

  it('costs the thread at once where there is no grace', () => {
    const { deadlines, stops, ended, ...at } = watched(0)
    deadlines.set(3, at.in(500))
    vi.advanceTimersByTime(510)
    expect(ended.length).toBe(1)
    expect(stops.of(3)[0]).toBe(0)
  })

  it('is nobody’s business once the server stops', () => {
    const { deadlines, ended, harakiri, ...at } = watched()
    deadlines.set(1, at.in(500))
    harakiri.stop()
    vi.advanceTimersByTime(10_000)
    expect([ended, vi.getTimerCount()]).toEqual([[], 0])
  })
})

describe('the requests of a worker that has ended', () => {
  const request = { vars: new Uint8Array(0), coreId: 1, since: 7, requestId: 'r' }

  it('are told each, with what its client was answered and why', () => {
    expect(
      failedLines(
        [
          { ...request, status: 503 },
          { ...request, status: 500 },
        ],
        false,
      ),
    ).toEqual([
      '[core 1]  -   since 7: its worker was ended for the deadline of another request: answered 503, request id: r',
      '[core 1]  -   since 7: its worker has died: answered 500, request id: r',
    ])
    expect(failedLines([{ ...request, status: 504 }], false)[1]).toBe('HARAKIRI [core 1] request id: r')
  })

  it('are counted where they are too many to be told', () => {
    const many = Array.from({ length: 60 }, () => ({ ...request, status: 503 as const }))
    const lines = failedLines(many, false)
    expect([lines.length, lines.at(-1)]).toEqual([51, '... and 10 more'])
    expect(failedCounts([...many, { ...request, status: 504 }])).toBe(
      ' (60 running requests answered 503, 1 running requests answered 504)',
    )
    expect(failedCounts([])).toBe('')
  })
})
