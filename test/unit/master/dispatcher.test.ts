// The dispatcher against a worker played by the test: order, limits, clients that leave, workers that die.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Dispatcher } from '../../../host/master/dispatcher.ts'
import type { BodyPiece, Exchange, ExchangeBody, ExchangeHead } from '../../../host/master/exchange.ts'
import { sharedNow } from '../../../host/state/deadlines.ts'
import { PullState } from '../../../host/state/request-slots.ts'
import { ResponseFlag } from '../../../host/state/response-ring.ts'
import { StateMap } from '../../../host/state/state-map.ts'
import { encodeVars } from '../../../protocol/vars.ts'

class RecordedExchange implements Exchange {
  readonly packet: Uint8Array
  readonly body: ExchangeBody
  readonly events: string[] = []
  hasRoom = true

  constructor(name: string, body: ExchangeBody = { mode: 'whole', bytes: undefined }) {
    this.packet = Buffer.concat([Buffer.alloc(4), Buffer.from(name)])
    this.body = body
  }

  respond(head: ExchangeHead | undefined, chunk: Uint8Array, last: boolean): boolean {
    this.events.push(`${head?.status ?? ''}|${Buffer.from(chunk).toString()}|${last ? 'last' : ''}`)
    return this.hasRoom
  }

  /** By which the client was told to ask. */
  requestId: string | undefined

  fail(status: number, reason: string, requestId?: string): void {
    this.requestId = requestId
    this.events.push(`failed ${status} ${reason}`)
  }
}

