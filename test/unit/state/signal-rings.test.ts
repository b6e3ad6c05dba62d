// The queues of signals: order, bounds, and exactly-once between threads.
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ringCapacity, SignalRing, signalRingBytes } from '../../../host/state/signal-ring.ts'
import { SignalState } from '../../../host/state/signal-state.ts'

const newRing = (bufferSize: number): SignalRing => {
  const capacity = ringCapacity(bufferSize)
  return new SignalRing(new SharedArrayBuffer(signalRingBytes(capacity)), 0, capacity)
}

describe('a ring of signals', () => {
  it.each([
    [1, 1],
    [2, 2],
    [3, 4],
    [1000, 1024],
    [1024, 1024],
  ])('of %i signals has room for %i', (bufferSize, capacity) => {
    const ring = newRing(bufferSize)
    let pushed = 0
    while (ring.push(1)) pushed += 1
    expect(pushed).toBe(capacity)
    expect(ring.capacity).toBe(capacity)
  })

  it('hands out every number, first come first served, and says when it is empty', () => {
    const ring = newRing(256)
    for (let signum = 0; signum <= 255; signum += 1) expect(ring.push(signum)).toBe(true)
    for (let signum = 0; signum <= 255; signum += 1) expect(ring.take()).toBe(signum)
    expect(ring.take()).toBe(-1)
  })

  it('refuses what does not fit and keeps what waits', () => {
    const ring = newRing(2)
    expect([ring.push(7), ring.push(8), ring.push(9)]).toEqual([true, true, false])
    expect([ring.take(), ring.take(), ring.take()]).toEqual([7, 8, -1])
  })

  it('behaves as a bounded list does, over any sequence of pushes and takes', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.integer({ min: 0, max: 255 })), { maxLength: 300 }), (actions) => {
        const ring = newRing(8)
        const list: number[] = []
        for (const signum of actions) {
          if (signum === null) expect(ring.take()).toBe(list.shift() ?? -1)
          else {
            expect(ring.push(signum)).toBe(list.length < 8)
            if (list.length < 8) list.push(signum)
          }
          expect(ring.length).toBe(list.length)
        }
      }),
    )
  })

  it('goes on when its counters run over', () => {
    const capacity = 4
    const buffer = new SharedArrayBuffer(signalRingBytes(capacity))
    const words = new Int32Array(buffer)
    words[0] = 0x7ffffffe
    words[16] = 0x7ffffffe
    const ring = new SignalRing(buffer, 0, capacity)
    expect([1, 2, 3, 4, 5].map((signum) => ring.push(signum))).toEqual([true, true, true, true, false])
    expect(ring.length).toBe(4)
    expect([1, 2, 3, 4, 5].map(() => ring.take())).toEqual([1, 2, 3, 4, -1])
  })

  it('gives each of many signals of a pool to exactly one of three threads', async () => {
    const signals = SignalState.create({ workers: 3, mules: 0, spoolers: 0, farms: [], bufferSize: 16 })
    const total = 30_000
    const url = new URL('../../../host/state/signal-state.ts', import.meta.url).href
    /** Per number how often it was taken; the last word: all of them. */
    const counts = new Int32Array(new SharedArrayBuffer(4 * 257))
    const threads = [1, 2, 3].map(
      (id) =>
        new Worker(
          `const { workerData } = require('node:worker_threads')
           import(workerData.url).then(({ SignalState }) => {
             const { counts, id, total } = workerData
             const [pool] = SignalState.open(workerData.handle).poolsOf(id)
             while (Atomics.load(counts, 256) < total) {
               const signum = pool.take()
               if (signum < 0) continue
               Atomics.add(counts, signum, 1)
               Atomics.add(counts, 256, 1)
             }
           })`,
          { eval: true, workerData: { url, handle: signals.handle, counts, id, total } },
        ),
    )
    const ends = threads.map((thread) => new Promise((resolve, reject) => thread.on('exit', resolve).on('error', reject)))
    const pool = signals.pools[0]!.ring
    let next = 0
    while (next < total) {
      while (next < total && pool.push(next & 255)) next += 1
      await new Promise((resolve) => setImmediate(resolve))
    }
    await Promise.all(ends)
    expect(counts[256]).toBe(total)
    const wanted = Array.from({ length: 256 }, (_, signum) => Math.floor(total / 256) + (signum < total % 256 ? 1 : 0))
    expect([...counts.subarray(0, 256)]).toEqual(wanted)
  })
})
