// The API group `connection`, with a request and a master played by the test.
import { beforeEach, describe, expect, it } from 'vitest'
import { type BoundApi, bindApi } from '../../../host/api/bind.ts'
import type { Connections, CurrentRequest } from '../../../host/api/context.ts'
import type { ApiValue } from '../../../host/api/kinds.ts'
import type { Wait } from '../../../host/api/waiting.ts'
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
    const noted = (name: string, ...args: unknown[]): Wait<never> => ({
      park: () => note(name, ...args),
      promise: async () => note(`${name} later`, ...args),
    })
    const connections: Connections = {
      connect: (...args) => noted('connect', ...args),
      begin: (...args) => noted('begin', ...args),
      send: (...args) => noted('send', ...args),
      receive: (...args) => noted('recv', ...args),
      isConnected: (...args) => noted('isConnected', ...args),
      close: (...args) => note('close', ...args),
    }
    const request: CurrentRequest = {
      connectionFd: clientFd,
      coreId: 0,
      sendRaw: (data) => note('sendRaw', data),
      sendRawAsync: async (data) => note('sendRawAsync', data),
      receive: (max) => note('receive', max),
      receiveAsync: async (max) => note('receiveAsync', max),
      isOver: false,
      suspended: () => {},
      disconnect: () => note('disconnect'),
      isConnected: false,
      contentLength: 0,
      sendFile: () => false,
      setLogvar: () => {},
      getLogvar: () => undefined,
      logThisRequest: () => {},
    }
    inRequest = bindApi(testContext({ connections, request }))
    outside = bindApi(testContext({ connections }))
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
      ['send', otherFd, bytes('data')],
      ['sendRaw', bytes('x')],
    ])
  })

  it('does each without parking too, where that is asked for', async () => {
    const later = (name: string, ...args: ApiValue[]) =>
      inRequest.functions.find(({ entry }) => entry.name === name)?.callAsync?.(args)
    Object.assign(answers, { 'send later': false, 'recv later': bytes('theirs'), sendRawAsync: true, receiveAsync: undefined })
    expect(await later('send', otherFd, 'x')).toBeUndefined()
    expect(await later('recv', otherFd, 10)).toEqual(bytes('theirs'))
    expect([await later('send', 'x'), await later('recv', 10)]).toEqual([true, undefined])
    expect(seen.map(([name]) => name)).toEqual(['send later', 'recv later', 'sendRawAsync', 'receiveAsync'])
    expect(() => later('recv', otherFd, 0)).toThrow("argument 'max' must be from 1 to 1048576, not 0")
  })

  it('posts no more memory than the data', () => {
    call('send', otherFd, new Uint8Array(1000).subarray(0, 3))
    expect(seen[0]?.[2]).toHaveProperty('buffer.byteLength', 3)
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
      ['recv', otherFd, 100],
      ['receive', 7],
    ])
  })

  it('connects, with three seconds of patience or as many as it is given', () => {
    expect([call('connect', 'h:1'), call('connect', '@name', 0.25)]).toEqual([otherFd, otherFd])
    expect(seen).toEqual([
      ['connect', 'h:1', 3000],
      ['connect', '@name', 250],
    ])
  })

  it("closes and looks at connections, the client's by its number", () => {
    expect(call('close', otherFd)).toBeUndefined()
    expect(call('close', clientFd)).toBeUndefined()
    expect([call('is_connected', otherFd), call('is_connected', clientFd)]).toEqual([true, false])
    expect(seen).toEqual([['close', otherFd], ['disconnect'], ['isConnected', otherFd]])
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
      ['send', otherFd, bytes('x')],
      ['close', clientFd],
    ])
  })
})
