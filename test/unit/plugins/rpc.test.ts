// RPC calls of other servers, as their peers see them.
import { beforeEach, describe, expect, it } from 'vitest'
import type { Rpc } from '../../../host/api/context.ts'
import { ApiError, GuestError } from '../../../host/errors.ts'
import { createRpcPlugin } from '../../../host/plugins/rpc.ts'
import { encodeArray, encodeVars } from '../../../protocol/index.ts'
import { decodeRpcAnswer } from '../../../protocol/rpc-packets.ts'
import { PacketPeer } from './packet-peer.ts'

type Answer = Uint8Array | undefined

const functions: Record<string, (...args: string[]) => Answer | Promise<Answer>> = {
  join: (...args) => Buffer.from(args.join('|'), 'latin1'),
  empty: () => new Uint8Array(0),
  none: () => undefined,
  large: () => new Uint8Array(70000).fill(120),
  later: async (what) => Buffer.from(`${what}!`),
  bad: () => {
    throw new GuestError('lua', "rpc function 'bad' (lua) raised: no", 'bad.lua:3: no')
  },
  late: async () => {
    throw new ApiError('call', 'API_REFUSED', 'too many arguments')
  },
  grüße: () => Buffer.from('hi'),
}

const rpc = {
  callAsync: (name: string, args: readonly Uint8Array[]) =>
    functions[name]?.(...args.map((arg) => Buffer.from(arg).toString('latin1'))),
} as Rpc

describe('an RPC call from another server', () => {
  let peer: PacketPeer

  beforeEach(async () => {
    peer = await PacketPeer.of(createRpcPlugin(), { rpc })
  })

  const call = async (modifier2: number, ...items: (string | Uint8Array)[]) => await peer.send(modifier2, encodeArray(items))
  const noAnswer = { head: undefined, bytes: Buffer.alloc(0), isEnded: true }

  it('is answered with a packet', async () => {
    const { head, bytes, isEnded } = await call(0, 'join', 'a', '', Uint8Array.of(0, 255))
    expect([head, bytes.toString('latin1'), isEnded]).toEqual([undefined, '\xad\x05\0\0a||\0\xff', true])
  })

  it('has an empty answer where the function gave one, and none where it did not', async () => {
    expect((await call(0, 'empty')).bytes).toEqual(Buffer.of(0xad, 0, 0, 0))
    expect(await call(0, 'none')).toEqual(noAnswer)
  })

  it('has answers longer than a packet', async () => {
    expect(decodeRpcAnswer((await call(0, 'large')).bytes)).toEqual({ result: Buffer.alloc(70000, 'x') })
  })

  it('waits for asynchronous functions', async () => {
    expect((await call(0, 'later', 'x')).bytes.subarray(4).toString()).toBe('x!')
  })

  it('has the bare result in every other mode', async () => {
    for (const modifier2 of [1, 7, 255]) expect((await call(modifier2, 'join', 'a', 'b')).bytes.toString()).toBe('a|b')
    expect(await call(1, 'none')).toEqual(noAnswer)
  })

  it('finds names that are text, and nothing for those that are none', async () => {
    expect((await call(1, Buffer.from('grüße'))).bytes.toString()).toBe('hi')
    expect(await call(0, Uint8Array.of(0xff, 0xfe))).toEqual(noAnswer)
  })

  it('is closed without a byte where it fails, and says why in the log', async () => {
    for (const name of ['unknown', 'bad', 'late']) expect(await call(0, name)).toEqual(noAnswer)
    expect(await peer.send(0, new Uint8Array(0))).toEqual(noAnswer)
    expect(await peer.send(0, encodeArray(['join', 'abc']).subarray(0, 9))).toEqual(noAnswer)
    expect(await call(0, 'join', ...new Array<string>(255).fill(''))).toEqual(noAnswer)
    expect(peer.logLines).toEqual([
      "rpc function 'bad' (lua) raised: no",
      'bad.lua:3: no',
      'uwsgi.call(): too many arguments',
      'empty RPC request, skipped',
      expect.stringContaining('invalid RPC request, skipped: invalid uwsgi array'),
      'invalid RPC request, skipped: an RPC call with 255 arguments (max 254)',
    ])
  })

  describe('in HTTP', () => {
    const get = async (path: string, vars: Record<string, string> = {}) => {
      const { head, bytes } = await peer.send(2, encodeVars(Object.entries({ PATH_INFO: path, ...vars })))
      return [head?.status, head?.headers.split('\0').join(' '), bytes.toString('latin1')]
    }

    it('names function and arguments in its path', async () => {
      expect(await get('/join/a//\xe9')).toEqual(['200 OK', 'Content-Length 4 Content-Type application/binary', 'a||\xe9'])
      expect((await get('/join/'))[2]).toBe('')
    })

    it('gives the type that the client asks for, when it is one', async () => {
      const type = async (accept: string) =>
        (await get('/empty', { HTTP_ACCEPT: accept }))[1]?.slice('Content-Length 0 Content-Type '.length)
      expect(await type('text/plain')).toBe('text/plain')
      for (const accept of ['*/*', '*', 'text/*', 'text/html,text/plain;q=0.5', 'a/b\x01']) {
        expect(await type(accept)).toBe('application/binary')
      }
    })

    it('has the status of each failure', async () => {
      expect((await get('/unknown'))[0]).toBe('404 Not Found')
      expect((await get('/none'))[0]).toBe('404 Not Found')
      expect(await get('/bad')).toEqual(['500 Internal Server Error', 'Content-Type text/plain', 'Internal Server Error\n'])
      for (const path of ['/', '']) expect((await get(path))[0]).toBe('500 Internal Server Error')
      expect((await get(`/join${'/x'.repeat(255)}`))[0]).toBe('400 Bad Request')
    })
  })
})
