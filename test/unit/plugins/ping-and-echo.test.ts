// Health checks and trial packets, as their peers see them.
import { expect, it } from 'vitest'
import echo from '../../../host/plugins/echo.ts'
import { createPingPlugin } from '../../../host/plugins/ping.ts'
import { PacketPeer } from './packet-peer.ts'

const none = new Uint8Array(0)

it('a ping is answered with an empty packet while all is well', async () => {
  const peer = await PacketPeer.of(createPingPlugin(), {})
  expect(await peer.send(0, none)).toEqual({ head: undefined, bytes: Buffer.of(100, 0, 0, 1), isEnded: true })
})

it('a ping is answered with the warning that a guest has set', async () => {
  const peer = await PacketPeer.of(createPingPlugin(), { warningMessage: Buffer.from('low on disk') })
  expect((await peer.send(0, none)).bytes.toString()).toBe('d\x0b\0\x01low on disk')
})

it('an echo brings the block back as it is, without a header', async () => {
  const peer = await PacketPeer.of(echo, {})
  const block = Uint8Array.of(0, 255, 1, 2, 3)
  expect(await peer.send(9, block)).toEqual({ head: undefined, bytes: Buffer.from(block), isEnded: true })
  expect(await peer.send(0, none)).toEqual({ head: undefined, bytes: Buffer.alloc(0), isEnded: true })
})
