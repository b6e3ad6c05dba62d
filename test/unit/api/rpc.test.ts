// The API group `rpc`, against services played by the test.
import { beforeEach, describe, expect, it } from 'vitest'
import { type BoundApi, bindApi } from '../../../host/api/bind.ts'
import type { Rpc } from '../../../host/api/context.ts'
import { GuestFunction } from '../../../host/api/guest-function.ts'
import type { ApiValue } from '../../../host/api/kinds.ts'
import { ApiArgumentError } from '../../../host/errors.ts'
import { testContext } from '../../support/api-context.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)

describe('the API group rpc', () => {
  let api: BoundApi
  let seen: unknown[][]
  let released: unknown[]

  beforeEach(() => {
    seen = []
    released = []
    const rpc: Rpc = {
      register: (name, handler, argc) => void seen.push(['register', name, handler.handler, argc]),
      call: (...args) => {
        seen.push(['call', ...args])
        return bytes('local')
      },
      callAsync: () => undefined,
      callRemote: (...args) => {
        seen.push(['remote', ...args])
        return bytes('remote')
      },
      callRemoteAsync: () => undefined,
      names: () => ['a', 'grüße'],
    }
    api = bindApi(testContext({ rpc }))
  })

  const call = (name: string, ...args: ApiValue[]): ApiValue => api.functions.find(({ entry }) => entry.name === name)?.call(args)
  const guestFunction = (): GuestFunction =>
    new GuestFunction({ name: 'testish', releaseFunction: (handler) => void released.push(handler) }, 'handler')

  it('registers with a name, a function, and how many arguments it takes', () => {
    expect(call('register_rpc', 'f', guestFunction())).toBe(true)
    expect(call('register_rpc', bytes('g'), guestFunction(), 3)).toBe(true)
    expect(seen).toEqual([
      ['register', 'f', 'handler', 0],
      ['register', 'g', 'handler', 3],
    ])
  })

  it.each([
    ['a long name', ['é'.repeat(128), guestFunction()], "argument 'name' may have 255 bytes, not 256"],
    ['no name', ['', guestFunction()], "argument 'name' must not be empty"],
    ['no function', ['f', 'no function'], "argument 'function' must be a function"],
    ['a negative count', ['f', guestFunction(), -1], "argument 'argc' must be from 0 to 254, not -1"],
    ['a large count', ['f', guestFunction(), 255], "argument 'argc' must be from 0 to 254, not 255"],
  ])('refuses to register with %s', (_, args, why) => {
    expect(() => call('register_rpc', ...args)).toThrow(`uwsgi.register_rpc(): ${why}`)
    expect(seen).toEqual([])
  })

  it('gives a function back that it refuses for its name', () => {
    expect(() => call('register_rpc', '', guestFunction())).toThrow(ApiArgumentError)
    expect(released).toEqual(['handler'])
  })

  it('calls here without a node, and elsewhere with one', () => {
    expect(call('call', 'f', 'a', bytes('b'))).toEqual(bytes('local'))
    for (const node of ['', bytes(''), undefined]) expect(call('rpc', node, 'f', 'a')).toEqual(bytes('local'))
    expect(call('rpc', 'host:1', 'f')).toEqual(bytes('remote'))
    const text = (args: unknown): string[] => (args as Uint8Array[]).map((arg) => Buffer.from(arg).toString())
    expect(seen.map(([what, ...rest]) => [what, ...rest.slice(0, -1), text(rest.at(-1))])).toEqual([
      ['call', 'f', ['a', 'b']],
      ['call', 'f', ['a']],
      ['call', 'f', ['a']],
      ['call', 'f', ['a']],
      ['remote', 'host:1', 'f', []],
    ])
  })

  it('takes no more arguments than a packet holds, here too', () => {
    const many = new Array<string>(255).fill('')
    expect(() => call('call', 'f', ...many)).toThrow('uwsgi.call(): a function takes at most 254 arguments, got 255')
    expect(() => call('rpc', '', 'f', ...many)).toThrow('uwsgi.rpc(): a function takes at most 254 arguments, got 255')
    call('call', 'f', ...many.slice(1))
    expect(seen).toHaveLength(1)
  })

  it('names the argument that is wrong', () => {
    expect(() => call('rpc', '')).toThrow("uwsgi.rpc(): missing argument 'name'")
    expect(() => call('rpc', '', '')).toThrow("uwsgi.rpc(): argument 'name' must not be empty")
    expect(() => call('call', 'f', 'a', 7)).toThrow("uwsgi.call(): argument 'args[1]' must be text or bytes")
    expect(() => call('rpc', 7, 'f')).toThrow("uwsgi.rpc(): argument 'node' must be text")
  })

  it('lists names as bytes', () => {
    expect((call('rpc_list') as Uint8Array[]).map((name) => Buffer.from(name).toString())).toEqual(['a', 'grüße'])
  })
})
