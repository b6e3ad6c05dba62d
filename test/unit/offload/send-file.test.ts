// A file's way to a client: at the client's pace, closed in the end, cut when the file is.

import { truncateSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Exchange, ExchangeHead } from '../../../host/master/exchange.ts'
import { Delivery } from '../../../host/offload/delivery.ts'
import { sendFile } from '../../../host/offload/send-file.ts'
import { FileTree } from '../../support/file-tree.ts'

const head: ExchangeHead = { status: '200 OK', headers: '' }
const pieceSize = 65_536

class SlowClient implements Exchange {
  readonly packet = new Uint8Array(0)
  readonly body = { mode: 'whole', bytes: undefined } as const
  readonly pieces: string[] = []
  received = Buffer.alloc(0)
  failure = ''
  hasRoom = false
  refuses = false
  #onPiece: (() => void) | undefined

  respond(given: ExchangeHead | undefined, chunk: Uint8Array, last: boolean): boolean {
    if (this.refuses) throw new Error('no such status')
    this.pieces.push(`${given === undefined ? '' : 'head '}${chunk.length}${last ? ' last' : ''}`)
    this.received = Buffer.concat([this.received, chunk])
    this.#onPiece?.()
    return this.hasRoom
  }

  fail(status: number, reason: string): void {
    this.failure = `${status} ${reason}`
  }

  async piece(count: number): Promise<void> {
    while (this.pieces.length < count) await new Promise<void>((resolve) => (this.#onPiece = resolve))
  }
}

describe('a file', () => {
  let tree: FileTree
  let client: SlowClient
  let log: string[]
  let delivery: Delivery
  const contents = Buffer.from(Array.from({ length: pieceSize * 3 + 5 }, (_, index) => index % 251))
  beforeEach(() => {
    tree = new FileTree()
    client = new SlowClient()
    log = []
    delivery = new Delivery(client, (line) => log.push(line))
  })
  afterEach(() => {
    expect(tree.openedBy(process.pid)).toEqual([])
    tree[Symbol.dispose]()
  })
  const send = async (offset: number, length: number, path = tree.file('a', contents)): Promise<void> =>
    await sendFile(delivery, head, { handle: await open(path), offset, length, path }, (line) => log.push(line))

  it('goes out piece by piece, each after the client took the one before', async () => {
    const sent = send(0, contents.length)
    for (let count = 1; count <= 3; count += 1) {
      await client.piece(count)
      expect(client.pieces).toHaveLength(count)
      // What was sent before by a worker counts along; less than all is not enough.
      delivery.acknowledge(1)
      delivery.acknowledge(pieceSize + 7)
    }
    await sent
    await delivery.ended
    expect(client.pieces).toEqual(['head 65536', '65536', '65536', '5 last'])
    expect(client.received.equals(contents)).toBe(true)
  })

  it('goes out in part, or not at all for a length of nothing', async () => {
    client.hasRoom = true
    await send(pieceSize - 2, 10)
    expect([client.pieces, client.received.equals(contents.subarray(pieceSize - 2, pieceSize + 8))]).toEqual([
      ['head 10 last'],
      true,
    ])
    delivery = new Delivery(client, () => {})
    await send(5, 0)
    expect(client.pieces.at(-1)).toBe('head 0 last')
  })

  it('is closed when the client leaves', async () => {
    const sent = send(0, contents.length)
    await client.piece(1)
    delivery.abandon()
    await sent
    await delivery.ended
    expect([client.pieces, client.failure]).toEqual([['head 65536'], ''])
  })

  it('that was cut ends in a failure, with or without a head', async () => {
    const path = tree.file('a', contents)
    const sent = send(0, contents.length, path)
    await client.piece(1)
    truncateSync(path, 10)
    delivery.acknowledge(pieceSize)
    await sent
    expect([client.failure, log]).toEqual([
      '500 the file was cut while it was sent',
      [`${path}: the file was cut to ${pieceSize} bytes while it was sent, connection closed`],
    ])
    client = new SlowClient()
    delivery = new Delivery(client, () => {})
    await send(20, 5, path)
    expect([client.pieces, client.failure]).toEqual([[], '500 the file was cut while it was sent'])
  })

  it('whose head cannot be said fails, once', async () => {
    client.refuses = true
    await send(0, 10)
    expect([client.failure, log]).toEqual(['500 the response was refused', ['response refused: no such status']])
  })
})

it('what is to be closed at the end is told of it, early or late', async () => {
  const delivery = new Delivery(new SlowClient(), () => {})
  const told: string[] = []
  delivery.onOver = () => told.push('early')
  delivery.abandon()
  delivery.abandon()
  delivery.onOver = () => told.push('late')
  expect(told).toEqual(['early', 'late'])
  expect(delivery.send(head, new Uint8Array(1), false)).toBeUndefined()
})
