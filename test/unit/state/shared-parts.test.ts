// What all threads share, made in the master and opened in a thread; and what becomes of it when a thread ends.
import { describe, expect, it } from 'vitest'
import { settingsFrom } from '../../../host/config/index.ts'
import { planAll } from '../../../host/plans.ts'
import { SharedParts, type SharedShape } from '../../../host/state/shared-parts.ts'

const shapeOf = (options: object): SharedShape => planAll(settingsFrom({ workers: 2, ...options }).settings, '/').shared
const full = {
  cache2: ['name=one,items=10', 'name=two,items=10'],
  locks: 3,
  queue: 4,
  sharedarea: ['1'],
  metric: ['name=mine'],
  mules: 2,
  farm: ['all:1,2'],
}
const silent = (): void => {}
const bytes = (text: string): Uint8Array => Buffer.from(text)
const worker1 = 1
const mule1 = 3

describe('the shared parts', () => {
  it('are the same memory in a thread that opens them, caches by name and in their order', () => {
    const master = SharedParts.create(shapeOf(full), silent)
    const thread = SharedParts.open(structuredClone(master.handles), worker1, silent)
    expect([...thread.caches.keys()]).toEqual(['one', 'two'])
    thread.caches.get('two')?.set(bytes('key'), bytes('value'))
    expect(master.caches.get('two')?.exists(bytes('key'))).toBe(true)
    expect(master.caches.get('one')?.exists(bytes('key'))).toBe(false)
    expect(thread.locks.lock(2, worker1)).toBe('locked')
    expect(master.locks.owner(2)).toBe(worker1)
    thread.sharedareas[0]?.write(0, bytes('shared'), worker1)
    expect(Buffer.from(master.sharedareas[0]?.read(0, 6, 0) ?? []).toString()).toBe('shared')
    thread.spoolers.frequencyMs = 1234
    expect(master.spoolers.frequencyMs).toBe(1234)
    expect(thread.queue).toBeDefined()
  })

  it('have no queue and no areas unless they were asked for', () => {
    const parts = SharedParts.create(shapeOf({}), silent)
    expect([parts.queue, parts.sharedareas, [...parts.caches]]).toEqual([undefined, [], []])
    expect(SharedParts.open(parts.handles, worker1, silent).queue).toBeUndefined()
  })

  it('take back what a thread that has ended held, and tell its locks', () => {
    const parts = SharedParts.create(shapeOf(full), silent)
    expect(parts.locks.lock(0, mule1)).toBe('locked')
    expect(parts.locks.lock(3, mule1)).toBe('locked')
    expect(parts.locks.lock(1, worker1)).toBe('locked')
    const [area] = parts.sharedareas
    area?.lockToWrite(mule1)
    expect(parts.threadEnded(mule1)).toEqual([0, 3])
    expect([0, 1, 2, 3].map((num) => parts.locks.owner(num))).toEqual([undefined, worker1, undefined, undefined])
    // Would wait for ever if the area were still the mule's.
    area?.write(0, bytes('x'), worker1)
    expect(parts.threadEnded(mule1)).toEqual([])
  })

  it('forget the job that a spooler was doing when it ended, and no worker or mule is taken for one', () => {
    const shape = shapeOf(full)
    const parts = SharedParts.create({ ...shape, signals: { ...shape.signals, spoolers: 2 } }, silent)
    parts.spoolers.jobBegun(1)
    parts.spoolers.jobBegun(2)
    for (const thread of [1, 2, 3, 4]) parts.threadEnded(thread)
    expect([1, 2].map((spooler) => parts.spoolers.isRunning(spooler))).toEqual([true, true])
    parts.threadEnded(6)
    expect([1, 2].map((spooler) => parts.spoolers.isRunning(spooler))).toEqual([true, false])
  })

  it('name the part that there is no memory for', () => {
    const shape = shapeOf(full)
    const messages = { ...shape.messages, mules: 2 ** 20, capacity: 2 ** 30 }
    expect(() => SharedParts.create({ ...shape, messages }, silent)).toThrow(/^the memory for messages to mules is not to be had/)
    expect(() => SharedParts.create({ ...shape, sharedareas: [2 ** 52] }, silent)).toThrow(/^the memory for a shared area is not/)
  })
})
