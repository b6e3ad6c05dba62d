// The group `request` of the API, and the log function that belongs to a request.
import { describe, expect, it } from 'vitest'
import type { CurrentRequest, ThreadIdentity } from '../../../host/api/context.ts'
import { PolywsgiError } from '../../../host/errors.ts'
import { StateMap } from '../../../host/state/state-map.ts'
import { testThread } from '../../support/api-context.ts'
import { callsOf } from './calls.ts'

const create = () => {
  const logvars = new Map<string, Uint8Array>()
  const told = { isLogged: false, file: '' }
  const request = {
    contentLength: 1234,
    setLogvar: (name: string, value: Uint8Array) => logvars.set(name, value),
    getLogvar: (name: string) => logvars.get(name),
    sendFile: (path: string, offset: number, length: number) => {
      if (path === 'elsewhere') throw new PolywsgiError('API_REFUSED', 'the file lies elsewhere')
      told.file = `${path} ${offset} ${length}`
      return path !== 'missing'
    },
    logThisRequest: () => {
      told.isLogged = true
    },
  } as unknown as CurrentRequest
  return { ...callsOf({ request }), logvars, told }
}

describe('the request functions', () => {
  it('tell the length of the body', () => {
    expect(create().call('cl')).toBe(1234)
  })

  it('keep variables for the log line, bytes unchanged', () => {
    const { call } = create()
    const value = new Uint8Array([0, 255, 128])
    expect(call('set_logvar', 'user', 'anna')).toBeUndefined()
    expect(call('set_logvar', 'raw', value)).toBeUndefined()
    expect(call('get_logvar', 'user')).toEqual(new TextEncoder().encode('anna'))
    expect(call('get_logvar', 'raw')).toEqual(value)
    expect(call('get_logvar', 'other')).toBeUndefined()
    expect(call('set_logvar', 'n'.repeat(255), 'v'.repeat(255))).toBeUndefined()
  })

  it('make a file the body, in whole or in part', () => {
    const { call, fault, told } = create()
    expect([call('sendfile', 'a.css'), told.file]).toEqual([true, 'a.css 0 0'])
    expect([call('sendfile', 'a.css', 1000, 5, 7), told.file]).toEqual([true, 'a.css 5 7'])
    expect(call('sendfile', 'missing')).toBeUndefined()
    expect(fault('sendfile', 'elsewhere')).toBe('ValueError: uwsgi.sendfile(): the file lies elsewhere')
    expect(fault('sendfile', 'a', 0, -1)).toMatch(/^ValueError: uwsgi\.sendfile\(\): argument 'pos' /)
  })

  it('have the line logged', () => {
    const { call, told } = create()
    expect(call('log_this_request')).toBeUndefined()
    expect(told.isLogged).toBe(true)
  })

  it.each([
    ['set_logvar', [], "TypeError: uwsgi.set_logvar(): missing argument 'name'"],
    ['set_logvar', ['a'], "TypeError: uwsgi.set_logvar(): missing argument 'value'"],
    ['set_logvar', ['a', 1], "TypeError: uwsgi.set_logvar(): argument 'value' must be text or bytes"],
    ['set_logvar', ['a'.repeat(256), 'b'], "ValueError: uwsgi.set_logvar(): argument 'name' may have 255 bytes, not 256"],
    ['set_logvar', ['a', 'é'.repeat(128)], "ValueError: uwsgi.set_logvar(): argument 'value' may have 255 bytes, not 256"],
    ['get_logvar', [], "TypeError: uwsgi.get_logvar(): missing argument 'name'"],
    ['get_logvar', [5], "TypeError: uwsgi.get_logvar(): argument 'name' must be text"],
    ['get_logvar', ['a'.repeat(256)], "ValueError: uwsgi.get_logvar(): argument 'name' may have 255 bytes, not 256"],
    ['cl', [1], 'TypeError: uwsgi.cl(): takes at most 0 arguments, got 1'],
  ])('%s refuses %j', (name, args, message) => {
    const { fault, logvars } = create()
    expect(fault(name, ...args)).toBe(message)
    expect(logvars.size).toBe(0)
  })

  it.each([
    ['cl', []],
    ['set_logvar', ['a', 'b']],
    ['get_logvar', ['a']],
    ['sendfile', ['a']],
    ['log_this_request', []],
  ])('%s needs a request', (name, args) => {
    expect(callsOf({}).fault(name, ...args)).toBe(`ValueError: uwsgi.${name}(): no request is being served here`)
  })
})

describe('request_id', () => {
  it('is how many requests the worker has served', () => {
    const state = StateMap.create({ workers: 2, requestSlots: 4, requestAreaSize: 64, responseRingSize: 4096 })
    const { call } = callsOf({ state, thread: testThread(2) })
    expect(call('request_id')).toBe(0)
    state.workers.countRequest(1)
    state.workers.countRequest(2)
    state.workers.countRequest(2)
    expect(call('request_id')).toBe(2)
    const mule: ThreadIdentity = { kind: 'mule', number: 3, seat: 3, workerId: 0, muleId: 1, spoolerId: 0, isLoading: false }
    expect(callsOf({ state, thread: mule }).call('request_id')).toBe(0)
  })
})
