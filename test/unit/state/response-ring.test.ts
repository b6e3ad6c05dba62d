// The ring on which a worker's answers travel: order, wrap-around, fullness, and records that were never finished.
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { computeLayout } from '../../../host/state/layout.ts'
import { RecordKind, ResponseFlag } from '../../../host/state/response-ring.ts'
import { StateMap } from '../../../host/state/state-map.ts'

const create = (responseRingSize = 4096) =>
  StateMap.create({ workers: 1, requestSlots: 4, requestAreaSize: 64, responseRingSize })

interface Seen {
  slot: number
  flags: number
  head: string
  chunk: number[]
}

const drain = (ring: ReturnType<StateMap['ring']>): Seen[] => {
  const seen: Seen[] = []
  ring.drain((record) => {
    const head = (record.flags & ResponseFlag.head) !== 0 ? `${record.status}|${record.headers}` : ''
    seen.push({ slot: record.slot, flags: record.flags, head, chunk: [...record.chunk] })
  })
  return seen
}

describe('a response ring', () => {
  it('delivers head, chunk and flags as they were given, bytes above 0x7f and NUL included', () => {
    const ring = create().ring(1)
    const chunk = Uint8Array.of(0, 255, 128, 10)
    expect(ring.tryRespond(2, 9, ResponseFlag.head | ResponseFlag.last, '200 OK', 'X-A\0\xe9\xff', chunk, 0, 4)).toBe(true)
    expect(drain(ring)).toEqual([{ slot: 2, flags: 3, head: '200 OK|X-A\0\xe9\xff', chunk: [0, 255, 128, 10] }])
  })

  it('cuts a piece out of a larger chunk', () => {
    const ring = create().ring(1)
    ring.tryRespond(0, 0, 0, '', '', Uint8Array.of(1, 2, 3, 4, 5), 1, 3)
    expect(drain(ring)[0]?.chunk).toEqual([2, 3, 4])
  })

  it('carries pulls between responses, in order', () => {
    const ring = create().ring(1)
    ring.tryRespond(1, 0, 0, '', '', undefined, 0, 0)
    ring.tryPull(2, 5, 4000)
    const kinds: unknown[] = []
    ring.drain((record) =>
      kinds.push(record.kind === RecordKind.pull ? ['pull', record.slot, record.generation, record.wanted] : 'response'),
    )
    expect(kinds).toEqual(['response', ['pull', 2, 5, 4000]])
  })

  it('refuses a record when it is full, and takes it after a drain', () => {
    const ring = create().ring(1)
    const chunk = new Uint8Array(1000)
    let taken = 0
    while (ring.tryRespond(0, 0, 0, '', '', chunk, 0, 1000)) taken += 1
    expect(taken).toBeGreaterThanOrEqual(3)
    expect(drain(ring)).toHaveLength(taken)
    expect(ring.tryRespond(0, 0, 0, '', '', chunk, 0, 1000)).toBe(true)
  })

  it('refuses a record that could never fit, instead of waiting for ever', () => {
    const ring = create().ring(1)
    expect(() => ring.tryRespond(0, 0, 0, '', '', new Uint8Array(3000), 0, 3000)).toThrow(
      'a record of 3032 bytes does not fit a ring of 4096',
    )
  })

  it('keeps order and content over any mix of writes and drains', () => {
    const write = fc.record({
      head: fc.string({ maxLength: 40, unit: 'binary-ascii' }),
      chunk: fc.uint8Array({ maxLength: 900 }),
    })
    fc.assert(
      fc.property(fc.array(fc.oneof(write, fc.constant('drain' as const)), { maxLength: 200 }), (steps) => {
        const ring = create().ring(1)
        const written: Seen[] = []
        const seen: Seen[] = []
        for (const step of steps) {
          if (step === 'drain') seen.push(...drain(ring))
          else {
            const { head, chunk } = step
            if (!ring.tryRespond(1, 0, ResponseFlag.head, head, 'H\0v', chunk, 0, chunk.length)) {
              seen.push(...drain(ring))
              expect(ring.tryRespond(1, 0, ResponseFlag.head, head, 'H\0v', chunk, 0, chunk.length)).toBe(true)
            }
            written.push({ slot: 1, flags: ResponseFlag.head, head: `${head}|H\0v`, chunk: [...chunk] })
          }
        }
        seen.push(...drain(ring))
        expect(seen).toEqual(written)
      }),
      { numRuns: 200 },
    )
  })

  it('loses nothing between two threads that run at once, the writer parked when it is full', async () => {
    const state = create(8192)
    const records = 20_000
    const url = new URL('../../../host/state/state-map.ts', import.meta.url).href
    const thread = new Worker(
      `const { workerData } = require('node:worker_threads')
       import(workerData.url).then(({ StateMap }) => {
         const state = StateMap.open(workerData.handle)
         const ring = state.ring(1)
         const bell = state.doorbell(0)
         for (let n = 0; n < workerData.records; n += 1) {
           const chunk = new Uint8Array(n % 700).fill(n & 255)
           while (!ring.tryRespond(n, n & 0xffff, 0, '', '', chunk, 0, chunk.length)) ring.awaitRoom()
           bell.ring()
         }
       })`,
      { eval: true, workerData: { url, handle: state.handle, records } },
    )
    const ring = state.ring(1)
    let next = 0
    let wrong = 0
    await new Promise<void>((resolve, reject) => {
      thread.on('error', reject)
      const attention = state.doorbell(0).attend(() => {
        ring.drain((record) => {
          const expected = next % 700
          const isRight =
            record.slot === next && record.chunk.length === expected && record.chunk.every((byte) => byte === (next & 255))
          if (!isRight) wrong += 1
          next += 1
        })
        if (next === records) {
          attention?.close()
          resolve()
        }
        return false
      })
    })
    expect(wrong).toBe(0)
    await thread.terminate()
  })

  it('is refused with a size that is no power of two', () => {
    expect(() => computeLayout({ workers: 1, requestSlots: 1, requestAreaSize: 1, responseRingSize: 5000 })).toThrow(
      'must be a power of two from 4096 on, not 5000',
    )
  })
})
