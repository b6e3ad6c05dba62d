// Cache packets: byte for byte what real uWSGI writes and reads, and a clear refusal of anything else.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type CacheRequest,
  decodeCacheReply,
  decodeCacheRequest,
  encodeCacheReply,
  encodeCacheRequest,
} from '../../../protocol/cache-packets.ts'
import { decodeHeader, encodePacket, encodeVars, headerSize, ProtocolError } from '../../../protocol/index.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')
const none = bytes('')
const text = (value: Uint8Array): string => Buffer.from(value).toString('latin1')
const blockOf = (packet: Uint8Array): Uint8Array => packet.subarray(headerSize, headerSize + decodeHeader(packet).size)

/** Sent by uWSGI 2.0.21 for calls of its Python API. */
const sent: readonly (readonly [string, string, CacheRequest])[] = [
  [
    "cache_get('k', 'c@...')",
    '6f1c00110300636d64030067657403006b657901006b05006361636865010063',
    { cmd: 'get', key: bytes('k'), size: 0, expires: 0, cache: 'c' },
  ],
  [
    "cache_get('k', '@...')",
    '6f1b00110300636d64030067657403006b657901006b050063616368650000',
    { cmd: 'get', key: bytes('k'), size: 0, expires: 0, cache: '' },
  ],
  [
    "cache_exists('k', 'c@...')",
    '6f1f00110300636d64060065786973747303006b657901006b05006361636865010063',
    { cmd: 'exists', key: bytes('k'), size: 0, expires: 0, cache: 'c' },
  ],
  [
    "cache_set('k', 'value', 33, '@...')",
    '6f3a00110300636d64030073657403006b657901006b040073697a6501003507006578706972657302003333040073697a6501003505006361636865000076616c7565',
    { cmd: 'set', key: bytes('k'), size: 5, expires: 33, cache: '' },
  ],
  [
    "cache_update('k', 'value', 7, 'c@...')",
    '6f3d00110300636d64060075706461746503006b657901006b040073697a65010035070065787069726573010037040073697a650100350500636163686501006376616c7565',
    { cmd: 'update', key: bytes('k'), size: 5, expires: 7, cache: 'c' },
  ],
  [
    "cache_del('k', 'c@...')",
    '6f1c00110300636d64030064656c03006b657901006b05006361636865010063',
    { cmd: 'del', key: bytes('k'), size: 0, expires: 0, cache: 'c' },
  ],
  [
    "cache_clear('c@...')",
    '6f1600110300636d640500636c65617205006361636865010063',
    { cmd: 'clear', key: none, size: 0, expires: 0, cache: 'c' },
  ],
]

