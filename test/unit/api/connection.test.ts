// The API group `connection`, with a request and a master played by the test.
import { beforeEach, describe, expect, it } from 'vitest'
import { type BoundApi, bindApi } from '../../../host/api/bind.ts'
import type { CurrentRequest } from '../../../host/api/context.ts'
import type { ApiValue } from '../../../host/api/kinds.ts'
import type { MasterCalls } from '../../../host/api/master-calls.ts'
import { ApiError } from '../../../host/errors.ts'
import { testContext } from '../../support/api-context.ts'

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))
const clientFd = 5
const otherFd = 2 ** 20

describe('the API group connection', () => {
  let seen: unknown[][]
  let answers: Record<string, unknown>
  let inRequest: BoundApi
  let outside: BoundApi

  beforeEach(() => {
    seen = []
    answers = { connect: otherFd, send: true, recv: bytes('theirs'), isConnected: true, sendRaw: true, receive: bytes('mine') }
    const note = (name: string, ...args: unknown[]): never => {
      seen.push([name, ...args])
      return answers[name] as never
    }
    const master: MasterCalls = { call: (name, args) => note(name, args), notify: () => {} }
    const request: CurrentRequest = {
      connectionFd: clientFd,
      coreId: 0,
      sendRaw: (data) => note('sendRaw', data),
      receive: (max) => note('receive', max),
      disconnect: () => note('disconnect'),
      isConnected: false,
      contentLength: 0,
      sendFile: () => false,
      setLogvar: () => {},
      getLogvar: () => undefined,
      logThisRequest: () => {},
    }
    inRequest = bindApi(testContext({ master, request, socketTimeoutMs: 1500 }))
    outside = bindApi(testContext({ master, socketTimeoutMs: 1500 }))
  })

  const callOf = (api: BoundApi, name: string, ...args: ApiValue[]): ApiValue =>
    api.functions.find(({ entry }) => entry.name === name)?.call(args)
  const call = (name: string, ...args: ApiValue[]): ApiValue => callOf(inRequest, name, ...args)

  it('sends one value to the client, and two by descriptor', () => {
    expect([call('send', 'text'), call('send', otherFd, bytes('data')), call('send', clientFd, bytes('x'))]).toEqual([
      true,
      true,
      true,
    ])
    expect(seen).toEqual([
      ['sendRaw', bytes('text')],
      ['send', { fd: otherFd, data: bytes('data'), timeoutMs: 1500 }],
      ['sendRaw', bytes('x')],
    ])
  })

  it('posts no more memory than the data', () => {
    call('send', otherFd, new Uint8Array(1000).subarray(0, 3))
    expect(seen[0]?.[1]).toHaveProperty('data.buffer.byteLength', 3)
  })

  it('has nothing to say where the other side is gone', () => {
    Object.assign(answers, { send: false, sendRaw: false, recv: undefined, receive: undefined })
    expect([call('send', 'x'), call('send', otherFd, 'x'), call('recv', 10), call('recv', otherFd, 10)]).toEqual([
      ...[undefined, undefined],
      ...[undefined, undefined],
    ])
  })

  it.each<[string, ApiValue[], string]>([
    ['send', [], "missing argument 'fd_or_data'"],
    ['send', [7], "argument 'data' is missing: send(data) or send(fd, data)"],
    ['send', ['a', 'b'], "argument 'fd_or_data' must be a descriptor, a whole number, before the data"],
    ['send', [7, 8], "argument 'data' must be text or bytes"],
    ['send', [true, 'x'], "argument 'fd_or_data' must be a whole number, text or bytes"],
    ['send', [-1, 'x'], "argument 'fd_or_data' must be from 0 to 9007199254740991, not -1"],
    ['send', [1.5, 'x'], "argument 'fd_or_data' must be a whole number, text or bytes"],
    ['recv', [], "missing argument 'fd_or_max'"],
    ['recv', [0], "argument 'fd_or_max' must be from 1 to 1048576 when it stands alone, not 0; of a descriptor: recv(fd, max)"],
    ['recv', [otherFd + 1], "argument 'fd_or_max' must be from 1 to 1048576 when it stands alone, not 1048577; of a descriptor"],
    ['recv', [otherFd, 0], "argument 'max' must be from 1 to 1048576, not 0"],
    ['recv', ['x'], "argument 'fd_or_max' must be a whole number"],
    ['connect', ['h:1', 0], "argument 'timeout' must be above 0 and at most 86400, not 0"],
    ['connect', ['h:1', Number.NaN], "argument 'timeout' must be above 0 and at most 86400, not NaN"],
    ['connect', [7], "argument 'address' must be text"],
    ['close', ['x'], "argument 'fd' must be a whole number"],
  ])('%s(%j) names what is wrong, and does nothing', (name, args, why) => {
    expect(() => call(name, ...args)).toThrow(`uwsgi.${name}(): ${why}`)
    expect(seen).toEqual([])
  })

  it('receives from the client with one number, and from a descriptor with two', () => {
    expect([call('recv', 100), call('recv', otherFd, 100), call('recv', clientFd, 7)]).toEqual([
      bytes('mine'),
      bytes('theirs'),
      bytes('mine'),
    ])
    expect(seen).toEqual([
      ['receive', 100],
      ['recv', { fd: otherFd, max: 100, timeoutMs: 1500 }],
      ['receive', 7],
    ])
  })

  it('connects, with three seconds of patience or as many as it is given', () => {
    expect([call('connect', 'h:1'), call('connect', '@name', 0.25)]).toEqual([otherFd, otherFd])
    expect(seen).toEqual([
      ['connect', { address: 'h:1', timeoutMs: 3000 }],
      ['connect', { address: '@name', timeoutMs: 250 }],
    ])
  })

  it("closes and looks at connections, the client's by its number", () => {
    expect(call('close', otherFd)).toBeUndefined()
    expect(call('close', clientFd)).toBeUndefined()
    expect([call('is_connected', otherFd), call('is_connected', clientFd)]).toEqual([true, false])
    expect(seen).toEqual([['close', { fd: otherFd }], ['disconnect'], ['isConnected', { fd: otherFd }]])
  })

  it('disconnects, and tells the number of the connection', () => {
    expect([call('disconnect'), call('connection_fd')]).toEqual([undefined, clientFd])
    expect(seen).toEqual([['disconnect']])
  })

  it('has no client outside of requests, and says so by function', () => {
    for (const [name, ...args] of [['connection_fd'], ['send', 'x'], ['recv', 10], ['disconnect']] as [string, ...ApiValue[]][]) {
      expect(() => callOf(outside, name, ...args)).toThrow(`uwsgi.${name}(): there is no request at the moment`)
      expect(() => callOf(outside, name, ...args)).toThrow(ApiError)
    }
    // Other connections are there all the same; a client's number is a number like others.
    expect(callOf(outside, 'send', otherFd, 'x')).toBe(true)
    callOf(outside, 'close', clientFd)
    expect(seen).toEqual([
      ['send', { fd: otherFd, data: bytes('x'), timeoutMs: 1500 }],
      ['close', { fd: clientFd }],
    ])
  })
})
