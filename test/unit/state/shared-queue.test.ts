// The shared queue against a model, its limits, and what threads that end leave of it.
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { Mutex } from '../../../host/state/mutex.ts'
import { SharedQueue } from '../../../host/state/shared-queue.ts'
import { StructureThread } from './structure-thread.ts'

const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString()
const bytes = (value: string): Uint8Array => Buffer.from(value)
const me = 1

const threads: StructureThread[] = []
const thread = (queue: SharedQueue): StructureThread => {
  const started = new StructureThread('SharedQueue', queue)
  threads.push(started)
  return started
}
afterEach(async () => {
  await Promise.all(threads.splice(0).map((started) => started.end()))
})

/** What a queue is: slots, and two places that go round. */
class Model {
  readonly slots: (string | undefined)[]
  push = 0
  pull = 0

  constructor(size: number) {
    this.slots = new Array<string | undefined>(size).fill(undefined)
  }

  before(slot: number): number {
    return (slot + this.slots.length - 1) % this.slots.length
  }
}

type Action = readonly ['push' | 'set', string, number] | readonly ['pop' | 'pull' | 'last' | 'get', number]

const messages = fc.stringMatching(/^[a-z]{0,9}$/)
const actions = fc.array(
  fc.oneof(
    fc.tuple(fc.constantFrom('push' as const, 'set' as const), messages, fc.integer({ min: -1, max: 5 })),
    fc.tuple(fc.constantFrom('pop' as const, 'pull' as const, 'last' as const, 'get' as const), fc.integer({ min: -1, max: 5 })),
  ),
  { maxLength: 60 },
)

const fits = (message: string): boolean => message.length > 0 && message.length <= 8

const check = (queue: SharedQueue, model: Model, action: Action): void => {
  const { slots } = model
  const [name] = action
  if (name === 'push') {
    expect(queue.push(bytes(action[1]), me)).toBe(fits(action[1]))
    if (!fits(action[1])) return
    slots[model.push] = action[1]
    model.push = (model.push + 1) % slots.length
  } else if (name === 'set') {
    const [, message, index] = action
    const isDone = fits(message) && index >= 0 && index < slots.length
    expect(queue.set(index, bytes(message), me)).toBe(isDone)
    if (isDone) slots[index] = message
  } else if (name === 'pop') {
    const slot = model.before(model.push)
    expect(text(queue.pop(me))).toBe(slots[slot])
    if (slots[slot] !== undefined) model.push = slot
    slots[slot] = undefined
  } else if (name === 'pull') {
    const slot = model.pull
    expect(text(queue.pull(me))).toBe(slots[slot])
    if (slots[slot] !== undefined) model.pull = (slot + 1) % slots.length
    slots[slot] = undefined
  } else if (name === 'get') expect(text(queue.get(action[1] as number, me))).toBe(slots[action[1] as number])
  else {
    const count = action[1] as number
    const newest: string[] = []
    let slot = model.push
    for (let seen = 0; seen < Math.min(count, slots.length); seen += 1) {
      slot = model.before(slot)
      const message = slots[slot]
      if (message !== undefined) newest.push(message)
    }
    expect(queue.last(count, me).map(text)).toEqual(newest)
  }
  expect([queue.pushSlot, queue.pullSlot]).toEqual([model.push, model.pull])
}

describe('the shared queue', () => {
  it('does what a ring of slots does, over any sequence of calls', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), actions, (size, steps) => {
        const queue = SharedQueue.create({ slots: size, blockSize: 24 })
        const model = new Model(size)
        for (const step of steps) check(queue, model, step)
      }),
    )
  })

  it('overwrites what nobody has taken, as real uWSGI does', () => {
    const queue = SharedQueue.create({ slots: 4, blockSize: 8192 })
    for (const message of ['1', '2', '3', '4', '5', '6']) expect(queue.push(bytes(message), me)).toBe(true)
    expect([0, 1, 2, 3].map((slot) => text(queue.get(slot, me)))).toEqual(['5', '6', '3', '4'])
    expect(queue.last(9, me).map(text)).toEqual(['6', '5', '4', '3'])
    expect([1, 2, 3, 4, 5].map(() => text(queue.pull(me)))).toEqual(['5', '6', '3', '4', undefined])
    expect([queue.pushSlot, queue.pullSlot]).toEqual([2, 0])
  })

  it.each([8192, 33, 17])('takes messages of up to a block of %s bytes less 16', (blockSize) => {
    const queue = SharedQueue.create({ slots: 2, blockSize })
    expect(queue.maxMessage).toBe(blockSize - 16)
    const longest = new Uint8Array(blockSize - 16).map((_, at) => at * 7)
    expect(queue.push(longest, me)).toBe(true)
    expect(queue.push(longest, me)).toBe(true)
    expect(queue.push(new Uint8Array(blockSize - 15), me)).toBe(false)
    expect(queue.set(0, new Uint8Array(blockSize - 15), me)).toBe(false)
    expect(queue.push(new Uint8Array(0), me)).toBe(false)
    expect(queue.pull(me)).toEqual(longest)
    expect(queue.pull(me)).toEqual(longest)
  })

  it('hands out copies', () => {
    const queue = SharedQueue.create({ slots: 1, blockSize: 64 })
    const message = bytes('first')
    queue.push(message, me)
    message[0] = 0
    const got = queue.get(0, me)!
    expect(got.buffer).toBeInstanceOf(ArrayBuffer)
    got[0] = 0
    expect(text(queue.get(0, me))).toBe('first')
  })

  it('refuses to be made of nothing', () => {
    expect(() => SharedQueue.create({ slots: 0, blockSize: 64 })).toThrow('a queue has at least one slot, not 0')
    expect(() => SharedQueue.create({ slots: 1, blockSize: 16 })).toThrow("a queue's block is longer than 16 bytes, not 16")
  })

  it('gives each message to one of the threads that pull', async () => {
    const queue = SharedQueue.create({ slots: 4096, blockSize: 20 })
    const sent = Array.from({ length: 3000 }, (_, number) => new Uint8Array(new Uint32Array([number + 1]).buffer))
    for (const message of sent) queue.push(message, me)
    const pulled = await Promise.all([2, 3].map((number) => thread(queue).call('pull', [number], 2000)))
    const numbers = pulled
      .flat()
      .flatMap((message) => (message instanceof Uint8Array ? [Buffer.from(message).readUInt32LE()] : []))
    expect(numbers.sort((a, b) => a - b)).toEqual(sent.map((_, number) => number + 1))
  })

  it('loses no message of threads that push at the same time', async () => {
    const queue = SharedQueue.create({ slots: 4096, blockSize: 20 })
    await Promise.all([2, 3].map((number) => thread(queue).call('push', [bytes(`m${number}`), number], 1500)))
    const counts = new Map<string, number>()
    for (let message = text(queue.pull(me)); message !== undefined; message = text(queue.pull(me)))
      counts.set(message, (counts.get(message) ?? 0) + 1)
    expect([...counts].sort()).toEqual([
      ['m2', 1500],
      ['m3', 1500],
    ])
  })

  it('goes on when a thread ended in the middle of a call', async () => {
    const queue = SharedQueue.create({ slots: 4, blockSize: 64 })
    queue.push(bytes('kept'), me)
    // Thread 9 has taken the mutex and ends.
    new Mutex(new Int32Array(queue.handle.buffer, 0, 2)).lock(9)
    const pulled = thread(queue).call('pull', [2])
    queue.threadEnded(8)
    queue.threadEnded(9)
    const [message] = await pulled
    expect(text(message as Uint8Array)).toBe('kept')
  })
})
