// The queue from which workers take requests: order, exactly-once, and what happens when a taker dies half-way.
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BodyMode } from '../../../host/state/request-slots.ts'
import { StateMap } from '../../../host/state/state-map.ts'

const filling = { packet: new Uint8Array(4), bodyMode: BodyMode.inline, body: undefined, contentLength: 0, bodyFd: -1 }
const create = (requestSlots: number) =>
  StateMap.create({ workers: 4, requestSlots, requestAreaSize: 64, responseRingSize: 4096 })

describe('the request queue', () => {
  it('hands requests out in the order they came, each once', () => {
    const { slots, queue } = create(8)
    for (const slot of [3, 1, 7]) {
      slots.fill(slot, filling)
      expect(queue.append(slot)).toBe(true)
    }
    expect([queue.take(1), queue.take(2), queue.take(1), queue.take(1)]).toEqual([3, 1, 7, -1])
    expect([3, 1, 7].map((slot) => slots.runningSeat(slot))).toEqual([1, 2, 1])
  })

  it('passes over requests that were withdrawn', () => {
    const { slots, queue } = create(8)
    for (const slot of [0, 1, 2]) {
      slots.fill(slot, filling)
      queue.append(slot)
    }
    slots.withdraw(0)
    slots.withdraw(1)
    expect(queue.take(1)).toBe(2)
  })

  it('loses nothing when a worker dies between claiming a request and moving the head', () => {
    const { slots, queue } = create(8)
    for (const slot of [4, 5]) {
      slots.fill(slot, filling)
      queue.append(slot)
    }
    // The claim is the first of the two steps; the thread ends before the second.
    expect(slots.claim(4, 3)).toBe(true)
    expect(queue.take(1)).toBe(5)
    expect(queue.take(1)).toBe(-1)
    expect(slots.runningSeat(4)).toBe(3)
  })

  it('behaves as a list does, over any sequence of appends, takes and withdrawals', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('append', 'take', 'withdraw', 'finish'), { maxLength: 400 }), (actions) => {
        const { slots, queue } = create(6)
        const free = [0, 1, 2, 3, 4, 5]
        let waiting: number[] = []
        const running: number[] = []
        for (const action of actions) {
          if (action === 'append' && free.length > 0) {
            const slot = free.shift()!
            slots.fill(slot, filling)
            expect(queue.append(slot)).toBe(true)
            waiting.push(slot)
          } else if (action === 'take') {
            const slot = queue.take(1)
            if (waiting.length === 0) expect(slot).toBe(-1)
            else {
              // A slot that was withdrawn and filled again may be met at its older place: early, never lost, never twice.
              expect(waiting).toContain(slot)
              waiting = waiting.filter((other) => other !== slot)
              running.push(slot)
            }
          } else if (action === 'withdraw' && waiting.length > 0) {
            const slot = waiting.pop()!
            expect(slots.withdraw(slot)).toBe(true)
            free.push(slot)
          } else if (action === 'finish' && running.length > 0) {
            const slot = running.shift()!
            slots.free(slot)
            free.push(slot)
          }
        }
        const rest: number[] = []
        for (let slot = queue.take(2); slot >= 0; slot = queue.take(2)) rest.push(slot)
        expect(rest.sort()).toEqual(waiting.sort())
      }),
      { numRuns: 300 },
    )
  })

  it('gives each of many requests to exactly one of four threads that take at once', async () => {
    const state = create(64)
    const total = 20_000
    const url = new URL('../../../host/state/state-map.ts', import.meta.url).href
    // Each thread counts what it took in a word of its own, and frees the slot, as the master would.
    const counts = new Int32Array(new SharedArrayBuffer(4 * (total + 1)))
    const threads = [1, 2, 3, 4].map(
      (id) =>
        new Worker(
          `const { workerData } = require('node:worker_threads')
           import(workerData.url).then(({ StateMap }) => {
             const { slots, queue } = StateMap.open(workerData.handle)
             const { counts, id, total } = workerData
             while (Atomics.load(counts, total) < total) {
               const slot = queue.take(id)
               if (slot < 0) continue
               const number = slots.packet(slot).readInt32LE(0)
               Atomics.add(counts, number, 1)
               slots.free(slot)
               Atomics.add(counts, total, 1)
             }
           })`,
          { eval: true, workerData: { url, handle: state.handle, counts, id, total } },
        ),
    )
    const ends = threads.map((thread) => new Promise((resolve, reject) => thread.on('exit', resolve).on('error', reject)))
    let next = 0
    while (next < total) {
      for (let slot = 0; slot < 64 && next < total; slot += 1) {
        if (state.slots.isQueued(slot) || state.slots.runningSeat(slot) !== 0) continue
        const packet = Buffer.alloc(4)
        packet.writeInt32LE(next)
        state.slots.fill(slot, { ...filling, packet })
        if (state.queue.append(slot)) next += 1
        else state.slots.withdraw(slot)
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
    await Promise.all(ends)
    expect(counts[total]).toBe(total)
    expect(counts.subarray(0, total).every((count) => count === 1)).toBe(true)
  })
})
