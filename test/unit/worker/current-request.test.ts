// Raw responses, disconnects and what guests see of their request, from WsgiRequest down to the records on the ring.
import { beforeEach, describe, expect, it } from 'vitest'
import { ClientError } from '../../../host/errors.ts'
import { Dispatcher } from '../../../host/master/dispatcher.ts'
import { WholeBody } from '../../../host/request/body.ts'
import { WsgiRequest } from '../../../host/request/wsgi-request.ts'
import { BodyMode } from '../../../host/state/request-slots.ts'
import { ResponseFlag } from '../../../host/state/response-ring.ts'
import { StateMap } from '../../../host/state/state-map.ts'
import { CurrentRequestView } from '../../../host/worker/current-request.ts'
import { SlotSink } from '../../../host/worker/slot-sink.ts'

const slot = 2
const bytes = (text: string): Uint8Array => Buffer.from(text)
const { head, last, raw, cut } = ResponseFlag

describe('a request in a worker', () => {
  let state: StateMap
  let sink: SlotSink
  let request: WsgiRequest
  let view: CurrentRequestView

  beforeEach(() => {
    state = StateMap.create({ workers: 1, requestSlots: 4, requestAreaSize: 4096, responseRingSize: 1024 * 1024 })
    const filling = { packet: bytes('packet'), bodyMode: BodyMode.inline, body: undefined, contentLength: 0, bodyFd: -1 }
    state.slots.fill(slot, filling)
    state.slots.claim(slot, 1)
    sink = new SlotSink(
      {
        slots: state.slots,
        ring: state.ring(1),
        masterDoorbell: state.doorbell(0),
        responseLimit: Number.POSITIVE_INFINITY,
        post: () => 0,
      },
      slot,
      () => {},
    )
    const body = new WholeBody(bytes('hello'))
    request = new WsgiRequest({ coreId: 3, modifier1: 0, modifier2: 0, vars: new Uint8Array(0), body, sink, app: undefined })
    view = new CurrentRequestView(request)
  })

  /** Flags and text of each record since the last look. */
  const records = (): [number, string][] => {
    const seen: [number, string][] = []
    state.ring(1).drain((record) => {
      const status = (record.flags & head) !== 0 ? `${record.status}|` : ''
      seen.push([record.flags, status + Buffer.from(record.chunk).toString()])
    })
    return seen
  }

  it('writes raw bytes without a head, and what follows as it is', () => {
    request.writeRaw(bytes('raw'))
    request.writeBody(bytes(' more'))
    expect(sink.headSent).toBe(true)
    request.finish(bytes(' end'))
    expect(records()).toEqual([
      [raw, 'raw'],
      [raw, ' more'],
      [raw | last, ' end'],
    ])
    expect([request.isRaw, request.headersSent, request.responseSize]).toEqual([true, true, 12])
  })

  it('drops a head that was set before or is set after raw bytes', () => {
    request.setHead('200 OK', 'A\0b')
    request.writeRaw(bytes('raw'))
    request.prepareHeaders('404')
    request.addHeader('C', 'd')
    request.finish()
    expect(records()).toEqual([
      [raw, 'raw'],
      [raw | last, ''],
    ])
    expect(request.status).toBe('404 Not Found')
  })

  it('ends a raw response without bytes as one that has nothing to say', async () => {
    await request.writeRawAsync(new Uint8Array(0))
    expect(records()).toEqual([])
    await request.finishAsync()
    expect(records()).toEqual([[raw | last, '']])
  })

  it('takes raw bytes after the head for bytes of the body', async () => {
    request.setHead('200 OK', '')
    request.writeBody(bytes('a'))
    request.writeRaw(bytes('b'))
    await request.writeRawAsync(bytes('c'))
    request.finish()
    expect(records()).toEqual([
      [head, '200 OK|a'],
      [0, 'b'],
      [0, 'c'],
      [last, ''],
    ])
    expect(() => request.setHead('200 OK', '')).toThrow('the headers have already been sent')
  })

  it('reaches the gateway marked as what it is', async () => {
    const heard: unknown[] = []
    const ended = Promise.withResolvers<void>()
    const dispatcher = new Dispatcher({ state, workers: 1, cores: 1, listen: 1, log: () => {} })
    dispatcher.seatTaken(1)
    dispatcher.submit({
      packet: bytes('packet'),
      body: { mode: 'whole', bytes: undefined },
      respond: (start, chunk, isLast, isRaw) => {
        heard.push([start?.status, Buffer.from(chunk).toString(), isLast, isRaw])
        if (isLast) ended.resolve()
        return true
      },
      fail: () => ended.resolve(),
    })
    const taken = state.queue.take(1)
    const link = {
      slots: state.slots,
      ring: state.ring(1),
      masterDoorbell: state.doorbell(0),
      responseLimit: Number.POSITIVE_INFINITY,
      post: () => 0,
    }
    const raised = new SlotSink(link, taken, () => {})
    raised.send(undefined, bytes('raw'), false, true)
    raised.send(undefined, undefined, true, true)
    await ended.promise
    dispatcher.close()
    expect(heard).toEqual([
      [undefined, 'raw', false, true],
      [undefined, '', true, true],
    ])
  })

  it('cuts a raw response that failed', () => {
    request.writeRaw(bytes('half'))
    request.cut()
    expect(records()).toEqual([
      [raw, 'half'],
      [last | cut, ''],
    ])
  })

  it('disconnects before the head, and discards the response that comes after', () => {
    request.disconnect()
    expect(records()).toEqual([[raw | last, '']])
    expect([request.finished, request.clientGone, view.isConnected, sink.ended]).toEqual([true, true, false, true])
    request.setHead('200 OK', '')
    expect(() => request.writeBody(bytes('x'))).toThrow(ClientError)
    expect(() => request.writeRaw(bytes('x'))).toThrow('the client has been disconnected')
    request.finish(bytes('x'))
    request.disconnect()
    expect(records()).toEqual([])
  })

  it('disconnects after the head', () => {
    request.setHead('200 OK', '')
    request.writeBody(bytes('so far'))
    view.disconnect()
    expect(records()).toEqual([
      [head, '200 OK|so far'],
      [raw | last, ''],
    ])
  })

  it('does not disconnect what is over: the slot may be another request', () => {
    request.setHead('200 OK', '')
    request.finish()
    records()
    request.disconnect()
    expect(records()).toEqual([])
  })

  it('has a number for its connection that stays', () => {
    const { connectionFd } = view
    expect(connectionFd).toBeGreaterThan(2)
    view.disconnect()
    expect([view.connectionFd, request.connectionFd]).toEqual([connectionFd, connectionFd])
    expect(view.coreId).toBe(3)
  })

  it('sends for guests while somebody is there', () => {
    expect(view.sendRaw(bytes('x'))).toBe(true)
    state.slots.setClientGone(slot)
    expect([view.sendRaw(bytes('y')), view.isConnected]).toEqual([false, false])
    expect(records()).toEqual([[raw, 'x']])
  })

  it('sends nothing after the end of the response', () => {
    request.setHead('200 OK', '')
    request.finish()
    expect(view.sendRaw(bytes('x'))).toBe(false)
  })

  it('gives guests the body in pieces of their own', () => {
    expect(view.contentLength).toBe(5)
    const first = view.receive(3)
    expect([Buffer.from(first ?? []).toString(), first?.buffer.byteLength]).toEqual(['hel', 3])
    expect(Buffer.from(view.receive(100) ?? []).toString()).toBe('lo')
    expect(view.receive(1)).toBeUndefined()
  })

  it('keeps what guests want in the log', () => {
    expect([request.logvars, view.getLogvar('user'), request.logThis]).toEqual([undefined, undefined, false])
    view.setLogvar('user', bytes('kim'))
    view.setLogvar('user', bytes('lee'))
    view.logThisRequest()
    expect([[...(request.logvars ?? [])], view.getLogvar('user'), request.logThis]).toEqual([
      [['user', bytes('lee')]],
      bytes('lee'),
      true,
    ])
  })
})
