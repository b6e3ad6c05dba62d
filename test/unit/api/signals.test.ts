// The group `signals` as a guest calls it: arguments checked by the table, values exactly as uWSGI returns them.
import { describe, expect, it } from 'vitest'
import { bindApi } from '../../../host/api/bind.ts'
import type { ApiContext, Signals } from '../../../host/api/context.ts'
import { GuestFunction } from '../../../host/api/guest-function.ts'
import type { ApiValue } from '../../../host/api/kinds.ts'
import { ApiArgumentError, ApiError } from '../../../host/errors.ts'
import { testContext } from '../../support/api-context.ts'

type Call = (name: string, ...args: ApiValue[]) => ApiValue

const create = (parts: Partial<ApiContext> = {}): { call: Call; done: unknown[][] } => {
  const done: unknown[][] = []
  const signals: Signals = {
    raise: (signum) => done.push(['raise', signum]) < 0,
    register: (signum, receiver, handler) => void done.push(['register', signum, receiver, handler]),
    isRegistered: (signum) => signum === 17,
    wait: (signum) => void done.push(['wait', signum]),
    waitAsync: async (signum) => void done.push(['waitAsync', signum]),
    handling: () => undefined,
    handled: () => 0,
    lastReceived: 17,
  }
  const { functions } = bindApi(testContext({ signals, ...parts }))
  const call: Call = (name, ...args) => {
    const bound = functions.find(({ entry }) => entry.name === name)
    if (bound === undefined) throw new Error(`there is no ${name}`)
    return bound.call(args)
  }
  return { call, done }
}

const handler = new GuestFunction({ name: 'fake' }, 1)

describe('the functions of signals', () => {
  it('return what uWSGI returns', () => {
    const { call, done } = create()
    expect(call('signal', 0)).toBeUndefined()
    expect(call('signal', 255, undefined)).toBeUndefined()
    expect(call('signal', 3, '')).toBeUndefined()
    expect(call('register_signal', 5, 'workers', handler)).toBeUndefined()
    expect(call('signal_registered', 17)).toBe(true)
    expect(call('signal_registered', 18)).toBeUndefined()
    expect(call('signal_wait')).toEqual(new Uint8Array(0))
    expect(call('signal_wait', 9)).toEqual(new Uint8Array(0))
    expect(call('signal_received')).toBe(17)
    expect(done).toEqual([
      ['raise', 0],
      ['raise', 255],
      ['raise', 3],
      ['register', 5, 'workers', handler],
      ['wait', undefined],
      ['wait', 9],
    ])
  })

  it.each<[string, ApiValue[], 'type' | 'value', string]>([
    ['signal', [], 'type', "missing argument 'signum'"],
    ['signal', ['1'], 'type', "argument 'signum' must be a whole number"],
    ['signal', [1.5], 'type', "argument 'signum' must be a whole number"],
    ['signal', [256], 'value', "argument 'signum' must be from 0 to 255, not 256"],
    ['signal', [-1], 'value', "argument 'signum' must be from 0 to 255, not -1"],
    ['signal', [1, 2], 'type', "argument 'node' must be text"],
    ['register_signal', [300, '', handler], 'value', "argument 'signum' must be from 0 to 255, not 300"],
    ['register_signal', [1, '', 'handler'], 'type', "argument 'handler' must be a function"],
    ['register_signal', [1, ''], 'type', "missing argument 'handler'"],
    ['register_signal', [1, 'x'.repeat(64), handler], 'value', "argument 'kind' may have 63 bytes, not 64"],
    ['signal_registered', [256], 'value', "argument 'signum' must be from 0 to 255, not 256"],
    ['signal_wait', [-1], 'value', "argument 'signum' must be from 0 to 255, not -1"],
    ['signal_wait', ['any'], 'type', "argument 'signum' must be a whole number"],
    ['signal_received', [1], 'type', 'takes at most 0 arguments, got 1'],
  ])('%s(%j) is a fault of %s, and nothing is done', (name, args, fault, message) => {
    const { call, done } = create()
    let error: unknown
    try {
      call(name, ...args)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(ApiArgumentError)
    expect(error).toMatchObject({ fault, functionName: name })
    expect((error as Error).message).toContain(message)
    expect(done).toEqual([])
  })
})

describe('a signal for another server', () => {
  const remote = (answer: () => Uint8Array | undefined) => {
    const asked: [string, unknown][] = []
    const master = {
      call: (name: string, args: unknown) => {
        asked.push([name, args])
        return answer()
      },
      notify: () => {},
    }
    return { ...create({ master: master as never, socketTimeoutMs: 1234 }), asked }
  }

  it('is a packet of four bytes, and its answer is awaited', () => {
    const { call, asked, done } = remote(() => Uint8Array.of(255, 0, 0, 1))
    expect(call('signal', 17, '127.0.0.1:3031')).toBeUndefined()
    const request = Uint8Array.of(110, 0, 0, 17)
    expect(asked).toEqual([['remote', { address: '127.0.0.1:3031', request, reply: 'packet', timeoutMs: 1234 }]])
    expect(done).toEqual([])
  })

  const unreachable = (): never => {
    throw new ApiError('remote', 'API_IO', 'connection refused')
  }
  it.each<[string, () => Uint8Array | undefined, string, string]>([
    ['cannot be reached', unreachable, 'API_IO', 'unable to deliver signal 17 to node n:1'],
    ['closes without an answer', () => undefined, 'API_IO', 'unable to deliver signal 17 to node n:1'],
    ['answers half', () => Uint8Array.of(255, 0), 'API_IO', 'unable to deliver signal 17 to node n:1'],
    ['speaks something else', () => Buffer.from('HTTP/1.1 400'), 'API_IO', 'unable to deliver signal 17 to node n:1'],
    ['refuses', () => Uint8Array.of(255, 0, 0, 0), 'API_REFUSED', 'node n:1 rejected signal 17'],
  ])('that %s fails with a word for that', (_, answer, code, message) => {
    const { call } = remote(answer)
    let error: unknown
    try {
      call('signal', 17, 'n:1')
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(ApiError)
    expect(error).toMatchObject({ code, message: `uwsgi.signal(): ${message}` })
  })
})
