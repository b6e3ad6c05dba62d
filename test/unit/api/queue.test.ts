// The group `queue` of the API: results and refusals.
import { describe, expect, it } from 'vitest'
import type { ApiValue } from '../../../host/api/kinds.ts'
import { SharedQueue } from '../../../host/state/shared-queue.ts'
import { callsOf } from './calls.ts'

const text = (value: ApiValue): string => Buffer.from(value as Uint8Array).toString('latin1')
const create = () => callsOf({ queue: SharedQueue.create({ slots: 3, blockSize: 24 }) })

const functions: readonly (readonly [name: string, args: readonly ApiValue[]])[] = [
  ['queue_push', ['m']],
  ['queue_pop', []],
  ['queue_pull', []],
  ['queue_get', [0]],
  ['queue_set', [0, 'm']],
  ['queue_last', []],
  ['queue_slot', []],
  ['queue_pull_slot', []],
]

describe('the queue functions', () => {
  it.each(functions)('%s says that there is no queue', (name, args) => {
    const { fault, attribute } = callsOf({})
    expect(fault(name, ...args)).toBe(`ValueError: uwsgi.${name}(): no queue is configured (--queue)`)
    expect(attribute('queue_size')).toBe(0)
  })

  it('push, pop, pull and look', () => {
    const { call, attribute } = create()
    expect(attribute('queue_size')).toBe(3)
    for (const message of ['one', 'two', new Uint8Array([0, 255, 128])]) expect(call('queue_push', message)).toBe(true)
    expect([call('queue_slot'), call('queue_pull_slot')]).toEqual([0, 0])
    expect((call('queue_last', 9) as ApiValue[]).map(text)).toEqual(['\0\xff\x80', 'two', 'one'])
    expect((call('queue_last') as ApiValue[]).map(text)).toEqual(['\0\xff\x80'])
    expect(call('queue_last', 0)).toEqual([])
    expect(text(call('queue_get', 1))).toBe('two')
    expect(text(call('queue_pop'))).toBe('\0\xff\x80')
    expect(text(call('queue_pull'))).toBe('one')
    expect([call('queue_slot'), call('queue_pull_slot')]).toEqual([2, 1])
    expect(text(call('queue_pull'))).toBe('two')
    expect([call('queue_pull'), call('queue_pop'), call('queue_get', 0)]).toEqual([undefined, undefined, undefined])
    // Both looked at an empty slot, and nothing has moved.
    expect([call('queue_slot'), call('queue_pull_slot')]).toEqual([2, 2])
  })

  it('put a message where it is wanted', () => {
    const { call } = create()
    expect(call('queue_set', 2, 'last')).toBe(true)
    expect([call('queue_slot'), text(call('queue_get', 2))]).toEqual([0, 'last'])
    expect(text(call('queue_pop'))).toBe('last')
  })

  it.each([
    ['queue_push', ['']],
    ['queue_push', ['123456789']],
    ['queue_set', [0, '']],
    ['queue_set', [0, '123456789']],
    ['queue_set', [3, 'm']],
    ['queue_set', [-1, 'm']],
    ['queue_get', [3]],
    ['queue_get', [-1]],
  ])('%s gives nothing for %j', (name, args) => {
    const { call } = create()
    expect(call('queue_push', 'kept')).toBe(true)
    expect(call(name, ...args)).toBeUndefined()
    expect([call('queue_slot'), (call('queue_last', 9) as ApiValue[]).map(text)]).toEqual([1, ['kept']])
  })

  it.each([
    ['queue_push', [], "TypeError: uwsgi.queue_push(): missing argument 'message'"],
    ['queue_push', [1], "TypeError: uwsgi.queue_push(): argument 'message' must be text or bytes"],
    ['queue_push', ['a', 'b'], 'TypeError: uwsgi.queue_push(): takes at most 1 argument, got 2'],
    ['queue_pop', [1], 'TypeError: uwsgi.queue_pop(): takes at most 0 arguments, got 1'],
    ['queue_get', [], "TypeError: uwsgi.queue_get(): missing argument 'index'"],
    ['queue_get', ['0'], "TypeError: uwsgi.queue_get(): argument 'index' must be a whole number"],
    ['queue_set', [0], "TypeError: uwsgi.queue_set(): missing argument 'message'"],
    ['queue_set', [0.5, 'm'], "TypeError: uwsgi.queue_set(): argument 'index' must be a whole number"],
    ['queue_last', ['all'], "TypeError: uwsgi.queue_last(): argument 'count' must be a whole number"],
    ['queue_last', [-1], `ValueError: uwsgi.queue_last(): argument 'count' must be from 0 to ${Number.MAX_SAFE_INTEGER}, not -1`],
  ])('%s refuses %j', (name, args, message) => {
    expect(create().fault(name, ...args)).toBe(message)
  })
})
