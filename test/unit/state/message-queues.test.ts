// Messages to mules in shared memory: order, bounds, exactly once between threads, and what a thread leaves that ends inside.
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MessageQueues, maxMessageBytes } from '../../../host/state/message-queues.ts'
import { MessageRefused, MuleMessages } from '../../../host/state/mule-messages.ts'

const create = (capacity = 0) => MessageQueues.create({ mules: 2, farms: 1, capacity })
const bytes = (text: string) => new TextEncoder().encode(text)
const texts = (queue: { take(thread: number): Uint8Array | undefined }, thread = 1) => {
  const all: string[] = []
  for (let message = queue.take(thread); message !== undefined; message = queue.take(thread)) {
    all.push(new TextDecoder().decode(message))
  }
  return all
}

const fixture = new URL('fixtures/message-queues-thread.mjs', import.meta.url)
const url = new URL('../../../host/state/message-queues.ts', import.meta.url).href
const thread = (data: Record<string, unknown>) => new Worker(fixture, { workerData: { url, ...data } })
const ended = (worker: Worker) => new Promise((resolve, reject) => worker.on('exit', resolve).on('error', reject))

describe('a message queue', () => {
  it('gives messages in the order they came, empty ones too, bytes unchanged', () => {
    const { pool } = create()
    const odd = Uint8Array.of(0, 255, 254, 0, 10)
    for (const message of [bytes('one'), new Uint8Array(0), odd]) expect(pool.push(1, message)).toBe(true)
    expect([pool.take(2), pool.take(2), pool.take(2), pool.take(2)]).toEqual([bytes('one'), new Uint8Array(0), odd, undefined])
  })

  it('takes the longest message, and refuses a longer one with its length', () => {
    const { pool } = create()
    const longest = new Uint8Array(maxMessageBytes).fill(7)
    expect(pool.push(1, longest)).toBe(true)
    expect(pool.take(1)).toEqual(longest)
    expect(() => pool.push(1, new Uint8Array(maxMessageBytes + 1))).toThrow(
      new RangeError('a message to a mule has at most 65536 bytes, this one has 65537'),
    )
    expect(pool.isEmpty).toBe(true)
  })

  it('says no when it is full, and takes more when there is room again', () => {
    const { pool } = create()
    const message = new Uint8Array(60_000)
    expect([pool.push(1, message), pool.push(1, message), pool.push(1, message)]).toEqual([true, true, false])
    expect(pool.take(1)?.length).toBe(60_000)
    expect(pool.push(1, message)).toBe(true)
  })

  it('keeps mules, farms and the pool apart', () => {
    const queues = create()
    queues.pool.push(1, bytes('any'))
    queues.mule(1)?.push(1, bytes('first'))
    queues.mule(2)?.push(1, bytes('second'))
    queues.farm(0)?.push(1, bytes('farm'))
    const opened = MessageQueues.open(structuredClone(queues.handle))
    expect([opened.pool, opened.mule(1), opened.mule(2), opened.farm(0)].map((queue) => texts(queue!))).toEqual([
      ['any'],
      ['first'],
      ['second'],
      ['farm'],
    ])
    expect([opened.mule(0), opened.mule(3), opened.farm(1), opened.farm(-1)]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  })

  it('behaves as a bounded list does, over any sequence of pushes and takes', () => {
    const action = fc.oneof(
      fc.constant(undefined),
      fc.uint8Array({ maxLength: 40 }),
      fc.integer({ min: 0, max: maxMessageBytes }),
    )
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
        const { pool } = create()
        const model: Uint8Array[] = []
        const used = () => model.reduce((sum, { length }) => sum + 4 + Math.ceil(length / 4) * 4, 0)
        for (const step of actions) {
          if (step === undefined) {
            expect(pool.take(2)).toEqual(model.shift())
            continue
          }
          const message = typeof step === 'number' ? new Uint8Array(step).fill(step & 0xff) : step
          const fits = used() + 4 + Math.ceil(message.length / 4) * 4 <= 128 * 1024
          expect(pool.push(1, message)).toBe(fits)
          if (fits) model.push(message)
          expect(pool.usedBytes).toBe(used())
        }
        while (model.length > 0) expect(pool.take(2)).toEqual(model.shift())
        expect(pool.take(2)).toBeUndefined()
      }),
      { numRuns: 60 },
    )
  })

  it('gives each message of two threads to exactly one of two others, whole', async () => {
    const queues = create()
    const count = 4000
    const total = 2 * count
    const taken = new Int32Array(new SharedArrayBuffer(4 * (total + 1)))
    const shared = { handle: queues.handle, count, taken, total }
    await Promise.all([
      ...[0, 1].map((sender) => ended(thread({ ...shared, role: 'send', thread: sender }))),
      ...[2, 3].map((taker) => ended(thread({ ...shared, role: 'take', thread: taker }))),
    ])
    expect(taken[total]).toBe(total)
    expect(taken.subarray(0, total).every((times) => times === 1)).toBe(true)
  })

  it.each([
    ['before its message is there', 'die pushing', 0, ['waiting', 'later']],
    ['when its message is just there', 'die pushing', 1, ['waiting', 'from the dead', 'later']],
    ['before it has taken a message', 'die taking', 0, ['waiting', 'later']],
    ['when it has just taken a message', 'die taking', 1, ['later']],
  ] as const)('is whole after a thread has ended inside, %s', async (_, role, storesBefore, rest) => {
    const queues = create()
    const { pool } = queues
    pool.push(0, bytes('waiting'))
    const dying = thread({ handle: queues.handle, role, storesBefore, thread: 3 })
    await new Promise((resolve, reject) => dying.on('message', resolve).on('error', reject))
    await dying.terminate()
    // The lock is still held: the master gives up in time instead of waiting for itself.
    expect(pool.push(0, bytes('too soon'))).toBe(false)
    queues.threadEnded(2)
    expect(pool.push(0, bytes('too soon'))).toBe(false)
    queues.threadEnded(3)
    expect(pool.push(0, bytes('later'))).toBe(true)
    expect(texts(pool)).toEqual(rest)
  })
})

