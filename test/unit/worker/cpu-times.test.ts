// Whose the CPU time of a thread is, and what the master is told of it, on a clock that only tests move.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { WsgiRequest } from '../../../host/request/wsgi-request.ts'
import { CpuShares } from '../../../host/state/cpu-shares.ts'
import { Deadlines } from '../../../host/state/deadlines.ts'
import { StopWords } from '../../../host/state/stop-words.ts'
import { CpuRun, CpuTimes, threadCpuUs } from '../../../host/worker/cpu-times.ts'
import { ThreadStops } from '../../../host/worker/guest-stops.ts'
import { RequestDeadlines } from '../../../host/worker/request-deadlines.ts'

const seat = 1
const limitUs = 500_000
const start = 7_000_000

const requestOf = (connectionFd: number) => {
  const noted: number[] = []
  const fake = { isOver: false, connectionFd, noteDeadline: (end: number) => void noted.push(end) }
  return { request: fake as unknown as WsgiRequest & { isOver: boolean }, noted }
}

const made = () => {
  let us = start
  let reads = 0
  const shares = CpuShares.create(2)
  const read = (): number => {
    reads += 1
    return us
  }
  const cpu = new CpuTimes({ shares, seat, limitMs: limitUs / 1000, read })
  return {
    cpu,
    shares,
    reads: () => reads,
    /** Of CPU time. */
    pass: (milliseconds: number) => {
      us += milliseconds * 1000
    },
    /** What the master sees: microseconds left, and of whom. */
    told: () => [shares.endOf(seat) === 0 ? 0 : shares.endOf(seat) - us, shares.connectionOf(seat)],
  }
}

describe('the CPU time of a thread', () => {
  it('is its request’s while code of it runs, stretch by stretch, and nobody’s else', () => {
    const { cpu, pass, told } = made()
    const [a, b] = [requestOf(3).request, requestOf(4).request]
    cpu.switchTo(a)
    expect(told()).toEqual([limitUs, 3])
    pass(100)
    cpu.switchTo(undefined)
    expect(told()).toEqual([0, 0])
    pass(10_000)
    cpu.switchTo(b)
    expect(told()).toEqual([limitUs, 4])
    pass(50)
    cpu.switchTo(a)
    expect(told()).toEqual([limitUs - 100_000, 3])
    pass(399)
    expect(cpu.isUsedUp(a)).toBe(false)
    pass(1)
    expect([cpu.isUsedUp(a), cpu.isUsedUp(b), cpu.isUsedUp(undefined)]).toEqual([true, false, false])
    cpu.switchTo(b)
    expect([cpu.isUsedUp(b), ...told()]).toEqual([false, limitUs - 50_000, 4])
  })

  it('is not looked at where nobody else’s code begins to run', () => {
    const { cpu, reads } = made()
    const { request } = requestOf(3)
    expect(cpu.switchTo(request)).toBeUndefined()
    expect(cpu.switchTo(request)).toBe(request)
    expect(reads()).toBe(1)
    cpu.switchTo(undefined)
    expect(cpu.switchTo(undefined)).toBeUndefined()
    expect(reads()).toBe(2)
  })

  it('is a handler’s while that runs, which has a share of its own, and the request’s below it after that', () => {
    const { cpu, pass, told } = made()
    const deadlines = new RequestDeadlines({ deadlines: Deadlines.create(2), seat, harakiriMs: 0, graceMs: 1000, cpu })
    const { request } = requestOf(3)
    cpu.switchTo(request)
    pass(400)
    deadlines.handlerBegins()
    expect(told()).toEqual([limitUs, 0])
    pass(300)
    deadlines.handlerBegins()
    pass(499)
    expect(deadlines.condemns(request)).toBeUndefined()
    pass(1)
    expect(deadlines.condemns(request)).toBe('CPU-LIMIT')
    deadlines.handlerEnds()
    expect(told()).toEqual([limitUs - 300_000, 0])
    deadlines.handlerEnds()
    expect([deadlines.isGivenUp(request), ...told()]).toEqual([false, limitUs - 400_000, 3])
  })

  it('is a message’s or a job’s from its begin to its end, whatever else runs for nobody', () => {
    const { cpu, pass, told } = made()
    const deadlines = new RequestDeadlines({ deadlines: Deadlines.create(2), seat, harakiriMs: 0, graceMs: 1000, cpu })
    deadlines.workBegins()
    pass(100)
    cpu.switchTo(undefined)
    cpu.switchTo(cpu.run())
    expect(told()).toEqual([limitUs - 100_000, 0])
    pass(400)
    expect(deadlines.condemns(undefined)).toBe('CPU-LIMIT')
    deadlines.workEnds()
    expect([cpu.current, ...told()]).toEqual([undefined, 0, 0])
  })

  it('is not limited while apps are loaded, and each turn of nobody’s by itself afterwards', () => {
    const { cpu } = made()
    expect(cpu.run()).toBeUndefined()
    cpu.loaded()
    expect(cpu.run()).toBeInstanceOf(CpuRun)
    expect(cpu.run()).not.toBe(cpu.run())
  })

  it('is, as it is read, that which the thread takes, to less than a tick of the clock', () => {
    // Linux alone has a clock that goes in ticks otherwise: of 4 ms, where all of these stretches would be 0 or 4000 us.
    const stretches = Array.from({ length: 50 }, () => {
      const begin = threadCpuUs()
      while (threadCpuUs() === begin);
      return threadCpuUs() - begin
    })
    expect(Math.min(...stretches)).toBeGreaterThan(0)
    expect(stretches.filter((us) => us < 3000).length).toBeGreaterThan(25)
  })
})

