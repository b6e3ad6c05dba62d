// Signals of other servers, as their peers see them.
import { expect, it } from 'vitest'
import type { Signals } from '../../../host/api/context.ts'
import { createSignalPlugin } from '../../../host/plugins/signal.ts'
import { PacketPeer } from './packet-peer.ts'

const none = new Uint8Array(0)

it('an empty packet raises the signal of its modifier2, and is told that it was taken', async () => {
  const raised: number[] = []
  const signals = { raise: (signum: number) => raised.push(signum) > 0 } as unknown as Signals
  const peer = await PacketPeer.of(createSignalPlugin(), { signals })
  for (const signum of [0, 7, 255]) {
    const { head, bytes, isEnded } = await peer.send(signum, none)
    expect([head, bytes.toString('hex'), isEnded]).toEqual([undefined, 'ff000001', true])
  }
  expect(raised).toEqual([0, 7, 255])
})

it('a signal that finds the queue full is refused', async () => {
  const peer = await PacketPeer.of(createSignalPlugin(), { signals: { raise: () => false } as unknown as Signals })
  expect((await peer.send(7, none)).bytes.toString('hex')).toBe('ff000000')
})
