// The group `clocks` as a guest calls it: what the master is asked for, which place a registration is made at, bad input.
import { describe, expect, it } from 'vitest'
import { bindApi } from '../../../host/api/bind.ts'
import type { ApiValue } from '../../../host/api/kinds.ts'
import { ApiArgumentError, ApiError } from '../../../host/errors.ts'
import { testContext, testThread } from '../../support/api-context.ts'

const create = ({ isLoading = false, refuse = false } = {}) => {
  const asked: { name: string; args: Record<string, unknown> }[] = []
  const state = { isLoading, refuse }
  const master = {
    call: (name: string, args: Record<string, unknown>) => {
      if (state.refuse) throw new ApiError('add_timer', 'API_REFUSED', 'unable to add timer: there are 64 already')
      asked.push({ name, args })
    },
    notify: () => {},
  }
  const thread = {
    ...testThread(),
    get isLoading() {
      return state.isLoading
    },
  }
  const { functions } = bindApi(testContext({ master: master as never, thread }))
  const call = (name: string, ...args: ApiValue[]): ApiValue => functions.find(({ entry }) => entry.name === name)!.call(args)
  return { call, asked, state }
}

const registration = { whileLoading: false, ordinal: 0 }

describe('the functions of clocks', () => {
  it('return what uWSGI returns, and ask the master', () => {
    const { call, asked } = create()
    expect(call('add_timer', 1, 60)).toBeUndefined()
    expect(call('add_ms_timer', 2, 250)).toBeUndefined()
    expect(call('add_rb_timer', 3, 10)).toBeUndefined()
    expect(call('add_rb_timer', 3, 0, 5)).toBeUndefined()
    expect(call('add_cron', 4, 59, -1, -31, 12, 7)).toBe(true)
    expect(call('add_file_monitor', 5, '/tmp')).toBeUndefined()
    expect(asked).toEqual([
      { name: 'addTimer', args: { signum: 1, seconds: 60, registration } },
      { name: 'addTimer', args: { signum: 2, seconds: 0.25, registration } },
      { name: 'addRbTimer', args: { signum: 3, milliseconds: 10_000, iterations: 0, registration } },
      { name: 'addRbTimer', args: { signum: 3, milliseconds: 0, iterations: 5, registration } },
      { name: 'addCron', args: { signum: 4, fields: [59, -1, -31, 12, 7], registration } },
      { name: 'addFileMonitor', args: { signum: 5, path: '/tmp', registration } },
    ])
  })

  it('count equal registrations while loading, and only those', () => {
    const { call, asked, state } = create({ isLoading: true })
    call('add_timer', 1, 60)
    call('add_timer', 1, 60)
    call('add_timer', 2, 60)
    call('add_rb_timer', 1, 60)
    call('add_timer', 1, 60)
    state.isLoading = false
    call('add_timer', 1, 60)
    expect(asked.map(({ args }) => args['registration'])).toEqual([
      { whileLoading: true, ordinal: 0 },
      { whileLoading: true, ordinal: 1 },
      { whileLoading: true, ordinal: 0 },
      { whileLoading: true, ordinal: 0 },
      { whileLoading: true, ordinal: 2 },
      { whileLoading: false, ordinal: 0 },
    ])
  })

  it('number the same registrations the same in every thread', () => {
    const places = [create({ isLoading: true }), create({ isLoading: true })].map(({ call, asked }) => {
      call('add_cron', 1, -1, -1, -1, -1, -1)
      call('add_cron', 1, -1, -1, -1, -1, -1)
      return asked
    })
    expect(places[0]).toEqual(places[1])
  })

  it('do not count what the master refused', () => {
    const { call, asked, state } = create({ isLoading: true, refuse: true })
    expect(() => call('add_timer', 1, 60)).toThrow('unable to add timer: there are 64 already')
    state.refuse = false
    call('add_timer', 1, 60)
    expect(asked[0]?.args['registration']).toEqual({ whileLoading: true, ordinal: 0 })
  })

  it.each<[string, ApiValue[], 'type' | 'value', string]>([
    ['add_timer', [1], 'type', "missing argument 'seconds'"],
    ['add_timer', [1, 1.5], 'type', "argument 'seconds' must be a whole number"],
    ['add_timer', [1, -1], 'value', "argument 'seconds' must be from 0 to"],
    ['add_timer', [256, 1], 'value', "argument 'signum' must be from 0 to 255, not 256"],
    ['add_ms_timer', [1, -1], 'value', "argument 'milliseconds' must be from 0 to"],
    ['add_rb_timer', [1, 1, -1], 'value', "argument 'iterations' must be from 0 to"],
    ['add_rb_timer', [1, '1'], 'type', "argument 'seconds' must be a whole number"],
    ['add_cron', [1, 60, 0, 1, 1, 0], 'value', "argument 'minute' must be from -59 to 59, not 60"],
    ['add_cron', [1, 0, 24, 1, 1, 0], 'value', "argument 'hour' must be from -23 to 23, not 24"],
    ['add_cron', [1, 0, 0, 0, 1, 0], 'value', "argument 'day' must be from -31 to -1 or from 1 to 31, not 0"],
    ['add_cron', [1, 0, 0, 32, 1, 0], 'value', "argument 'day' must be from -31 to 31, not 32"],
    ['add_cron', [1, 0, 0, 1, 0, 0], 'value', "argument 'month' must be from -12 to -1 or from 1 to 12, not 0"],
    ['add_cron', [1, 0, 0, 1, 13, 0], 'value', "argument 'month' must be from -12 to 12, not 13"],
    ['add_cron', [1, 0, 0, 1, 1, 8], 'value', "argument 'week' must be from -7 to 7, not 8"],
    ['add_cron', [1, 0, 0, 1, 1], 'type', "missing argument 'week'"],
    ['add_file_monitor', [1], 'type', "missing argument 'path'"],
    ['add_file_monitor', [1, 2], 'type', "argument 'path' must be text"],
  ])('%s(%j) is a fault of %s, and the master is not asked', (name, args, fault, message) => {
    const { call, asked } = create()
    let error: unknown
    try {
      call(name, ...args)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(ApiArgumentError)
    expect(error).toMatchObject({ fault, functionName: name })
    expect((error as Error).message).toContain(message)
    expect(asked).toEqual([])
  })
})