describe('a request that has had its share', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setImmediate', 'clearImmediate', 'hrtime'] }))
  afterEach(() => void vi.useRealTimers())

  const served = () => {
    const parts = made()
    const { cpu } = parts
    const given: WsgiRequest[] = []
    const deadlines = new RequestDeadlines({ deadlines: Deadlines.create(2), seat, harakiriMs: 0, graceMs: 1000, cpu })
    deadlines.giveUp = (request) => void given.push(request)
    return { ...parts, deadlines, given }
  }

  it('is given up when it waits, though nobody has asked its code', () => {
    const { cpu, deadlines, given, pass, told } = served()
    const { request, noted } = requestOf(3)
    for (const ms of [200, 200, 99]) {
      cpu.switchTo(request)
      pass(ms)
      cpu.switchTo(undefined)
    }
    vi.runAllTimers()
    expect(given).toEqual([])
    cpu.switchTo(request)
    pass(1)
    cpu.switchTo(undefined)
    // Not where it stands: whoever has let it wait is still at it.
    expect(given).toEqual([])
    vi.runAllTimers()
    expect([given, deadlines.causeOf(request), noted.length]).toEqual([[request], 'CPU-LIMIT', 1])
    // The master sees it until it has ended, though it waits.
    expect(told()).toEqual([0, 0])
    pass(10)
    expect(told()).toEqual([-10_000, 0])
    deadlines.requestEnded(request)
    expect([deadlines.isGivenUp(request), ...told()]).toEqual([true, 0, 0])
  })

  it('is left alone when it is over by then', () => {
    const { cpu, deadlines, given, pass } = served()
    const { request } = requestOf(3)
    cpu.switchTo(request)
    pass(600)
    cpu.switchTo(undefined)
    request.isOver = true
    deadlines.requestEnded(request)
    vi.runAllTimers()
    expect([given, deadlines.isGivenUp(request)]).toEqual([[], false])
  })

  it('is stopped when its code is asked, told so, and may clean up for half of the grace', () => {
    const { cpu, deadlines, pass, told } = served()
    const stopped: unknown[] = []
    let current: WsgiRequest | undefined
    const stops = new ThreadStops({
      word: StopWords.create(2).of(seat),
      isWanted: false,
      deadlines,
      cpu,
      current: () => current,
      onStopped: (...args) => void stopped.push(args),
    })
    const [a, b] = [requestOf(3), requestOf(4)]
    cpu.switchTo(a.request)
    pass(600)
    // Whom its binding takes it for counts too.
    current = b.request
    expect(stops.judge()).toBeUndefined()
    current = a.request
    expect(stops.judge()).toBe('the request took more CPU time than it may: cpu-limit')
    stops.stopped('where')
    expect([stopped, a.request.isOver, a.noted.length]).toEqual([[[a.request, 'where', 'CPU-LIMIT']], true, 1])
    vi.advanceTimersByTime(499)
    expect(stops.judge()).toBeUndefined()
    vi.advanceTimersByTime(1)
    expect(stops.judge()).toBe('the request took more CPU time than it may: cpu-limit')
    cpu.switchTo(b.request)
    current = b.request
    expect([stops.judge(), b.request.isOver]).toEqual([undefined, false])
    expect(told()).toEqual([0, 0])
  })

  it('is stopped for the first of both that it overran, and that is what is said of it', () => {
    const { cpu, deadlines, pass } = served()
    const { request } = requestOf(3)
    cpu.switchTo(request)
    deadlines.set(request, 1)
    vi.advanceTimersByTime(1000)
    expect(deadlines.condemns(request)).toBe('HARAKIRI')
    pass(600)
    vi.advanceTimersByTime(1000)
    expect([deadlines.condemns(request), deadlines.causeOf(request)]).toEqual(['HARAKIRI', 'HARAKIRI'])
  })
})
