// What another server answers on its way to a client: as much as was promised, and not a byte after it.
import { Duplex } from 'node:stream'
import { expect, it } from 'vitest'
import type { Exchange } from '../../../host/master/exchange.ts'
import { Delivery } from '../../../host/offload/delivery.ts'
import { transfer } from '../../../host/offload/transfer.ts'

/** Another server that talks for ever, or that says something and falls silent. */
class Peer extends Duplex {
  readonly #text: string
  readonly #isEndless: boolean
  #hasSpoken = false

  constructor(text: string, isEndless: boolean) {
    super()
    this.#text = text
    this.#isEndless = isEndless
  }

  override _read(): void {
    if (this.#hasSpoken && !this.#isEndless) return
    this.#hasSpoken = true
    setImmediate(() => this.push(Buffer.from(this.#text)))
  }

  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    done()
  }
}

it.each([
  ['talks for ever', '12345678', true],
  ['keeps the connection', '12345678', false],
  ['says more than all of it at once', '123456789012345', false],
])('a response ends with the last byte that its head promises, though the other server %s', async (_, text, isEndless) => {
  let received = ''
  let failure = ''
  const exchange: Exchange = {
    packet: new Uint8Array(0),
    body: { mode: 'whole', bytes: undefined },
    respond: (_head, chunk, last) => {
      received += Buffer.from(chunk).toString() + (last ? '|' : '')
      return true
    },
    fail: (status) => {
      failure = String(status)
    },
  }
  const log: string[] = []
  const delivery = new Delivery(exchange, (line) => log.push(line))
  const socket = new Peer(text, isEndless)
  const head = { status: '200 OK', headers: 'A\0b\0Content-length\x008' }
  const other = { socket, request: Buffer.from('go'), timeoutMs: 60_000, isRaw: false, name: 'peer' }
  await transfer(delivery, head, other, (line) => log.push(line))
  expect([received, failure, log, socket.destroyed, delivery.isOver]).toEqual(['12345678|', '', [], true, true])
})

it('a response whose head promises nothing waits for nobody', async () => {
  const heads: unknown[] = []
  const exchange: Exchange = {
    packet: new Uint8Array(0),
    body: { mode: 'whole', bytes: undefined },
    respond: (head, chunk, last) => {
      heads.push([head?.status, chunk.length, last])
      return true
    },
    fail: () => expect.unreachable('it has not failed'),
  }
  const socket = new Peer('', false)
  const head = { status: '200 OK', headers: 'Content-Length\x000' }
  const delivery = new Delivery(exchange, () => {})
  await transfer(delivery, head, { socket, request: undefined, timeoutMs: 60_000, isRaw: false, name: 'peer' }, () => {})
  expect([heads, socket.destroyed, delivery.isOver]).toEqual([[['200 OK', 0, true]], true, true])
})
