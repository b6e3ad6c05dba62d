// The group `mules` as guests call it: what reaches the thread's part, and what is refused before it does.
import { describe, expect, it } from 'vitest'
import { bindApi } from '../../../host/api/bind.ts'
import type { ApiContext, Mules } from '../../../host/api/context.ts'
import type { ApiValue } from '../../../host/api/kinds.ts'
import { ApiArgumentError, ApiError } from '../../../host/errors.ts'
import { testContext } from '../../support/api-context.ts'

const bytes = (text: string) => Buffer.from(text, 'latin1')

const create = (parts: Partial<Mules> = {}) => {
  const done: unknown[][] = []
  const lines: string[] = []
  const mules: Mules = {
    send: (message, target, name) => done.push([Buffer.from(message).toString('latin1'), target, name]) > 0,
    receive: (options) => void done.push([options]),
    receiveFromFarm: () => bytes('from the farm'),
    isInFarm: (name = 'thumbs') => name === 'thumbs',
    ...parts,
  }
  const log = { text: (line: string) => void lines.push(line), bytes: () => {} }
  const context: Partial<ApiContext> = { mules, log }
  const { functions, hooks } = bindApi(testContext(context))
  const call = (name: string, ...args: ApiValue[]): ApiValue => {
    const bound = functions.find(({ entry }) => entry.name === name)
    if (bound === undefined) throw new Error(`there is no ${name}`)
    return bound.call(args)
  }
  return { call, done, lines, hooks, functions }
}

describe('the functions of mules', () => {
  it('send bytes or text, to a number, a name, or any mule', () => {
    const { call, done } = create()
    expect(call('mule_msg', bytes('\0\xff'))).toBe(true)
    expect(call('mule_msg', 'é', 2)).toBe(true)
    expect(call('mule_msg', 'x', bytes('thumbs'))).toBe(true)
    expect(call('mule_msg', 'x', 'thumbs')).toBe(true)
    expect(call('mule_msg', 'x', 0)).toBe(true)
    expect(done).toEqual([
      ['\0\xff', undefined, undefined],
      ['\xc3\xa9', 2, undefined],
      ['x', 'thumbs', undefined],
      ['x', 'thumbs', undefined],
      ['x', 0, undefined],
    ])
  })

  it('tell of a full queue: mule_msg by its result, farm_msg by a line in the log', () => {
    const { call, lines } = create({ send: () => false })
    expect(call('mule_msg', 'x')).toBe(false)
    expect(call('farm_msg', 'thumbs', 'x')).toBeUndefined()
    expect(lines).toEqual(['the queue of farm thumbs is full: a message was dropped'])
  })

  it('send to farms', () => {
    const { call, done, lines } = create()
    expect(call('farm_msg', bytes('thumbs'), bytes('\xff'))).toBeUndefined()
    expect([done, lines]).toEqual([[['\xff', 'thumbs', 'farm_msg']], []])
  })

  it('wait as they are told, and for ever by default', () => {
    const { call, done } = create()
    for (const args of [[], [false, false, 10, 2.5], [true, true, 65_536, 0], [undefined, undefined, undefined, -0.5]]) {
      expect(call('mule_get_msg', ...args)).toEqual(new Uint8Array(0))
    }
    expect(done).toEqual([
      [{ signals: true, farms: true, timeoutMs: -1 }],
      [{ signals: false, farms: false, timeoutMs: 2500 }],
      [{ signals: true, farms: true, timeoutMs: 0 }],
      [{ signals: true, farms: true, timeoutMs: -1 }],
    ])
  })

  it('return messages, cut to the size asked for', () => {
    const { call } = create({ receive: () => bytes('\0message') })
    expect(call('mule_get_msg')).toEqual(bytes('\0message'))
    expect(call('mule_get_msg', true, true, 3)).toEqual(bytes('\0me'))
    expect(call('farm_get_msg')).toEqual(bytes('from the farm'))
  })

  it('know the farms: true or nothing', () => {
    const { call } = create()
    expect([call('in_farm', 'thumbs'), call('in_farm', bytes('mails'))]).toEqual([true, undefined])
    expect(call('in_farm')).toBe(true)
  })

  it.each<[string, ApiValue[], 'type' | 'value', string]>([
    ['mule_msg', [], 'type', "missing argument 'message'"],
    ['mule_msg', [5], 'type', "argument 'message' must be text or bytes"],
    ['mule_msg', [new Uint8Array(65_537)], 'value', "argument 'message' may have 65536 bytes, not 65537"],
    ['mule_msg', ['x', -1], 'value', "argument 'target' must be from 0 to 9007199254740991, not -1"],
    ['mule_msg', ['x', 1.5], 'type', "argument 'target' must be a whole number, text or bytes"],
    ['mule_msg', ['x', true], 'type', "argument 'target' must be a whole number, text or bytes"],
    ['farm_msg', ['thumbs'], 'type', "missing argument 'message'"],
    ['farm_msg', [1, 'x'], 'type', "argument 'farm' must be text"],
    ['farm_msg', ['thumbs', new Uint8Array(65_537)], 'value', "argument 'message' may have 65536 bytes, not 65537"],
    ['mule_get_msg', [1], 'type', "argument 'signals' must be a boolean"],
    ['mule_get_msg', [true, true, 0], 'value', "argument 'buffer_size' must be from 1 to 65536, not 0"],
    ['mule_get_msg', [true, true, 65_537], 'value', "argument 'buffer_size' must be from 1 to 65536, not 65537"],
    ['mule_get_msg', [true, true, 10, 'x'], 'type', "argument 'timeout' must be a number"],
    ['mule_get_msg', [true, true, 10, Number.NaN], 'value', "argument 'timeout' must be a number of seconds, not NaN"],
    ['farm_get_msg', [1], 'type', 'takes at most 0 arguments, got 1'],
    ['in_farm', ['thumbs', 'mails'], 'type', 'takes at most 1 argument, got 2'],
  ])('%s refuses bad arguments, and nothing is sent or taken (%#)', (name, args, fault, message) => {
    const { call, done } = create()
    let refusal: unknown
    try {
      call(name, ...args)
    } catch (error) {
      refusal = error
    }
    expect(refusal).toBeInstanceOf(ApiArgumentError)
    expect(refusal).toMatchObject({ fault, message: `uwsgi.${name}(): ${message}` })
    expect(done).toEqual([])
  })

  it('hand on what the thread refuses', () => {
    const refuse = (): never => {
      throw new ApiError('mule_msg', 'API_REFUSED', 'no mule is configured')
    }
    const { call } = create({ send: refuse })
    expect(() => call('mule_msg', 'x')).toThrow('uwsgi.mule_msg(): no mule is configured')
    expect(() => call('farm_msg', 'thumbs', 'x')).toThrow(ApiError)
  })

  it('have the name of the real Lua plugin too, and stand beside their hooks', () => {
    const { functions, hooks } = create()
    expect(functions.find(({ entry }) => entry.name === 'mule_get_msg')?.entry.luaAliases).toEqual(['mule_msg_get'])
    const names = hooks.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['mule_msg_hook', 'post_fork_hook', 'after_req_hook', 'atexit', 'spooler']))
  })
})
