// When requests are to be over: by their begin, by what they say themselves, what the master sees of it, who is given up.
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { WsgiRequest } from '../../../host/request/wsgi-request.ts'
import { Deadlines, sharedNow } from '../../../host/state/deadlines.ts'
import { RequestDeadlines } from '../../../host/worker/request-deadlines.ts'

/** Long after any deadline of these tests. */
const later = (): number => sharedNow() + 1_000_000
const secondsLater = (seconds: number): number => sharedNow() + seconds * 1000

const noted: number[] = []
const named = (name: string): WsgiRequest =>
  ({ name, noteDeadline: (end: number) => void noted.push(end) }) as unknown as WsgiRequest

const graceMs = 2000

const made = (harakiriMs = 0) => {
  const deadlines = Deadlines.create(2)
  return { deadlines, own: new RequestDeadlines({ deadlines, seat: 1, harakiriMs, graceMs }) }
}

describe('the deadlines that requests set for themselves', () => {
  const requests = [named('a'), named('b')] as const

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

  it('are noted in the slot of the request, the earlier one of the two that it has', () => {
    const { own } = made(60_000)
    noted.length = 0
    own.requestBegins(requests[0])
    own.set(requests[0], 1000)
    own.set(requests[0], 1)
    const [begun, same, sooner] = noted as [number, number, number]
    expect(same).toBe(begun)
    expect(sooner).toBeLessThan(begun)
    own.requestEnded(requests[0])
  })
})

describe('requests that take too long', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'hrtime'] }))
  afterEach(() => void vi.useRealTimers())

  it('are given up in the order in which they began, each at its own time', () => {
    const { deadlines, own } = made(10_000)
    const given: unknown[] = []
    own.giveUp = (request) => {
      given.push(request)
      own.requestEnded(request)
    }
    const [first, second, third] = [named('first'), named('second'), named('third')]
    own.requestBegins(first)
    vi.advanceTimersByTime(4000)
    own.requestBegins(second)
    own.requestBegins(third)
    vi.advanceTimersByTime(5000)
    expect(given).toEqual([])
    own.requestEnded(third)
    vi.advanceTimersByTime(1100)
    expect(given).toEqual([first])
    vi.advanceTimersByTime(4000)
    expect(given).toEqual([first, second])
    expect(deadlines.isOver(1, later())).toBe(false)
  })

  it('cannot be put off by a handler that has been given up', () => {
    const { deadlines, own } = made(10_000)
    const stubborn = named('stubborn')
    own.requestBegins(stubborn)
    vi.advanceTimersByTime(10_100)
    for (const seconds of [0, 1000]) {
      own.set(stubborn, seconds)
      expect(deadlines.isOver(1, secondsLater(6))).toBe(true)
    }
    own.requestEnded(stubborn)
    expect(deadlines.isOver(1, later())).toBe(false)
  })

  it('cost the thread when they do not end by it: the master sees them again', () => {
    const { deadlines, own } = made(10_000)
    let count = 0
    own.giveUp = () => {
      count += 1
    }
    own.requestBegins(named('stubborn'))
    vi.advanceTimersByTime(10_100)
    expect(count).toBe(1)
    expect(deadlines.isOver(1, sharedNow() - graceMs)).toBe(false)
    vi.advanceTimersByTime(graceMs)
    expect(deadlines.isOver(1, sharedNow() - graceMs)).toBe(true)
    expect(count).toBe(1)
  })

  it('are given up a few at a time, when they are many, and the grace of those who wait for it does not run meanwhile', async () => {
    const { deadlines, own } = made(10_000)
    const given: WsgiRequest[] = []
    const wasOver: boolean[] = []
    own.giveUp = (request) => {
      given.push(request)
      wasOver.push(deadlines.isOver(1, sharedNow() - graceMs))
      own.requestEnded(request)
    }
    const many = Array.from({ length: 100 }, (_, index) => named(String(index)))
    for (const request of many) own.requestBegins(request)
    vi.advanceTimersByTime(10_100)
    expect(given.length).toBeLessThan(100)
    while (given.length < 100) await new Promise((resolve) => setImmediate(resolve))
    expect(given).toEqual(many)
    expect(new Set(wasOver)).toEqual(new Set([false]))
    expect(deadlines.isOver(1, later())).toBe(false)
  })

  it('are not needed for a thread to be seen that does not get on', () => {
    const { deadlines, own } = made(10_000)
    own.watchThread()
    // Its event loop turns, and turns.
    vi.advanceTimersByTime(60_000)
    expect([deadlines.isOver(1, secondsLater(9)), deadlines.isOver(1, secondsLater(12))]).toEqual([false, true])
    own.endWatch()
    expect(deadlines.isOver(1, later())).toBe(false)
    vi.advanceTimersByTime(20_000)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('are the only ones that are hurried: without a time for them nothing is', () => {
    const { deadlines, own } = made(0)
    own.watchThread()
    own.beat()
    expect([deadlines.isOver(1, later()), vi.getTimerCount()]).toEqual([false, 0])
  })

  it('leave nothing behind', () => {
    const { own } = made(10_000)
    for (let index = 0; index < 100; index += 1) {
      const request = named(String(index))
      own.requestBegins(request)
      own.requestEnded(request)
    }
    vi.advanceTimersByTime(20_000)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a thread whose event loop does not turn', () => {
  let ms = 1_000_000
  const clock = vi.spyOn(process.hrtime, 'bigint')
  beforeEach(() => void clock.mockImplementation(() => BigInt(ms) * 1_000_000n))
  afterEach(() => void clock.mockReset())
  afterAll(() => clock.mockRestore())

  it('gets on as long as it begins one thing after the other, and no longer', () => {
    const { deadlines, own } = made(10_000)
    own.watchThread()
    ms += 8000
    own.beat()
    ms += 8000
    expect(deadlines.isOver(1, sharedNow())).toBe(false)
    const request = named('next')
    own.requestBegins(request)
    own.requestEnded(request)
    ms += 10_500
    expect(deadlines.isOver(1, sharedNow())).toBe(false)
    ms += 1000
    expect(deadlines.isOver(1, sharedNow())).toBe(true)
    own.endWatch()
  })
})
