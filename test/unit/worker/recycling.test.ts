// When a worker asks to be followed by another.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Recycling, type RecyclingPlan } from '../../../host/worker/recycling.ts'

const none: RecyclingPlan = {
  maxRequests: 0,
  maxRequestsDelta: 0,
  minLifetimeMs: 0,
  maxLifetimeMs: 0,
  maxLifetimeDeltaMs: 0,
  maxMemory: 0,
  memoryIntervalMs: 1000,
}

let due: string[]
let reminders: string[]
let memory: number
beforeEach(() => {
  vi.useFakeTimers()
  due = []
  reminders = []
  memory = 0
})
afterEach(() => {
  vi.useRealTimers()
})

const recycling = (plan: Partial<RecyclingPlan>, workerId = 1): Recycling => {
  const made = new Recycling({
    plan: { ...none, ...plan },
    workerId,
    memory: () => memory,
    onDue: (reason) => due.push(reason),
    onStillDue: (reason) => reminders.push(reason),
  })
  made.start()
  return made
}

const serve = (worker: Recycling, requests: number): void => {
  for (let index = 0; index < requests; index += 1) worker.served()
}

describe('a worker with max-requests', () => {
  it('asks when it has served so many', () => {
    const worker = recycling({ maxRequests: 3 })
    serve(worker, 2)
    expect(due).toEqual([])
    serve(worker, 1)
    expect(due).toEqual(['max requests reached (3)'])
  })

  it('asks later the higher its number is, with a delta', () => {
    const worker = recycling({ maxRequests: 3, maxRequestsDelta: 2 }, 2)
    serve(worker, 6)
    expect(due).toEqual([])
    serve(worker, 1)
    expect(due).toEqual(['max requests reached (7)'])
  })

  it('asks when its least time is over, without another request', () => {
    const worker = recycling({ maxRequests: 1, minLifetimeMs: 10_000 })
    vi.advanceTimersByTime(4000)
    serve(worker, 5)
    vi.advanceTimersByTime(5999)
    expect(due).toEqual([])
    vi.advanceTimersByTime(1)
    expect(due).toEqual(['max requests reached (1)'])
  })

  it('asks once, and reminds as long as nobody follows it', () => {
    const worker = recycling({ maxRequests: 1, maxLifetimeMs: 7000 })
    serve(worker, 10)
    vi.advanceTimersByTime(10_000)
    expect(due).toEqual(['max requests reached (1)'])
    expect(reminders).toEqual([due[0], due[0]])
    worker.stop()
    vi.advanceTimersByTime(60_000)
    expect(reminders.length).toBe(2)
  })
})

it('a worker asks when its time is over, each with its delta, however long that is', () => {
  const month = 30 * 24 * 3600 * 1000
  recycling({ maxLifetimeMs: month, maxLifetimeDeltaMs: 1000 }, 3)
  vi.advanceTimersByTime(month + 2999)
  expect(due).toEqual([])
  vi.advanceTimersByTime(1)
  expect(due).toEqual([`lifetime reached (${month / 1000 + 3} s)`])
})

it('a worker asks when its memory has grown past the limit', () => {
  recycling({ maxMemory: 10 * 2 ** 20, memoryIntervalMs: 500 })
  memory = 10 * 2 ** 20
  vi.advanceTimersByTime(1000)
  expect(due).toEqual([])
  memory += 1
  vi.advanceTimersByTime(500)
  expect(due).toEqual(['reload-on-rss limit reached (11 > 10 MiB)'])
})

it('a worker that has no such limits never asks', () => {
  const worker = recycling({})
  memory = Number.MAX_SAFE_INTEGER
  serve(worker, 100_000)
  vi.advanceTimersByTime(10 ** 9)
  expect(due).toEqual([])
  expect(vi.getTimerCount()).toBe(0)
})

it('a worker that stops does not ask any more', () => {
  const worker = recycling({ maxLifetimeMs: 1000, maxMemory: 1 })
  worker.stop()
  memory = 2
  vi.advanceTimersByTime(10_000)
  expect(due).toEqual([])
  expect(vi.getTimerCount()).toBe(0)
})