describe('a cache request', () => {
  it.each(sent)('%s of uWSGI is read', (_, hex, request) => {
    expect(decodeCacheRequest(blockOf(Buffer.from(hex, 'hex')))).toEqual({ ...request, key: expect.anything() })
    expect(text(decodeCacheRequest(blockOf(Buffer.from(hex, 'hex'))).key)).toBe(text(request.key))
  })

  it.each([sent[0]!, sent[2]!, sent[5]!, sent[6]!])('%s is written as uWSGI writes it', (_, hex, request) => {
    expect(Buffer.from(encodeCacheRequest(request)).toString('hex')).toBe(hex)
  })

  it('carries the value behind the packet', () => {
    const packet = encodeCacheRequest({ cmd: 'set', key: bytes('k'), expires: 33, cache: 'c' }, bytes('value'))
    expect(text(packet)).toBe(
      '\x6f\x32\0\x11\x03\0cmd\x03\0set\x03\0key\x01\0k\x04\0size\x01\x005\x07\0expires\x02\x0033\x05\0cache\x01\0cvalue',
    )
  })

  it('comes back as it was, whatever its bytes', () => {
    const request = fc.record({
      cmd: fc.constantFrom('set', 'update', 'get', 'del', 'exists') as fc.Arbitrary<CacheRequest['cmd']>,
      key: fc.uint8Array({ minLength: 1, maxLength: 300 }),
      expires: fc.nat(),
      cache: fc.string({ unit: 'grapheme', maxLength: 20 }),
    })
    fc.assert(
      fc.property(request, fc.uint8Array({ minLength: 1 }), (request, value) => {
        const takesValue = request.cmd === 'set' || request.cmd === 'update'
        const packet = encodeCacheRequest(request, takesValue ? value : undefined)
        const decoded = decodeCacheRequest(blockOf(packet))
        expect(decoded).toEqual({
          ...request,
          key: expect.anything(),
          size: takesValue ? value.length : 0,
          expires: takesValue ? request.expires : 0,
        })
        expect(text(decoded.key)).toBe(text(request.key))
        if (takesValue) expect(text(packet).endsWith(text(value))).toBe(true)
      }),
    )
  })

  it.each<[string, readonly (readonly [string, string])[], string]>([
    ['no command', [['key', 'k']], 'a cache request without a command'],
    [
      'an unknown command',
      [
        ['cmd', 'inc'],
        ['key', 'k'],
      ],
      "'inc' is no command of a cache",
    ],
    ['no key', [['cmd', 'get']], "the cache request 'get' has no key"],
    [
      'an empty key',
      [
        ['cmd', 'del'],
        ['key', ''],
      ],
      "the cache request 'del' has no key",
    ],
    [
      'no value',
      [
        ['cmd', 'set'],
        ['key', 'k'],
      ],
      "the cache request 'set' has no value",
    ],
    [
      'a size that is none',
      [
        ['cmd', 'update'],
        ['key', 'k'],
        ['size', '-5'],
      ],
      "'size' of a cache packet must be a decimal number, not '-5'",
    ],
    [
      'an expiry that is none',
      [
        ['cmd', 'set'],
        ['key', 'k'],
        ['size', '5'],
        ['expires', 'soon'],
      ],
      "'expires' of a cache packet must be a decimal number, not 'soon'",
    ],
  ])('with %s is refused', (_, vars, problem) => {
    expect(() => decodeCacheRequest(encodeVars(vars))).toThrow(new ProtocolError('CACHE_PACKET', problem))
  })

  it('that is cut is refused at any length, or shorter by whole values', () => {
    const block = blockOf(Buffer.from(sent[3]![1], 'hex'))
    for (let length = 0; length < block.length; length += 1) {
      try {
        expect(decodeCacheRequest(block.subarray(0, length)).cmd).toBe('set')
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError)
      }
    }
  })
})

describe('a cache reply', () => {
  it('is written as uWSGI writes it', () => {
    expect(text(encodeCacheReply())).toBe('\x6f\x0c\0\x11\x06\0status\x02\0ok')
    expect(text(encodeCacheReply(bytes('v\0\xff')))).toBe('\x6f\x15\0\x11\x06\0status\x02\0ok\x04\0size\x01\x003v\0\xff')
    expect(text(encodeCacheReply(bytes('v'), 1_700_000_000))).toBe(
      '\x6f\x2a\0\x11\x06\0status\x02\0ok\x04\0size\x01\x001\x07\0expires\x0a\x001700000000v',
    )
  })

  it('is read, with its value and its expiry', () => {
    expect(decodeCacheReply(encodeCacheReply())).toEqual({ value: undefined, expires: 0 })
    const value = Uint8Array.from({ length: 256 }, (_, index) => index)
    expect(decodeCacheReply(encodeCacheReply(value, 5))).toEqual({ value, expires: 5 })
  })

  it('of no bytes means that the request failed', () => {
    expect(decodeCacheReply(none)).toBe(undefined)
  })

  it.each<[string, Uint8Array, string]>([
    ['cut in its header', bytes('\x6f\x0c'), 'a cache reply of 2 bytes'],
    ['cut in its block', encodeCacheReply().subarray(0, 10), 'the cache reply ends after 10 of 16 bytes'],
    ['cut in its value', encodeCacheReply(bytes('value')).subarray(0, 27), 'the cache reply has 2 of 5 bytes of the value'],
    ['of HTTP', bytes('HTTP/1.0 400 Bad Request\r\n\r\n'), 'the modifiers of a cache reply are 111 and 17, not 72 and 80'],
    [
      'with another status',
      encodePacket(111, 17, encodeVars([['status', 'no']])),
      "the status of a cache reply is 'ok', not 'no'",
    ],
    ['without a status', encodePacket(111, 17, none), "the status of a cache reply is 'ok', not ''"],
  ])('%s is refused', (_, reply, problem) => {
    expect(() => decodeCacheReply(reply)).toThrow(new ProtocolError('CACHE_PACKET', problem))
  })
})
