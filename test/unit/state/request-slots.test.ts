// Who has a request, and how many bytes are under way: the shared words that master and workers agree on.
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BodyMode, PullState, responseWindow } from '../../../host/state/request-slots.ts'
import { StateMap } from '../../../host/state/state-map.ts'

const shape = { workers: 2, requestSlots: 4, requestAreaSize: 1024, responseRingSize: 4096 }
const filling = (packet: Uint8Array, body?: Uint8Array) => ({
  packet,
  bodyMode: BodyMode.inline,
  body,
  contentLength: body?.length ?? 0,
  bodyFd: -1,
})

describe('request slots', () => {
  it('give back the packet and the body that were put in, byte for byte', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 500 }), fc.uint8Array({ maxLength: 500 }), (packet, body) => {
        const { slots } = StateMap.create(shape)
        slots.fill(2, filling(packet, body))
        expect(new Uint8Array(slots.packet(2))).toEqual(packet)
        expect(new Uint8Array(slots.inlineBody(2))).toEqual(body)
      }),
    )
  })

  it('keep a content length beyond 32 bits, and the one that is unknown', () => {
    const { slots } = StateMap.create(shape)
    for (const contentLength of [0, -1, 2 ** 31, 2 ** 32 + 5, 2 ** 45]) {
      slots.fill(0, { ...filling(new Uint8Array(4)), contentLength })
      expect(slots.contentLength(0)).toBe(contentLength)
    }
  })

  it('let exactly one worker claim a queued request, and tell which', () => {
    const { slots } = StateMap.create(shape)
    slots.fill(1, filling(new Uint8Array(4)))
    expect(slots.runningSeat(1)).toBe(0)
    expect(slots.claim(1, 2)).toBe(true)
    expect(slots.claim(1, 1)).toBe(false)
    expect(slots.runningSeat(1)).toBe(2)
    expect(slots.withdraw(1)).toBe(false)
  })

  it('let the master withdraw a request only while nobody has begun it', () => {
    const { slots } = StateMap.create(shape)
    slots.fill(1, filling(new Uint8Array(4)))
    expect(slots.withdraw(1)).toBe(true)
    expect(slots.claim(1, 1)).toBe(false)
  })

  it('give every filling another generation, and keep it when freed', () => {
    const { slots } = StateMap.create(shape)
    const first = slots.fill(0, filling(new Uint8Array(4)))
    slots.claim(0, 1)
    expect(slots.generation(0)).toBe(first)
    slots.free(0)
    expect(slots.generation(0)).toBe(first)
    expect(slots.fill(0, filling(new Uint8Array(4)))).not.toBe(first)
  })

  it('open the window when the master has acknowledged enough', async () => {
    const { slots } = StateMap.create(shape)
    slots.fill(0, filling(new Uint8Array(4)))
    slots.countSent(0, responseWindow + 100)
    let opened = false
    const opening = slots.windowOpens(0)?.then(() => (opened = true))
    slots.acknowledge(0, 50)
    await new Promise((resolve) => setImmediate(resolve))
    expect(opened).toBe(false)
    slots.acknowledge(0, 50)
    await opening
    expect(opened).toBe(true)
    expect(slots.windowOpens(0)).toBeUndefined()
  })

  it('hold nobody back once the client has gone', async () => {
    const { slots } = StateMap.create(shape)
    slots.fill(0, filling(new Uint8Array(4)))
    slots.countSent(0, responseWindow * 3)
    const opening = slots.windowOpens(0)
    slots.setClientGone(0)
    await opening
    expect(slots.isClientGone(0)).toBe(true)
    slots.countSent(0, responseWindow * 3)
    slots.awaitWindow(0)
  })

  it('answer a pull from another thread that is parked', async () => {
    const state = StateMap.create(shape)
    state.slots.fill(3, filling(new Uint8Array(4)))
    state.slots.requestPull(3)
    // The thread waits on the word itself, as a worker in a blocking read does.
    const url = new URL('../../../host/state/state-map.ts', import.meta.url).href
    const thread = new Worker(
      `const { workerData, parentPort } = require('node:worker_threads')
       import(workerData.url).then(({ StateMap }) => {
         const { slots } = StateMap.open(workerData.handle)
         parentPort.postMessage('waiting')
         const state = slots.awaitPull(3)
         parentPort.postMessage({ state, piece: Uint8Array.from(slots.pulled(3)) })
       })`,
      { eval: true, workerData: { url, handle: state.handle } },
    )
    const messages: unknown[] = []
    const done = new Promise((resolve, reject) => {
      thread.on('error', reject)
      thread.on('exit', resolve)
      thread.on('message', (message) => {
        messages.push(message)
        if (message === 'waiting') state.slots.answerPull(3, PullState.filled, Uint8Array.of(7, 0, 255))
      })
    })
    await done
    expect(messages).toEqual(['waiting', { state: PullState.filled, piece: Uint8Array.of(7, 0, 255) }])
  })
})

describe('what is known of the client of a slot', () => {
  it('that it leaves wakes who waits for that, once', async () => {
    const { slots } = StateMap.create(shape)
    slots.fill(1, filling(new Uint8Array(4)))
    const leaving = slots.clientLeaves(1)
    slots.setClientGone(1)
    await leaving
    await slots.clientLeaves(1)
    expect(slots.isClientGone(1)).toBe(true)
  })

  it('that it never left does not keep anybody waiting past the request', async () => {
    const { slots } = StateMap.create(shape)
    slots.fill(1, filling(new Uint8Array(4)))
    const leaving = slots.clientLeaves(1)
    slots.fill(1, filling(new Uint8Array(4)))
    await leaving
    expect(slots.isClientGone(1)).toBe(false)
  })

  it('that its window is full, for what is to be written', () => {
    const { slots } = StateMap.create(shape)
    slots.fill(0, filling(new Uint8Array(4)))
    expect([slots.needsRoom(0, responseWindow), slots.needsRoom(0, responseWindow + 1)]).toEqual([false, true])
    slots.countSent(0, responseWindow)
    expect([slots.needsRoom(0, 1), slots.needsRoom(0, 0)]).toEqual([true, false])
    slots.setClientGone(0)
    expect(slots.needsRoom(0, responseWindow + 1)).toBe(false)
  })

  it('that its request is to be over by a time, also where the clock has passed 32 bits', () => {
    const { slots } = StateMap.create(shape)
    slots.fill(0, filling(new Uint8Array(4)))
    for (const end of [1, 5000, 2 ** 31 - 1, 2 ** 31 + 7, 2 ** 32, 2 ** 33 + 12]) {
      slots.setDeadline(0, end)
      expect([slots.isOverdue(0, end - 10), slots.isOverdue(0, end + 10)]).toEqual([false, true])
    }
    slots.setDeadline(0, 0)
    expect(slots.isOverdue(0, 2 ** 40)).toBe(false)
    slots.setDeadline(0, 5)
    slots.fill(0, filling(new Uint8Array(4)))
    expect(slots.isOverdue(0, 10)).toBe(false)
  })
})
