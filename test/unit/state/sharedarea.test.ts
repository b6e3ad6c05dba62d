// Shared areas: bytes and numbers, steps that add up, and locks that hold for every access of other threads.
import { afterEach, describe, expect, it } from 'vitest'
import { Mutex } from '../../../host/state/mutex.ts'
import { SharedArea } from '../../../host/state/sharedarea.ts'
import { StructureThread, until } from './structure-thread.ts'

const me = 1
const create = (size = 64): SharedArea => SharedArea.create({ size, threads: 8 })

const threads: StructureThread[] = []
const thread = (area: SharedArea): StructureThread => {
  const started = new StructureThread('SharedArea', area)
  threads.push(started)
  return started
}
afterEach(async () => {
  await Promise.all(threads.splice(0).map((started) => started.end()))
})

describe('a shared area', () => {
  it('begins with zeros and keeps any bytes', () => {
    const area = create(300)
    expect(area.read(0, 300, me)).toEqual(new Uint8Array(300))
    const all = new Uint8Array(256).map((_, at) => at)
    area.write(40, all, me)
    expect(SharedArea.open(area.handle).read(40, 256, me)).toEqual(all)
    expect(area.read(39, 1, me)).toEqual(new Uint8Array(1))
    expect(area.read(40, 4, me).buffer).toBeInstanceOf(ArrayBuffer)
  })

  it.each([
    [8, 127n, -128n],
    [16, 32_767n, -32_768n],
    [32, 2_147_483_647n, -2_147_483_648n],
    [64, 9_223_372_036_854_775_807n, -9_223_372_036_854_775_808n],
  ] as const)('holds signed numbers of %s bits, which go round at their ends', (bits, most, least) => {
    const area = create()
    // Not at a multiple of their size: numbers may lie anywhere.
    const position = 3
    for (const value of [most, least, -1n, 0n, 1n]) {
      area.writeNumber(bits, position, value, me)
      expect(area.readNumber(bits, position, me)).toBe(value)
    }
    area.writeNumber(bits, position, most, me)
    area.addNumber(bits, position, 1n, me)
    expect(area.readNumber(bits, position, me)).toBe(least)
    area.addNumber(bits, position, -1n, me)
    expect(area.readNumber(bits, position, me)).toBe(most)
    area.writeNumber(bits, position, most + 1n, me)
    expect(area.readNumber(bits, position, me)).toBe(least)
  })

  it("has numbers in the machine's byte order", () => {
    const area = create()
    area.write(4, new Uint8Array(new Int32Array([-123_456_789]).buffer), me)
    expect(area.readNumber(32, 4, me)).toBe(-123_456_789n)
  })

  it('knows what lies in it, and refuses the rest unchanged', () => {
    const area = create(16)
    expect([area.holds(0, 16), area.holds(16, 0), area.holds(15, 2), area.holds(-1, 1), area.holds(2 ** 53 - 1, 1)]).toEqual([
      true,
      true,
      false,
      false,
      false,
    ])
    expect(() => area.write(10, new Uint8Array(7).fill(1), me)).toThrow(RangeError)
    expect(() => area.writeNumber(64, 9, -1n, me)).toThrow(RangeError)
    expect(() => area.readNumber(32, 13, me)).toThrow(RangeError)
    expect(area.read(0, 16, me)).toEqual(new Uint8Array(16))
    // And the lock was given back.
    area.write(0, new Uint8Array([1]), 2)
  })

  it.each([
    [64, 8],
    [64, 13],
    [32, 5],
  ])('loses no step of %s bits at byte %s, however many threads step', async (bits, position) => {
    const area = create()
    const times = 4000
    await Promise.all([2, 3, 4].map((number) => thread(area).call('addNumber', [bits, position, 3n, number], times)))
    expect(area.readNumber(bits as 32 | 64, position, me)).toBe(BigInt(9 * times))
  })

  it('locked to write makes the accesses of others wait, and not those of its owner', async () => {
    const area = create()
    expect(area.lockToWrite(me)).toBe('locked')
    expect(area.lock.writer).toBe(me)
    const read = thread(area).call('readNumber', [8, 0, 2])
    const written = thread(area).call('writeNumber', [8, 1, 5n, 3])
    await until(() => area.lock.waiting === 2)
    area.writeNumber(8, 0, 77n, me)
    expect(area.readNumber(8, 1, me)).toBe(0n)
    area.unlock(me)
    expect(await read).toEqual([77n])
    await written
    expect([area.readNumber(8, 1, me), area.lock.waiting, area.lock.writer]).toEqual([5n, 0, undefined])
  })

  it('locked to read lets others read, and makes writers wait for the last unlock', async () => {
    const area = create()
    expect([area.lockToRead(me), area.lockToRead(me)]).toEqual(['locked', 'locked'])
    const other = thread(area)
    expect(await other.call('lockToRead', [2])).toEqual(['locked'])
    expect(await other.call('readNumber', [8, 0, 2])).toEqual([0n])
    const locked = thread(area).call('lockToWrite', [3])
    await until(() => area.lock.waiting === 1)
    area.unlock(me)
    await other.call('unlock', [2])
    expect(area.lock.writer).toBeUndefined()
    area.unlock(me)
    expect(await locked).toEqual(['locked'])
    expect(area.lock.writer).toBe(3)
  })

  it('tells who would wait for itself', () => {
    const area = create()
    area.lockToWrite(me)
    expect([area.lockToWrite(me), area.lockToRead(me)]).toEqual(['held already', 'held already'])
    area.unlock(me)
    area.lockToRead(me)
    expect(area.lockToWrite(me)).toBe('held already')
    // The only reader may write meanwhile.
    area.writeNumber(8, 0, 1n, me)
    area.unlock(me)
    area.unlock(me)
    expect(area.lockToWrite(2)).toBe('locked')
  })

  it('is locked without parking the thread: at once when it is free, later when another has let go', async () => {
    const area = create()
    expect(area.lockAsync(1, 'write')).toBe('locked')
    expect(area.lockAsync(1, 'read')).toBe('held already')
    const [reading, writing] = [area.lockAsync(2, 'read'), area.lockAsync(3, 'write')]
    expect(reading).toBeInstanceOf(Promise)
    area.unlock(1)
    expect(await reading).toBe('locked')
    area.unlock(2)
    expect(await writing).toBe('locked')
    area.unlock(3)
    expect(area.lock.waiting).toBe(0)
  })

  it('of a writer that has ended is free again', async () => {
    const area = create()
    const owner = thread(area)
    await owner.call('lockToWrite', [4])
    const read = thread(area).call('readNumber', [8, 0, 2])
    await until(() => area.lock.waiting === 1)
    await owner.end()
    expect(area.threadEnded(4)).toBe(true)
    expect(await read).toEqual([0n])
    expect(area.threadEnded(4)).toBe(false)
  })

  it('of a reader that has ended is free again', async () => {
    const area = create()
    const reader = thread(area)
    await reader.call('lockToRead', [4], 3)
    const locked = thread(area).call('lockToWrite', [2])
    await until(() => area.lock.waiting === 1)
    await reader.end()
    expect(area.threadEnded(4)).toBe(true)
    expect(await locked).toEqual(['locked'])
  })

  it('is unlocked for a holder that was given up, as often as it had locked, and stays with the others', async () => {
    const area = create()
    const [one, other] = [{}, {}]
    for (const holder of [one, other, one]) {
      area.lockToRead(1)
      area.noteLocked(holder)
    }
    area.holderEnded(1, one, true)
    expect(area.lock.lockAsync(2, 'write')).toBeInstanceOf(Promise)
    area.unlock(1, other)
    await until(() => area.lock.writer === 2)
    area.unlock(2)
    // What somebody else has unlocked is not unlocked again.
    area.lockToRead(1)
    area.noteLocked(one)
    area.unlock(1, other)
    area.lockToRead(1)
    area.noteLocked(other)
    area.holderEnded(1, one, true)
    expect(area.lock.lockAsync(2, 'write')).toBeInstanceOf(Promise)
    // One that has ended by itself leaves it locked, for whoever unlocks it.
    area.holderEnded(1, other, false)
    expect(area.lock.writer).toBeUndefined()
    area.unlock(1)
    await until(() => area.lock.writer === 2)
  })

  it('goes on when a thread ended in the middle of an access', async () => {
    const area = create()
    // Thread 7 has taken the mutex of the lock, which stands first, and ends.
    new Mutex(new Int32Array(area.handle.buffer, 0, 2)).lock(7)
    const read = thread(area).call('readNumber', [8, 0, 2])
    area.threadEnded(7)
    expect(await read).toEqual([0n])
  })

  it('has at least one byte', () => {
    expect(() => create(0)).toThrow('a shared area has at least one byte, not 0')
  })
})
