// The table of signals and what receivers mean: rows that are always whole, handlers per thread, targets as thread numbers.
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { SignalState } from '../../../host/state/signal-state.ts'
import { parseReceiver, type SignalShape, signalPools, threadName } from '../../../host/state/signal-target.ts'

const shape: SignalShape = {
  workers: 3,
  mules: 4,
  spoolers: 1,
  farms: [
    { name: 'mail', mules: [1, 3] },
    { name: '2', mules: [2] },
  ],
  bufferSize: 8,
}

describe('a receiver', () => {
  const pool = (number: number) => ({ kind: 'pool', pool: number })
  const threads = (...numbers: number[]) => ({ kind: 'threads', threads: numbers, aliveOnly: false })
  it.each([
    ['', pool(0)],
    ['worker', pool(0)],
    ['worker0', pool(0)],
    ['workers', threads(1, 2, 3)],
    ['active-workers', { kind: 'threads', threads: [1, 2, 3], aliveOnly: true }],
    ['worker2', threads(2)],
    ['mule', pool(1)],
    ['mule0', pool(1)],
    ['mules', threads(4, 5, 6, 7)],
    ['mule4', threads(7)],
    ['farm_mail', pool(3)],
    ['farm_2', pool(4)],
    ['farm2', pool(4)],
    ['farm1', pool(3)],
    ['spooler', pool(2)],
    ['subscribed', { kind: 'nobody' }],
  ])('%j is understood', (receiver, target) => {
    expect(parseReceiver(receiver, shape)).toEqual(target)
  })

  it.each([
    ['worker4', 'there is no worker 4 (of 3)'],
    ['mule9', 'there is no mule 9 (of 4)'],
    ['farm0', 'there is no farm 0 (of 2)'],
    ['farm3', 'there is no farm 3 (of 2)'],
    ['farm_zz', 'unknown farm: zz'],
  ])('%j names no thread that is there, and is told so', (receiver, reason) => {
    expect(parseReceiver(receiver, shape)).toEqual({ kind: 'absent', reason })
  })

  it.each([
    ['farm', "'farm' is no signal target"],
    ['workerx', "'workerx' is no signal target"],
    ['worker-1', "'worker-1' is no signal target"],
    ['Worker', "'Worker' is no signal target"],
    ['everybody', "'everybody' is no signal target"],
    ['worker1\n', "'worker1\n' is no signal target"],
  ])('%j is refused with its reason', (receiver, reason) => {
    expect(parseReceiver(receiver, shape)).toEqual({ kind: 'invalid', reason })
  })

  it.each(['mule', 'mules', 'spooler'])('%j names nobody where there is no such thread', (receiver) => {
    const reason = `there is no thread for '${receiver}'`
    expect(parseReceiver(receiver, { ...shape, mules: 0, spoolers: 0, farms: [] })).toEqual({ kind: 'absent', reason })
  })

  it('finds the members of pools by thread number', () => {
    expect(signalPools(shape).map(({ name, members }) => [name, members])).toEqual([
      ['workers pool', [1, 2, 3]],
      ['mules pool', [4, 5, 6, 7]],
      ['spoolers pool', [8]],
      ['farm mail', [4, 6]],
      ['farm 2', [5]],
    ])
    expect([0, 1, 3, 4, 7, 8].map((thread) => threadName(shape, thread))).toEqual([
      'the master',
      'worker 1',
      'worker 3',
      'mule 1',
      'mule 4',
      'spooler 1',
    ])
  })
})

