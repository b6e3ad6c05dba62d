// The API group `async`, with the thread's part of it played by the test.
import { beforeEach, describe, expect, it } from 'vitest'
import { type BoundApi, bindApi } from '../../../host/api/bind.ts'
import type { Connections, CoreWaits, CurrentRequest } from '../../../host/api/context.ts'
import type { ApiValue } from '../../../host/api/kinds.ts'
import { ApiArgumentError, ApiError } from '../../../host/errors.ts'
import { testContext } from '../../support/api-context.ts'

describe('the API group async', () => {
  let seen: unknown[][]
  let api: BoundApi

  const note = (...what: unknown[]): void => void seen.push(what)
  const waits: CoreWaits = {
    isAsync: true,
    addFd: (...args) => note('addFd', ...args),
    addTimeout: (timeoutMs) => note('addTimeout', timeoutMs),
    commit: () => undefined,
    settled: async () => note('settled'),
    park: () => note('park'),
    readyFd: 7,
    isTimedOut: false,
  }
  const connections = {
    begin: (address: string, timeoutMs: number) => ({
      park: () => seen.push(['begin', address, timeoutMs]) && 1000,
      promise: async () => seen.push(['begin later', address, timeoutMs]) && 1001,
    }),
  } as unknown as Connections
  const bind = (request: CurrentRequest | undefined): BoundApi =>
    bindApi(testContext({ waits, connections, request, socketTimeoutMs: 1500 }))
  const found = (name: string) => api.functions.find(({ entry }) => entry.name === name)
  const call = (name: string, ...args: ApiValue[]): ApiValue => found(name)?.call(args)

  beforeEach(() => {
    seen = []
    api = bind(undefined)
  })

  it('registers what is to be waited for, in milliseconds, and answers with no bytes', () => {
    const nothing = new Uint8Array(0)
    expect(call('wait_fd_read', 5)).toEqual(nothing)
    expect(call('wait_fd_write', 6, 0.0001)).toEqual(nothing)
    expect(call('async_sleep', 1.5)).toEqual(nothing)
    expect(seen).toEqual([
      ['addFd', 'wait_fd_read', 5, 'read', 0],
      ['addFd', 'wait_fd_write', 6, 'write', 1],
      ['addTimeout', 1500],
    ])
  })

  it.each([0, -3, Number.NEGATIVE_INFINITY, Number.NaN])('registers nothing for a sleep of %s seconds', (seconds) => {
    expect(call('async_sleep', seconds)).toEqual(new Uint8Array(0))
    expect(seen).toEqual([])
  })

  it('waits in both ways, and answers true', async () => {
    expect(call('suspend')).toBe(true)
    expect(await found('suspend')?.callAsync?.([])).toBe(true)
    expect([call('async_connect', 'h:1'), await found('async_connect')?.callAsync?.(['h:1'])]).toEqual([1000, 1001])
    expect(seen).toEqual([['park'], ['settled'], ['begin', 'h:1', 1500], ['begin later', 'h:1', 1500]])
    expect(call('ready_fd')).toBe(7)
  })

  it('knows the core of a request, and that there is none outside', () => {
    expect(() => call('async_id')).toThrow(new ApiError('async_id', 'API_REFUSED', 'there is no request at the moment'))
    api = bind({ coreId: 3 } as CurrentRequest)
    expect(call('async_id')).toBe(3)
  })

  it.each<[string, ApiValue[], string]>([
    ['async_sleep', [86_401], "argument 'seconds' must be at most 86400 seconds, not 86401"],
    ['async_sleep', [Number.POSITIVE_INFINITY], "argument 'seconds' must be at most 86400 seconds, not Infinity"],
    ['async_sleep', ['1'], "argument 'seconds' must be a number"],
    ['async_sleep', [], "missing argument 'seconds'"],
    ['wait_fd_read', [5, -1], "argument 'timeout' must be at least 0 seconds, not -1"],
    ['wait_fd_read', [5, Number.NaN], "argument 'timeout' must be at least 0 seconds, not NaN"],
    ['wait_fd_write', [5, 86_400.5], "argument 'timeout' must be at most 86400 seconds, not 86400.5"],
    ['wait_fd_write', [-1], "argument 'fd' must be from 0 to 9007199254740991, not -1"],
    ['wait_fd_read', [], "missing argument 'fd'"],
    ['async_connect', [7], "argument 'address' must be text"],
    ['async_connect', ['x'.repeat(513)], "argument 'address' may have 512 bytes, not 513"],
    ['suspend', [1], 'takes at most 0 arguments, got 1'],
  ])('%s(%j) names what is wrong, and registers nothing', (name, args, why) => {
    expect(() => call(name, ...args)).toThrow(`uwsgi.${name}(): ${why}`)
    expect(() => call(name, ...args)).toThrow(ApiArgumentError)
    expect(seen).toEqual([])
  })
})
