// Responses that are handed over, from the record on a worker's ring to whoever sends them: the slot is free at once, and the
// request stays the server's until it is over.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Dispatcher } from '../../../host/master/dispatcher.ts'
import type { Exchange, OffloadedResponse, OffloadRequest, Ticket } from '../../../host/master/exchange.ts'
import { Parcels } from '../../../host/master/parcels.ts'
import { WholeBody } from '../../../host/request/body.ts'
import { WsgiRequest } from '../../../host/request/wsgi-request.ts'
import { StateMap } from '../../../host/state/state-map.ts'
import { SlotSink } from '../../../host/worker/slot-sink.ts'

class Offloaded implements OffloadedResponse {
  readonly said: string[] = []
  readonly request: OffloadRequest
  readonly ended: Promise<void>
  end: () => void = () => {}

  constructor(request: OffloadRequest) {
    this.request = request
    this.ended = new Promise((resolve) => (this.end = resolve))
  }

  acknowledge(bytes: number): void {
    this.said.push(`took ${bytes}`)
  }

  abandon(): void {
    this.said.push('left')
    this.end()
  }
}

describe('a response that is handed over', () => {
  let state: StateMap
  let dispatcher: Dispatcher
  let offloaded: Offloaded[]
  let failures: string[]
  let parcels: Map<number, Uint8Array>

  beforeEach(() => {
    offloaded = []
    failures = []
    parcels = new Map()
    state = StateMap.create({ workers: 1, requestSlots: 1, requestAreaSize: 256, responseRingSize: 1024 * 1024 })
    dispatcher = new Dispatcher({
      state,
      workers: 1,
      cores: 1,
      listen: 0,
      log: () => {},
      offload: (request) => {
        offloaded.push(new Offloaded(request))
        return offloaded.at(-1) as Offloaded
      },
    })
    dispatcher.seatTaken(1)
  })
  afterEach(() => dispatcher.close())

  const submit = (): Ticket | undefined => {
    const exchange: Exchange = {
      packet: new Uint8Array(4),
      body: { mode: 'whole', bytes: undefined },
      respond: () => false,
      fail: (status) => failures.push(String(status)),
    }
    return dispatcher.submit(exchange)
  }
  /** The worker's part. */
  const take = (): WsgiRequest => {
    const slot = state.queue.take(1)
    const post = (bytes: Uint8Array): number => {
      parcels.set(parcels.size + 1, bytes)
      return parcels.size
    }
    const sink = new SlotSink(
      {
        slots: state.slots,
        ring: state.ring(1),
        masterDoorbell: state.doorbell(0),
        responseLimit: Number.POSITIVE_INFINITY,
        post,
      },
      slot,
      () => {},
    )
    const body = new WholeBody(new Uint8Array(0))
    return new WsgiRequest({ coreId: 0, modifier1: 0, modifier2: 0, vars: new Uint8Array(0), body, sink, app: undefined })
  }
  const turn = async (): Promise<void> => {
    for (let count = 0; count < 3; count += 1) await new Promise((resolve) => setImmediate(resolve))
  }

  it('frees its slot for the next request while it goes on', async () => {
    const ticket = submit() as Ticket
    expect(submit()).toBeUndefined()
    const request = take()
    request.setHead('200 OK', 'A\0b')
    request.offloadTransfer('127.0.0.1:1', Buffer.from('hello'))
    await turn()
    const [first] = offloaded as [Offloaded]
    expect(first.request).toMatchObject({ head: { status: '200 OK', headers: 'A\0b' }, isRaw: false, thread: 1 })
    const order = { engine: 'net', address: '127.0.0.1:1', timeoutMs: 60_000, parcel: 1 }
    expect(JSON.parse(first.request.order)).toEqual(order)
    expect(Buffer.from(parcels.get(1) ?? []).toString()).toBe('hello')
    expect(dispatcher.active).toBe(1)
    // The only slot, and the only place in the queue, are the next one's.
    expect(submit()).toBeDefined()
    expect(take().finished).toBe(false)
    expect(dispatcher.active).toBe(2)
    ticket.acknowledge(5)
    ticket.abandon()
    expect(first.said).toEqual(['took 5', 'left'])
    await turn()
    expect(dispatcher.active).toBe(1)
  })

  it('without a head is raw, and cannot be added to', async () => {
    submit()
    const request = take()
    request.offloadTransfer(7)
    expect([request.finished, request.isOffloaded, request.canOffload, request.givenFd]).toEqual([true, true, false, 7])
    request.setHead('500 Internal Server Error', '')
    request.writeBody(Buffer.from('more'))
    request.finish(Buffer.from('more'))
    expect(() => request.sendfile('/etc/hostname')).toThrow('the response is over')
    expect(() => request.offloadRpc('f')).toThrow('this response cannot be handed over')
    await turn()
    expect(offloaded).toHaveLength(1)
    expect(offloaded[0]?.request).toMatchObject({ head: undefined, isRaw: true })
    expect(JSON.parse(offloaded[0]?.request.order ?? '')).toEqual({ engine: 'pipe', fd: 7, timeoutMs: 60_000 })
  })

  it('is nobody’s when the client has left before', async () => {
    const ticket = submit() as Ticket
    const request = take()
    ticket.abandon()
    request.setHead('200 OK', '')
    request.offloadMemory(new Uint8Array(10))
    await turn()
    expect([offloaded.map(({ said }) => said), parcels.size, dispatcher.active]).toEqual([[['left']], 0, 0])
  })

  it('is let go of when the client leaves between the order and its arrival', async () => {
    const ticket = submit() as Ticket
    const request = take()
    request.setHead('200 OK', '')
    request.offloadMemory(new Uint8Array(10))
    ticket.abandon()
    await turn()
    expect([offloaded.map(({ said }) => said), parcels.size, dispatcher.active]).toEqual([[['left']], 1, 0])
    expect(failures).toEqual([])
  })

  it('is waited for by a stop, and ended by its end', async () => {
    submit()
    const request = take()
    request.offloadRpc('name', [Buffer.from([0, 255])])
    await turn()
    expect(JSON.parse(offloaded[0]?.request.order ?? '')).toEqual({ engine: 'rpc', name: 'name', args: ['\0\u00ff'] })
    let isIdle = false
    void dispatcher.idle().then(() => (isIdle = true))
    await turn()
    expect(isIdle).toBe(false)
    dispatcher.failAll(503, 'the server is stopping')
    expect([offloaded[0]?.said, failures]).toEqual([['left'], ['503']])
    await turn()
    expect(isIdle).toBe(true)
  })

  it('is refused when its order is too long, before anything is sent', () => {
    submit()
    const request = take()
    expect(() => request.offloadRpc('name', [Buffer.alloc(70_000)])).toThrow('an order to offload takes at most 65536 bytes')
    expect(offloaded).toEqual([])
  })
})

describe('a parcel', () => {
  it('meets its order, whichever comes first', async () => {
    const parcels = new Parcels()
    parcels.arrived(1, 1, Buffer.from('early'))
    const late = parcels.take(1, 2)
    parcels.arrived(2, 2, Buffer.from('of another thread'))
    parcels.arrived(1, 2, Buffer.from('late'))
    expect(String(await parcels.take(1, 1))).toBe('early')
    expect(String(await late)).toBe('late')
    expect(String(await parcels.take(2, 2))).toBe('of another thread')
  })

  it('of a thread that ended is not waited for, nor kept for its successor', async () => {
    const parcels = new Parcels()
    const never = parcels.take(1, 1)
    const other = parcels.take(11, 1)
    parcels.arrived(1, 2, Buffer.from('old'))
    parcels.threadEnded(1)
    await expect(never).rejects.toThrow('the worker died before it had handed over its response')
    const next = parcels.take(1, 2)
    parcels.arrived(1, 2, Buffer.from('new'))
    parcels.arrived(11, 1, Buffer.from('other'))
    expect([String(await next), String(await other)]).toEqual(['new', 'other'])
  })
})