describe('sending to mules', () => {
  const sender = () => {
    const queues = create()
    const rung: number[] = []
    const farms = [{ name: 'thumbs', mules: [2] }]
    return { queues, rung, messages: new MuleMessages({ queues, farms, ring: (mule) => void rung.push(mule) }) }
  }

  it.each([
    ['any mule', undefined, [1, 2]],
    ['mule 0, which is any', 0, [1, 2]],
    ['a mule', 2, [2]],
    ['a farm', 'thumbs', [2]],
  ] as const)('rings every mule that may take a message to %s', (_, target, expected) => {
    const { rung, messages } = sender()
    expect(messages.send(5, bytes('hello'), target)).toBe(true)
    expect(rung).toEqual(expected)
  })

  it('rings nobody when the queue is full', () => {
    const { rung, messages } = sender()
    const message = new Uint8Array(60_000)
    expect([1, 2, 3].map(() => messages.send(5, message, 1))).toEqual([true, true, false])
    expect(rung).toEqual([1, 1])
  })

  it.each([
    [3, 'there is no mule 3: they are numbered from 1 to 2'],
    ['nobody', "there is no farm 'nobody': the farms are thumbs"],
  ])('refuses the target %s', (target, reason) => {
    const { rung, messages } = sender()
    expect(() => messages.send(5, bytes('hello'), target)).toThrow(new MessageRefused(reason))
    expect(rung).toEqual([])
  })

  it('refuses everything where there are no mules', () => {
    const queues = MessageQueues.create({ mules: 0, farms: 0, capacity: 0 })
    const messages = new MuleMessages({ queues, farms: [], ring: () => {} })
    expect(() => messages.send(1, bytes('hello'), undefined)).toThrow(new MessageRefused('no mule is configured'))
  })
})
