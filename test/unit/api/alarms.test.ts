// The group `alarms` as guests call it: the master is told of alarms that there are, and of no others.
import { describe, expect, it } from 'vitest'
import { bindApi } from '../../../host/api/bind.ts'
import type { ApiValue } from '../../../host/api/kinds.ts'
import { ApiArgumentError } from '../../../host/errors.ts'
import { testContext } from '../../support/api-context.ts'

const create = (alarmNames: readonly string[] = ['admin', 'disk']) => {
  const told: unknown[][] = []
  const master = {
    call: () => undefined as never,
    callAsync: () => undefined as never,
    notify: (...notice: unknown[]) => void told.push(notice),
  }
  const { functions } = bindApi(testContext({ master, alarmNames }))
  const alarm = (...args: ApiValue[]): ApiValue => functions.find(({ entry }) => entry.name === 'alarm')?.call(args)
  return { alarm, told }
}

describe('uwsgi.alarm', () => {
  it('tells the master, bytes unchanged, and returns nothing', () => {
    const { alarm, told } = create()
    expect(alarm('admin', 'é')).toBeUndefined()
    expect(alarm(new TextEncoder().encode('disk'), Uint8Array.of(0, 255))).toBeUndefined()
    expect(told).toEqual([
      ['alarm', { name: 'admin', message: Uint8Array.of(0xc3, 0xa9) }],
      ['alarm', { name: 'disk', message: Uint8Array.of(0, 255) }],
    ])
  })

  it.each([
    [['admin', 'disk'], "uwsgi.alarm(): there is no alarm 'nobody': there are admin, disk"],
    [[], "uwsgi.alarm(): there is no alarm 'nobody': none is configured"],
  ])('refuses an alarm that is none of %j', (names, message) => {
    const { alarm, told } = create(names)
    expect(() => alarm('nobody', 'x')).toThrow(expect.objectContaining({ code: 'API_REFUSED', message }))
    expect(told).toEqual([])
  })

  it.each<[ApiValue[], string]>([
    [[], "missing argument 'name'"],
    [['admin'], "missing argument 'message'"],
    [[1, 'x'], "argument 'name' must be text"],
    [['admin', 1], "argument 'message' must be text or bytes"],
    [['admin', 'x', 'y'], 'takes at most 2 arguments, got 3'],
  ])('refuses bad arguments (%#)', (args, message) => {
    const { alarm, told } = create()
    let refusal: unknown
    try {
      alarm(...args)
    } catch (error) {
      refusal = error
    }
    expect(refusal).toBeInstanceOf(ApiArgumentError)
    expect(refusal).toMatchObject({ fault: 'type', message: `uwsgi.alarm(): ${message}` })
    expect(told).toEqual([])
  })
})
