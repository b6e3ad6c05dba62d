// RPC calls and answers as bytes: uWSGI's own, and what uWSGI cannot say.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeArray, encodePacket, encodeVars, ProtocolError } from '../../../protocol/index.ts'
import { answersInPackets, bodyLength, hasVarsBlock } from '../../../protocol/modifiers.ts'
import { decodeRpcAnswer, decodeRpcCall, encodeRpcAnswerHead, encodeRpcCall } from '../../../protocol/rpc-packets.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const answer = (result: Uint8Array): Uint8Array => Buffer.concat([encodeRpcAnswerHead(result.length), result])

describe('an RPC call', () => {
  it('is the packet that uWSGI sends', () => {
    // Recorded from uwsgi.rpc('127.0.0.1:...', b'hello', b'a', b'bc') of uWSGI 2.0.21.
    const packet = encodeRpcCall({ name: bytes('hello'), args: [bytes('a'), bytes('bc')] })
    expect(Buffer.from(packet).toString('hex')).toBe('ad0e0000050068656c6c6f01006102006263')
  })

  it('comes back as it was, empty and binary arguments included', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 50 }),
        fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 254 }),
        (name, args) => {
          const call = decodeRpcCall(encodeRpcCall({ name, args }).subarray(4))
          expect([call?.name, call?.args].map((part) => JSON.stringify(part))).toEqual(
            [name, args].map((part) => JSON.stringify(part)),
          )
        },
      ),
    )
  })

  it('names nothing when its block is empty', () => {
    expect(decodeRpcCall(new Uint8Array(0))).toBeUndefined()
  })

  it('is refused with an argument more than uWSGI reads, and when it is cut', () => {
    const block = encodeArray(['f', ...new Array<string>(255).fill('')])
    expect(() => decodeRpcCall(block)).toThrow('an RPC call with 255 arguments (max 254)')
    expect(() => decodeRpcCall(encodeArray(['f', 'abc']).subarray(0, 7))).toThrow('invalid uwsgi array')
  })

  it('does not fit a packet with more than 65535 bytes', () => {
    const half = new Uint8Array(40000)
    expect(() => encodeRpcCall({ name: bytes('f'), args: [half, half] })).toThrow(ProtocolError)
  })
})

describe('an RPC answer', () => {
  it.each([0, 1, 65535, 65536, 200000])('of %i bytes comes back as it was', (length) => {
    const result = new Uint8Array(length).fill(7)
    expect(decodeRpcAnswer(answer(result))).toEqual({ result: Buffer.from(result) })
  })

  it('has the form of uWSGI, the long one too', () => {
    expect(Buffer.from(answer(bytes('ok'))).toString('hex')).toBe('ad0200006f6b')
    // Recorded from uWSGI 2.0.21: a dictionary with the length, under modifier2 5, before 70000 bytes.
    expect(Buffer.from(encodeRpcAnswerHead(70000)).toString('hex')).toBe('ad1700050e00434f4e54454e545f4c454e47544805003730303030')
  })

  it('is told from one that is cut off, wherever that is', () => {
    const long = answer(new Uint8Array(70000))
    for (const [whole, length, fault] of [
      [answer(bytes('hello')), 3, 'the answer ends after 3 bytes'],
      [answer(bytes('hello')), 6, 'the answer ends after 2 of 5 bytes'],
      [long, 10, 'the answer ends after 6 of 23 bytes'],
      [long, 1027, 'the answer ends after 1000 of 70000 bytes'],
    ] as const) {
      expect(decodeRpcAnswer(whole.subarray(0, length))).toEqual({ fault })
    }
  })

  it('is told from what another protocol says, and from a length that is none', () => {
    expect(decodeRpcAnswer(bytes('HTTP/1.1 200 OK\r\n'))).toEqual({
      fault: 'a packet of modifiers 72 and 80 is no answer to a call',
    })
    expect(decodeRpcAnswer(encodePacket(173, 5, encodeVars([['A', 'b']])))).toEqual({
      fault: 'the answer does not say how long it is',
    })
    expect(decodeRpcAnswer(encodePacket(173, 5, encodeVars([['CONTENT_LENGTH', '-1']])))).toEqual({
      fault: '"-1" is not a content length',
    })
  })

  it('throws nothing on garbage', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (garbage) => void decodeRpcAnswer(garbage)))
  })
})

describe('what modifiers say about packets', () => {
  it('a call in HTTP is answered in HTTP, the other calls and the other peers are not', () => {
    expect([0, 1, 2, 9].map((modifier2) => answersInPackets(173, modifier2))).toEqual([true, true, false, true])
    expect([0, 6, 24, 250, 17, 100, 101, 110, 111].map((modifier1) => answersInPackets(modifier1, 0))).toEqual([
      ...[false, false, false, false],
      ...[true, true, true, true, true],
    ])
  })

  it('arrays and bytes are not taken for variables, whatever they hold', () => {
    const array = encodeArray(['CONTENT_LENGTH', '100'])
    expect([0, 1, 2].map((modifier2) => hasVarsBlock(173, modifier2))).toEqual([false, false, true])
    expect([bodyLength(173, 0, array), bodyLength(101, 0, array), bodyLength(0, 0, array)]).toEqual([0, 0, 100])
  })

  it('a cache item is as long as its size says, and only what is stored has one', () => {
    const item = (cmd: string) =>
      encodeVars([
        ['cmd', cmd],
        ['key', 'k'],
        ['size', '5'],
        ['CONTENT_LENGTH', '9'],
      ])
    expect(['set', 'update', 'get', 'del'].map((cmd) => bodyLength(111, 17, item(cmd)))).toEqual([5, 5, 0, 0])
  })
})
