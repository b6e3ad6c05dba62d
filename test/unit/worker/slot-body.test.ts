// Bodies that arrive while they are read: parked for, awaited, announced; the master's side is played by the test.
import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { BodyMode, PullState } from '../../../host/state/request-slots.ts'
import { RecordKind } from '../../../host/state/response-ring.ts'
import { StateMap } from '../../../host/state/state-map.ts'
import { openBody, type SlotBody } from '../../../host/worker/slot-body.ts'

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))
const text = (piece: Uint8Array): string => Buffer.from(piece).toString()

describe('a body that arrives', () => {
  const slot = 1
  let state: StateMap
  let body: SlotBody

  beforeEach(() => {
    state = StateMap.create({ workers: 1, requestSlots: 2, requestAreaSize: 1024, responseRingSize: 4096 })
    const filling = { packet: bytes('head'), bodyMode: BodyMode.pull, body: undefined, contentLength: -1, bodyFd: -1 }
    state.slots.fill(slot, filling)
    body = openBody(
      {
        slots: state.slots,
        ring: state.ring(1),
        masterDoorbell: state.doorbell(0),
        responseLimit: Number.POSITIVE_INFINITY,
        post: () => 0,
      },
      slot,
    )
  })

  /** How many pieces the master has been asked for since the last look. */
  const pulls = (): number => {
    let count = 0
    state.ring(1).drain((record) => {
      if (record.kind === RecordKind.pull) count += 1
    })
    return count
  }

  it('is not read before it is there, and is announced once for all who wait', async () => {
    expect([body.canReadNow?.(), body.isAtEnd]).toEqual([false, false])
    const arrivals = [body.arrives?.(), body.arrives?.()]
    const reading = body.readAsync(3)
    expect(pulls()).toBe(1)
    state.slots.answerPull(slot, PullState.filled, bytes('hello'))
    await Promise.all(arrivals)
    expect(text(await reading)).toBe('hel')
    expect(body.canReadNow?.()).toBe(true)
    expect(text(body.read(10))).toBe('lo')
    expect([body.canReadNow?.(), pulls()]).toEqual([false, 0])
  })

  it('is taken by a read that parks though another wait for it is under way, and nothing is lost or read twice', async () => {
    const arrival = body.arrives?.()
    state.slots.answerPull(slot, PullState.filled, bytes('first'))
    expect(text(body.read(2))).toBe('fi')
    await arrival
    expect(text(body.read(100))).toBe('rst')
    const reading = body.readAsync(100)
    expect(pulls()).toBe(2)
    state.slots.answerPull(slot, PullState.filled, bytes('second'))
    expect(text(await reading)).toBe('second')
  })

  it('ends, and asks for no more', async () => {
    const reading = body.readAsync(10)
    state.slots.answerPull(slot, PullState.end)
    expect((await reading).length).toBe(0)
    expect([body.isAtEnd, body.canReadNow?.(), body.read(5).length]).toEqual([true, true, 0])
    await body.arrives?.()
    expect(pulls()).toBe(1)
  })

  it('that stalls or whose client leaves fails the next read, not who waited for it to arrive', async () => {
    const arrival = body.arrives?.()
    state.slots.answerPull(slot, PullState.timeout)
    await arrival
    expect(body.canReadNow?.()).toBe(true)
    expect(() => body.read(5)).toThrow('the request body did not arrive in time')
    expect(body.readErrors).toBe(1)
    const reading = body.readAsync(5)
    state.slots.answerPull(slot, PullState.gone)
    await expect(reading).rejects.toThrow('the client closed its connection before the request body was complete')
  })

  it('is over with its request', async () => {
    const reading = body.readAsync(5)
    body.release()
    state.slots.answerPull(slot, PullState.filled, bytes('of another'))
    await expect(reading).rejects.toThrow('the request is over, and its body with it')
    expect(() => body.read(1)).toThrow('the request is over')
  })

  it("leaves nobody waiting once the slot is another request's", async () => {
    const waiting = [body.arrives?.(), body.readAsync(5).catch((error: Error) => error.message)]
    body.release()
    state.slots.free(slot)
    state.slots.fill(slot, { packet: bytes('next'), bodyMode: BodyMode.pull, body: undefined, contentLength: -1, bodyFd: -1 })
    expect(await Promise.all(waiting)).toEqual([undefined, 'the request is over, and its body with it'])
  })

  it('asks for nothing in the name of another request that has got the slot', async () => {
    const ring = state.ring(1)
    const filler = bytes('x'.repeat(500))
    while (ring.tryRespond(0, 1, 0, '', '', filler, 0, filler.length)) {}
    while (ring.tryPull(0, 1, 1)) {}
    const reading = body.readAsync(5).catch((error: Error) => error.message)
    body.release()
    state.slots.free(slot)
    const generation = state.slots.fill(slot, {
      packet: bytes('next'),
      bodyMode: BodyMode.pull,
      body: undefined,
      contentLength: -1,
      bodyFd: -1,
    })
    ring.drain(() => {})
    expect(await reading).toBe('the request is over, and its body with it')
    const asked: number[] = []
    ring.drain((record) => asked.push(record.generation))
    expect(asked).not.toContain(generation)
  })
})

describe('a body in a file', () => {
  it('is always there, and can be read from any place', async () => {
    const path = join(tmpdir(), `polywsgi-body-${process.pid}`)
    writeFileSync(path, 'abcdef')
    const fd = openSync(path, 'r')
    try {
      const state = StateMap.create({ workers: 1, requestSlots: 1, requestAreaSize: 1024, responseRingSize: 4096 })
      state.slots.fill(0, { packet: bytes('head'), bodyMode: BodyMode.file, body: undefined, contentLength: 6, bodyFd: fd })
      const link = {
        slots: state.slots,
        ring: state.ring(1),
        masterDoorbell: state.doorbell(0),
        responseLimit: Number.POSITIVE_INFINITY,
        post: () => 0,
      }
      const body = openBody(link, 0)
      expect([body.canReadNow?.(), body.isAtEnd]).toEqual([true, false])
      expect(text(await body.readAsync(4))).toBe('abcd')
      body.seek?.(1)
      expect([text(body.read(3)), text(body.read(9)), body.read(9).length, body.isAtEnd]).toEqual(['bcd', 'ef', 0, true])
      body.seek?.(5)
      expect([body.isAtEnd, text(body.read(9))]).toEqual([false, 'f'])
    } finally {
      closeSync(fd)
      rmSync(path)
    }
  })
})
