// The locks of guests: exclusion between real threads, who may do what, and what becomes of a lock whose owner has ended.
import { afterEach, describe, expect, it } from 'vitest'
import { Locks } from '../../../host/state/locks.ts'
import { StructureThread, until } from './structure-thread.ts'

const threads: StructureThread[] = []
const thread = (locks: Locks): StructureThread => {
  const started = new StructureThread('Locks', locks)
  threads.push(started)
  return started
}
afterEach(async () => {
  await Promise.all(threads.splice(0).map((started) => started.end()))
})

describe('locks', () => {
  it('are one more than asked for, numbered from 0', () => {
    const locks = Locks.create({ locks: 2 })
    expect(locks.count).toBe(3)
    expect([0, 1, 2].map((num) => locks.lock(num, 1))).toEqual(['locked', 'locked', 'locked'])
    for (const num of [-1, 3, 0.5, Number.NaN]) {
      expect(() => locks.lock(num, 1)).toThrow(new RangeError(`there is no lock ${num}: they are numbered 0 to 2`))
      expect(() => locks.unlock(num, 1)).toThrow(RangeError)
      expect(() => locks.isLocked(num)).toThrow(RangeError)
    }
  })

  it('name their owner and are free after the unlock', () => {
    const locks = Locks.create({ locks: 1 })
    expect([locks.isLocked(1), locks.owner(1)]).toEqual([false, undefined])
    locks.lock(1, 7)
    expect([locks.isLocked(1), locks.owner(1), locks.isLocked(0)]).toEqual([true, 7, false])
    expect(Locks.open(locks.handle).owner(1)).toBe(7)
    expect(locks.unlock(1, 7)).toBe(true)
    expect([locks.isLocked(1), locks.owner(1)]).toEqual([false, undefined])
  })

  it('tell the owner who locks again, and keep the lock', () => {
    const locks = Locks.create({ locks: 0 })
    locks.lock(0, 1)
    expect(locks.lock(0, 1)).toBe('held already')
    expect(locks.owner(0)).toBe(1)
  })

  it('are not unlocked by another, and an unlock of a free one does nothing', () => {
    const locks = Locks.create({ locks: 0 })
    expect(locks.unlock(0, 1)).toBe(true)
    locks.lock(0, 1)
    expect(locks.unlock(0, 2)).toBe(false)
    expect(locks.owner(0)).toBe(1)
  })

  it('give up at the end of the time, having changed nothing', () => {
    const locks = Locks.create({ locks: 0 })
    locks.lock(0, 1)
    expect(locks.tryLock(0, 2)).toBe(false)
    expect(locks.lock(0, 2, 1)).toBe('timed out')
    expect([locks.owner(0), locks.waiting(0)]).toEqual([1, 0])
    locks.unlock(0, 1)
    expect(locks.tryLock(0, 2)).toBe(true)
  })

  it('let one thread in at a time', async () => {
    const locks = Locks.create({ locks: 0 })
    const counter = new Int32Array(new SharedArrayBuffer(4))
    const times = 3000
    await Promise.all([1, 2, 3].map((number) => thread(locks).call('countUnderLock', [counter, number, times])))
    expect(counter[0]).toBe(3 * times)
    expect(locks.isLocked(0)).toBe(false)
  })

  it('wake a parked thread when they come free', async () => {
    const locks = Locks.create({ locks: 1 })
    locks.lock(1, 1)
    const outcome = thread(locks).call('lock', [1, 2])
    await until(() => locks.waiting(1) === 1)
    locks.unlock(1, 1)
    expect(await outcome).toEqual(['locked'])
    expect([locks.owner(1), locks.waiting(1)]).toEqual([2, 0])
  })

  it('of a thread that has ended are free, and whoever waited gets them', async () => {
    const locks = Locks.create({ locks: 4 })
    const owner = thread(locks)
    await owner.call('lock', [1, 5])
    await owner.call('lock', [4, 5])
    locks.lock(2, 1)
    const outcome = thread(locks).call('lock', [4, 6])
    await until(() => locks.waiting(4) === 1)
    await owner.end()
    expect(locks.owner(4)).toBe(5)
    expect(locks.threadEnded(5)).toEqual([1, 4])
    expect(await outcome).toEqual(['locked'])
    expect([0, 1, 2, 3, 4].map((num) => locks.owner(num))).toEqual([undefined, undefined, 1, undefined, 6])
    expect(locks.threadEnded(5)).toEqual([])
  })

  it('are not lost with a thread that was ended after it was woken', async () => {
    const locks = Locks.create({ locks: 0 })
    locks.lock(0, 1)
    const outcome = thread(locks).call('lock', [0, 3])
    await until(() => locks.waiting(0) === 1)
    // What is left when the wake-up went to thread 2, which ended before it took the lock: a free lock, and a sleeper.
    Atomics.store(new Int32Array(locks.handle.buffer), 0, 0)
    expect(locks.threadEnded(2)).toEqual([])
    expect(await outcome).toEqual(['locked'])
  })

  it('of a thread that ended while it waited are as they were', async () => {
    const locks = Locks.create({ locks: 0 })
    locks.lock(0, 1)
    const waiter = thread(locks)
    void waiter.call('lock', [0, 2])
    await until(() => locks.waiting(0) === 1)
    await waiter.end()
    expect(locks.threadEnded(2)).toEqual([])
    expect(locks.owner(0)).toBe(1)
    locks.unlock(0, 1)
    expect(locks.tryLock(0, 3)).toBe(true)
  })
})