describe('the dispatcher', () => {
  let state: StateMap
  let dispatcher: Dispatcher
  let log: string[]

  beforeEach(() => {
    log = []
    state = StateMap.create({ workers: 2, requestSlots: 3, requestAreaSize: 256, responseRingSize: 8192 })
    dispatcher = new Dispatcher({ state, workers: 2, cores: 1, listen: 3, log: (line) => log.push(line) })
    for (const seat of [1, 2]) dispatcher.seatTaken(seat)
  })
  afterEach(() => dispatcher.close())

  /** A worker's part: says something about a slot, and rings. */
  const say = async (workerId: number, slot: number, text: string, flags: number): Promise<void> => {
    const chunk = Buffer.from(text)
    const isSaid = state
      .ring(workerId)
      .tryRespond(slot, state.slots.generation(slot), flags, '200 OK', '', chunk, 0, chunk.length)
    expect(isSaid).toBe(true)
    state.doorbell(0).ring()
    await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setImmediate(resolve))
  }
  const nameOf = (slot: number): string => state.slots.packet(slot).subarray(4).toString()
  const headAndLast = ResponseFlag.head | ResponseFlag.last

  it('lets requests wait while it is paused, and hands them on in order when it goes on', () => {
    expect(dispatcher.togglePause()).toBe(true)
    for (const name of ['first', 'second']) dispatcher.submit(new RecordedExchange(name))
    expect(state.queue.take(1)).toBe(-1)
    expect(dispatcher.active).toBe(2)
    expect(dispatcher.togglePause()).toBe(false)
    expect([nameOf(state.queue.take(1)), nameOf(state.queue.take(1))]).toEqual(['first', 'second'])
  })

  it('refuses what finds no room to wait while it is paused', () => {
    expect(dispatcher.togglePause()).toBe(true)
    for (let index = 0; index < 5; index += 1) expect(dispatcher.submit(new RecordedExchange('waits'))).toBeDefined()
    expect(dispatcher.submit(new RecordedExchange('too much'))).toBeUndefined()
  })

  it('hands requests to workers in order and answers each by its own exchange', async () => {
    const first = new RecordedExchange('first')
    const second = new RecordedExchange('second')
    dispatcher.submit(first)
    dispatcher.submit(second)
    const a = state.queue.take(1)
    const b = state.queue.take(2)
    expect([nameOf(a), nameOf(b)]).toEqual(['first', 'second'])
    await say(2, b, 'two', headAndLast)
    await say(1, a, 'one', headAndLast)
    expect(first.events).toEqual(['200 OK|one|last'])
    expect(second.events).toEqual(['200 OK|two|last'])
    expect(dispatcher.active).toBe(0)
  })

  it('keeps what has no slot in order, and takes no more than workers and listen together', async () => {
    const exchanges = [1, 2, 3, 4, 5].map((n) => new RecordedExchange(`r${n}`))
    for (const exchange of exchanges) expect(dispatcher.submit(exchange)).toBeDefined()
    expect(dispatcher.submit(new RecordedExchange('one too many'))).toBeUndefined()
    const served: string[] = []
    for (let n = 0; n < 5; n += 1) {
      const slot = state.queue.take(1)
      served.push(nameOf(slot))
      await say(1, slot, '', headAndLast)
    }
    expect(served).toEqual(['r1', 'r2', 'r3', 'r4', 'r5'])
    expect(dispatcher.active).toBe(0)
  })

  it('drops a request whose client leaves before anybody began it', () => {
    const tickets = [1, 2, 3, 4].map((n) => dispatcher.submit(new RecordedExchange(`r${n}`)))
    tickets[1]?.abandon()
    tickets[3]?.abandon()
    expect(dispatcher.active).toBe(2)
    expect([nameOf(state.queue.take(1)), nameOf(state.queue.take(1)), state.queue.take(1)]).toEqual(['r1', 'r3', -1])
  })

  it('tells the worker when the client leaves in the middle, and frees the slot when the worker is done', async () => {
    const exchange = new RecordedExchange('r')
    const ticket = dispatcher.submit(exchange)
    const slot = state.queue.take(1)
    ticket?.abandon()
    expect(state.slots.isClientGone(slot)).toBe(true)
    expect(dispatcher.active).toBe(1)
    await say(1, slot, 'into the void', headAndLast)
    expect(exchange.events).toEqual([])
    expect(dispatcher.active).toBe(0)
  })

  it('delivers what a dead worker had said, fails what it had begun, and leaves what waits to others', async () => {
    const done = new RecordedExchange('done')
    const begun = new RecordedExchange('begun')
    const waiting = new RecordedExchange('waiting')
    for (const exchange of [done, begun, waiting]) dispatcher.submit(exchange)
    const a = state.queue.take(1)
    const b = state.queue.take(1)
    state.ring(1).tryRespond(a, state.slots.generation(a), headAndLast, '200 OK', '', Buffer.from('x'), 0, 1)
    state.ring(1).tryRespond(b, state.slots.generation(b), ResponseFlag.head, '200 OK', '', Buffer.from('half'), 0, 4)
    expect(dispatcher.seatEnded(1, 500, 'it died').map(({ status }) => status)).toEqual([500])
    expect(done.events).toEqual(['200 OK|x|last'])
    expect(begun.events).toEqual(['200 OK|half|', 'failed 500 it died'])
    expect(waiting.events).toEqual([])
    expect(nameOf(state.queue.take(2))).toBe('waiting')
  })

  it('answers 504 to the request of a dead worker that had overrun, 503 to the others, and names each to its client and to the log', () => {
    const named = new RecordedExchange('')
    const vars = encodeVars([['HTTP_X_REQUEST_ID', 'mine']])
    Object.assign(named, { packet: Buffer.concat([Buffer.alloc(4), vars]) })
    const other = new RecordedExchange('no variables at all')
    for (const exchange of [named, other]) dispatcher.submit(exchange)
    const slot = state.queue.take(1)
    state.queue.take(1)
    state.slots.noteCore(slot, 1, 7, 1_790_000_000)
    state.slots.setDeadline(slot, sharedNow())
    const failed = dispatcher.seatEnded(1, 504, 'it took too long')
    expect(failed).toEqual([
      { status: 504, vars: Buffer.from(vars), requestId: 'mine', since: 1_790_000_000, coreId: 7 },
      { status: 503, vars: new Uint8Array(0), requestId: other.requestId, since: 0, coreId: 0 },
    ])
    expect([named.events, named.requestId]).toEqual([['failed 504 it took too long'], 'mine'])
    expect(other.requestId).toMatch(/^[\da-f-]{36}$/)
  })

  it('ignores what is said about a request that is over', async () => {
    const old = new RecordedExchange('old')
    dispatcher.submit(old)
    const slot = state.queue.take(1)
    const generation = state.slots.generation(slot)
    await say(1, slot, 'answer', headAndLast)
    const next = new RecordedExchange('next')
    dispatcher.submit(next)
    state.ring(1).tryRespond(slot, generation, headAndLast, '500 Late', '', undefined, 0, 0)
    state.doorbell(0).ring()
    await new Promise((resolve) => setImmediate(resolve))
    expect(next.events).toEqual([])
  })

  it('counts a chunk as taken at once when the client has room, and later when the gateway says so', async () => {
    const exchange = new RecordedExchange('r')
    const ticket = dispatcher.submit(exchange)
    const slot = state.queue.take(1)
    exchange.hasRoom = false
    state.slots.countSent(slot, 300_000)
    await say(1, slot, 'x'.repeat(3000), ResponseFlag.head)
    const opening = state.slots.windowOpens(slot)
    expect(opening).toBeDefined()
    ticket?.acknowledge(300_000)
    await opening
  })

  it('serves pulls of a body that was too large to travel with its request, to the last byte', async () => {
    const bytes = Buffer.from(Array.from({ length: 600 }, (_, index) => index & 255))
    dispatcher.submit(new RecordedExchange('r', { mode: 'whole', bytes }))
    const slot = state.queue.take(1)
    expect(state.slots.contentLength(slot)).toBe(600)
    const pieces: Buffer[] = []
    for (;;) {
      state.slots.requestPull(slot)
      state.ring(1).tryPull(slot, state.slots.generation(slot), 256)
      state.doorbell(0).ring()
      const answer = await state.slots.pullAnswer(slot)
      if (answer !== PullState.filled) {
        expect(answer).toBe(PullState.end)
        break
      }
      pieces.push(Buffer.from(state.slots.pulled(slot)))
    }
    expect(pieces.map((piece) => piece.length)).toEqual([256, 256, 88])
    expect(Buffer.concat(pieces)).toEqual(bytes)
  })

  it('tells a worker that waits for the body when the client is slow for too long, or gone', async () => {
    const outcomes: BodyPiece[] = [{ kind: 'timeout' }, { kind: 'gone' }]
    for (const outcome of outcomes) {
      dispatcher.submit(new RecordedExchange('r', { mode: 'stream', contentLength: 10, pull: async () => outcome }))
      const slot = state.queue.take(1)
      state.slots.requestPull(slot)
      state.ring(1).tryPull(slot, state.slots.generation(slot), 10)
      state.doorbell(0).ring()
      expect(await state.slots.pullAnswer(slot)).toBe(PullState[outcome.kind as 'timeout' | 'gone'])
    }
  })

  it('survives a gateway that cannot say what the app said, and serves the others', async () => {
    const refusing = new RecordedExchange('refusing')
    refusing.respond = () => {
      throw new Error('no such status')
    }
    const other = new RecordedExchange('other')
    dispatcher.submit(refusing)
    dispatcher.submit(other)
    const a = state.queue.take(1)
    const b = state.queue.take(1)
    state.ring(1).tryRespond(a, state.slots.generation(a), ResponseFlag.head, '999 X', '', undefined, 0, 0)
    await say(1, b, 'fine', headAndLast)
    expect(refusing.events).toEqual(['failed 500 the response was refused'])
    expect(log).toEqual(['response refused: no such status'])
    expect(other.events).toEqual(['200 OK|fine|last'])
    expect(state.slots.isClientGone(a)).toBe(true)
    await say(1, a, '', headAndLast)
    expect(dispatcher.active).toBe(0)
  })

  it('fails all that is there when there will be no worker any more', () => {
    const exchanges = [1, 2, 3, 4].map((n) => new RecordedExchange(`r${n}`))
    for (const exchange of exchanges) dispatcher.submit(exchange)
    state.queue.take(1)
    dispatcher.failAll(503, 'stopping')
    expect(exchanges.map((exchange) => exchange.events)).toEqual(Array(4).fill(['failed 503 stopping']))
  })

  it('takes nothing more from then on, also of a client that asks again when it is told', () => {
    let again: unknown = 'not asked'
    const exchange = new RecordedExchange('r')
    exchange.fail = () => {
      again = dispatcher.submit(new RecordedExchange('again'))
    }
    dispatcher.submit(exchange)
    dispatcher.failAll(503, 'stopping')
    expect(again).toBeUndefined()
    expect(dispatcher.active).toBe(0)
  })

  it('releases the file of a spooled body once, however its request ends', async () => {
    let released = 0
    const file = (): RecordedExchange =>
      new RecordedExchange('f', { mode: 'file', fd: 0, length: 9, release: () => (released += 1) })
    dispatcher.submit(file())
    await say(1, state.queue.take(1), '', headAndLast)
    expect(released).toBe(1)
    dispatcher.submit(file())?.abandon()
    expect(released).toBe(2)
    dispatcher.submit(file())
    state.queue.take(2)
    dispatcher.seatEnded(2, 500, 'died')
    expect(released).toBe(3)
  })
})