describe('the table of signals', () => {
  it('keeps for each number what the last registration said, and tells whether that was new', () => {
    const master = SignalState.create(shape)
    const { table } = SignalState.open(master.handle)
    expect(master.table.row(17)).toBeUndefined()
    expect(table.register(1, 17, 'workers', 6)).toBe(true)
    expect(table.register(2, 17, 'workers', 6)).toBe(false)
    expect(master.table.row(17)).toEqual({ receiver: 'workers', modifier1: 6, seat: 1 })
    expect(table.register(2, 17, '', 0)).toBe(true)
    expect(master.table.row(17)).toEqual({ receiver: '', modifier1: 0, seat: 2 })
    expect(table.register(2, 17, '', undefined)).toBe(true)
    expect(master.table.row(17)?.modifier1).toBeUndefined()
    expect(master.table.row(16)).toBeUndefined()
    expect(master.table.row(18)).toBeUndefined()
  })

  it('takes a receiver of 63 bytes and refuses 64, with nothing changed', () => {
    const { table } = SignalState.create(shape)
    const longest = `farm_${'é'.repeat(29)}`
    table.register(1, 255, longest, 255)
    expect(table.row(255)).toEqual({ receiver: longest, modifier1: 255, seat: 1 })
    expect(() => table.register(2, 255, `${longest}x`, 0)).toThrow('a receiver may have 63 bytes, not 64')
    expect(table.row(255)?.seat).toBe(1)
    expect(table.hasHandler(2, 255)).toBe(false)
  })

  it('knows which thread has a handler for which number', () => {
    const { table } = SignalState.create(shape)
    const registered = [0, 31, 32, 255]
    for (const signum of registered) table.register(8, signum, '', 0)
    const found = Array.from({ length: 256 }, (_, signum) => signum).filter((signum) => table.hasHandler(8, signum))
    expect(found).toEqual(registered)
    expect(table.hasHandler(7, 31)).toBe(false)
  })

  it('forgets the handlers of a thread that ended, and nobody else’s', () => {
    const signals = SignalState.create(shape)
    signals.table.register(1, 5, 'workers', 0)
    signals.table.register(2, 5, 'workers', 0)
    signals.setHandling(1, 5)
    signals.threadEnded(1)
    expect(signals.table.hasHandler(1, 5)).toBe(false)
    expect(signals.table.hasHandler(2, 5)).toBe(true)
    expect(signals.table.row(5)?.receiver).toBe('workers')
    expect(signals.handling(1)).toBeUndefined()
  })

  it('is whole again after a thread ended while it wrote', () => {
    const signals = SignalState.create(shape)
    signals.table.register(1, 5, 'worker1', 0)
    // The thread ends as a terminated one does: at some write, with the lock in its hands.
    const written = Atomics.store
    let writes = 0
    Atomics.store = ((...args: Parameters<typeof Atomics.store>) => {
      writes += 1
      if (writes > 4) throw new Error('ended')
      return written(...args)
    }) as typeof Atomics.store
    try {
      expect(() => signals.table.register(2, 5, 'farm_mail', 6)).toThrow('ended')
    } finally {
      Atomics.store = written
    }
    expect(signals.table.row(5)).toEqual({ receiver: 'worker1', modifier1: 0, seat: 1 })
    signals.threadEnded(2)
    expect(signals.table.register(3, 5, 'farm_mail', 6)).toBe(true)
    expect(signals.table.row(5)).toEqual({ receiver: 'farm_mail', modifier1: 6, seat: 3 })
  })

  it('reads a row again that was written twice meanwhile', () => {
    const { table } = SignalState.create(shape)
    table.register(1, 5, 'worker1', 0)
    const load = Atomics.load
    let loads = 0
    Atomics.load = ((...args: Parameters<typeof Atomics.load>) => {
      loads += 1
      if (loads === 3) {
        // Half-way through the first version's words; the second registration writes over them.
        table.register(2, 5, 'worker2', 6)
        table.register(3, 5, 'worker3', 24)
      }
      return load(...args)
    }) as typeof Atomics.load
    try {
      expect(table.row(5)).toEqual({ receiver: 'worker3', modifier1: 24, seat: 3 })
    } finally {
      Atomics.load = load
    }
  })

  it('never shows half a row while another thread writes', async () => {
    const signals = SignalState.create(shape)
    const url = new URL('../../../host/state/signal-state.ts', import.meta.url).href
    const done = new Int32Array(new SharedArrayBuffer(4))
    const writer = new Worker(
      `const { workerData } = require('node:worker_threads')
       import(workerData.url).then(({ SignalState }) => {
         const { table } = SignalState.open(workerData.handle)
         for (let round = 0; round < 20000; round += 1) {
           const even = round % 2 === 0
           table.register(even ? 1 : 2, 9, even ? 'a'.repeat(63) : 'b'.repeat(20), even ? 6 : 24)
         }
         Atomics.store(workerData.done, 0, 1)
       })`,
      { eval: true, workerData: { url, handle: signals.handle, done } },
    )
    const ended = new Promise((resolve, reject) => writer.on('exit', resolve).on('error', reject))
    const seen = new Set<string>()
    while (Atomics.load(done, 0) === 0) {
      for (let look = 0; look < 1000; look += 1) seen.add(JSON.stringify(signals.table.row(9)))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await ended
    seen.delete(undefined as never)
    seen.delete(JSON.stringify({ receiver: 'a'.repeat(63), modifier1: 6, seat: 1 }))
    seen.delete(JSON.stringify({ receiver: 'b'.repeat(20), modifier1: 24, seat: 2 }))
    expect([...seen]).toEqual([])
    expect(signals.table.row(9)?.seat).toBe(2)
  })
})

describe('the counters of signals', () => {
  it('are the same for all who open the state', () => {
    const master = SignalState.create(shape)
    const thread = SignalState.open(structuredClone(master.handle))
    master.countRouted()
    thread.countUnrouted()
    thread.countUnrouted()
    thread.countHandled(2)
    thread.setHandling(2, 0)
    expect([thread.routed, master.unrouted, master.handled(2), master.handled(1)]).toEqual([1, 2, 1, 0])
    expect([master.handling(2), master.handling(1)]).toEqual([0, undefined])
  })

  it('queues are each thread’s own, and those of pools are shared by their members', () => {
    const master = SignalState.create(shape)
    const one = SignalState.open(master.handle)
    one.outgoing(1).push(1)
    one.outgoing(8).push(2)
    master.incoming(1).push(3)
    master.pools[3]!.ring.push(4)
    expect([master.outgoing(1).take(), master.outgoing(8).take(), master.outgoing(2).take()]).toEqual([1, 2, -1])
    expect(one.incoming(1).take()).toBe(3)
    expect(one.poolsOf(5).map((ring) => ring.take())).toEqual([-1, -1])
    expect(one.poolsOf(6).map((ring) => ring.take())).toEqual([-1, 4])
    expect(one.poolsOf(1)).toHaveLength(1)
  })
})