describe('locks between the cores of one thread', () => {
  const [first, second] = [0, 1]

  it('are held by a core: another one waits without parking the thread, in order', async () => {
    const locks = Locks.create({ locks: 0 })
    const order: string[] = []
    expect(await locks.lockAsync(0, 1, undefined, first)).toBe('locked')
    const waiting = [2, 3].map(async (core) => {
      expect(await locks.lockAsync(0, 1, undefined, core)).toBe('locked')
      order.push(`core ${core}`)
      locks.unlock(0, 1)
    })
    await until(() => locks.waiting(0) === 2)
    order.push('unlock')
    locks.unlock(0, 1)
    await Promise.all(waiting)
    expect(order).toEqual(['unlock', 'core 2', 'core 3'])
    expect([locks.isLocked(0), locks.waiting(0)]).toEqual([false, 0])
  })

  it('tell a core that it holds the lock already, and one that would park its thread for another of it', async () => {
    const locks = Locks.create({ locks: 0 })
    locks.lock(0, 1, undefined, first)
    expect([locks.lock(0, 1, undefined, first), await locks.lockAsync(0, 1, undefined, first)]).toEqual([
      'held already',
      'held already',
    ])
    expect(locks.lock(0, 1, undefined, second)).toBe('held here')
    expect(locks.owner(0)).toBe(1)
  })

  it('are given up waiting for after a time', async () => {
    const locks = Locks.create({ locks: 0 })
    locks.lock(0, 2)
    expect(await locks.lockAsync(0, 1, 5, first)).toBe('timed out')
    expect(locks.waiting(0)).toBe(0)
  })

  it('are taken from another thread without parking this one', async () => {
    const locks = Locks.create({ locks: 0 })
    const other = thread(locks)
    expect(await other.call('lock', [0, 2])).toEqual(['locked'])
    const waiting = locks.lockAsync(0, 1, undefined, first)
    await until(() => locks.waiting(0) === 1)
    await other.call('unlock', [0, 2])
    expect(await waiting).toBe('locked')
  })

  it('are unlocked by any core of the thread, and given back when it ends', () => {
    const locks = Locks.create({ locks: 1 })
    locks.lock(0, 1, undefined, first)
    expect([locks.unlock(0, 1), locks.isLocked(0)]).toEqual([true, false])
    locks.lock(0, 1, undefined, 65_533)
    locks.lock(1, 32_000, undefined, second)
    expect([locks.owner(0), locks.owner(1)]).toEqual([1, 32_000])
    expect([locks.threadEnded(1), locks.threadEnded(32_000)]).toEqual([[0], [1]])
  })

  it('let go of all that one core holds, and of nothing else', () => {
    const locks = Locks.create({ locks: 4 })
    locks.lock(0, 1, 0, 3)
    locks.lock(1, 1, 0, 4)
    locks.lock(2, 2, 0, 3)
    locks.lock(3, 1)
    locks.lock(4, 1, 0, 3)
    expect(locks.coreEnded(1, 3)).toEqual([0, 4])
    expect([0, 1, 2, 3, 4].map((num) => locks.owner(num))).toEqual([undefined, 1, 2, 1, undefined])
  })

  it('are found free by a parked thread whose wake-up went to a core of its own that cannot run meanwhile', async () => {
    const locks = Locks.create({ locks: 0 })
    const other = thread(locks)
    await other.call('lock', [0, 2])
    const waiting = locks.lockAsync(0, 1, undefined, 0)
    await until(() => locks.waiting(0) === 1)
    // It comes while this thread is parked, or just before.
    const unlocking = other.call('unlock', [0, 2])
    const began = performance.now()
    const longMs = 20_000
    expect(locks.lock(0, 1, longMs, 1)).toBe('locked')
    expect(performance.now() - began).toBeLessThan(longMs)
    await unlocking
    locks.unlock(0, 1)
    expect(await waiting).toBe('locked')
  })
})
