// The group `spooler` as guests call it: what a job may hold, and what comes back.
import { describe, expect, it } from 'vitest'
import { bindApi } from '../../../host/api/bind.ts'
import type { Spool } from '../../../host/api/context.ts'
import type { ApiValue, BytesMap } from '../../../host/api/kinds.ts'
import { ApiArgumentError, ApiError } from '../../../host/errors.ts'
import { testContext } from '../../support/api-context.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)

const create = (parts: Partial<Spool> = {}) => {
  const jobs: BytesMap[] = []
  const frequencies: number[] = []
  const spool: Spool = {
    directories: ['/jobs', '/später'],
    submit: (job) => {
      jobs.push(job)
      return '/jobs/uwsgi_spoolfile_on_x'
    },
    jobs: () => ['/jobs/a', '/später/b'],
    read: (path) => (path === '/jobs/a' ? { vars: new Map([['task', utf8('resize')]]), body: utf8('BODY') } : undefined),
    setFrequency: (seconds) => void frequencies.push(seconds),
    ...parts,
  }
  const { functions, attributes } = bindApi(testContext({ spool, masterPid: 4711 }))
  const call = (name: string, ...args: ApiValue[]): ApiValue => {
    const bound = functions.find(({ entry }) => entry.name === name)
    if (bound === undefined) throw new Error(`there is no ${name}`)
    return bound.call(args)
  }
  const attribute = (name: string): ApiValue => attributes.find(({ entry }) => entry.name === name)?.value
  return { call, attribute, jobs, frequencies, functions }
}

describe('the functions of the spooler', () => {
  it('submit a job: bytes, text and numbers as their decimal text', () => {
    const { call, jobs } = create()
    const job = new Map<string, ApiValue>([
      ['bytes', Uint8Array.of(0, 255)],
      ['text', 'é'],
      ['at', 1_900_000_000],
      ['soon', 1_900_000_000.5],
      ['large', 2 ** 70],
      ['long', 2n ** 64n],
    ])
    expect(call('spool', job as never)).toEqual(utf8('/jobs/uwsgi_spoolfile_on_x'))
    expect(jobs).toEqual([
      new Map([
        ['bytes', Uint8Array.of(0, 255)],
        ['text', utf8('é')],
        ['at', utf8('1900000000')],
        ['soon', utf8('1900000000.5')],
        ['large', utf8('1180591620717411303424')],
        ['long', utf8('18446744073709551616')],
      ]),
    ])
  })

  it('read a job as its handler gets it', () => {
    const { call } = create()
    expect(call('spooler_get_task', '/jobs/a')).toEqual(
      new Map([
        ['task', utf8('resize')],
        ['spooler_task_name', utf8('/jobs/a')],
        ['body', utf8('BODY')],
      ]),
    )
    expect(call('spooler_get_task', utf8('/jobs/b'))).toBeUndefined()
    const bare = create({ read: () => ({ vars: new Map(), body: new Uint8Array(0) }) })
    expect(bare.call('spooler_get_task', 'x')).toEqual(new Map([['spooler_task_name', utf8('x')]]))
  })

  it('list jobs and spoolers, whose process is this one', () => {
    const { call, attribute } = create()
    expect(call('spooler_jobs')).toEqual([utf8('/jobs/a'), utf8('/später/b')])
    expect(attribute('spoolers')).toEqual([utf8('/jobs'), utf8('/später')])
    expect([call('spooler_pid'), call('spooler_pids')]).toEqual([4711, [4711, 4711]])
    const none = create({ directories: [] })
    expect([none.call('spooler_pid'), none.call('spooler_pids'), none.attribute('spoolers')]).toEqual([0, [], []])
  })

  it('have the constants of uWSGI, and its second name', () => {
    const { attribute, functions } = create()
    expect(['SPOOL_OK', 'SPOOL_RETRY', 'SPOOL_IGNORE'].map(attribute)).toEqual([-2, -1, 0])
    expect(functions.find(({ entry }) => entry.name === 'spool')?.entry.aliases).toEqual(['send_to_spooler'])
  })

  it('set the frequency', () => {
    const { call, frequencies } = create()
    expect(call('set_spooler_frequency', 10)).toBe(true)
    expect(frequencies).toEqual([10])
  })

  it.each<[string, ApiValue[], 'type' | 'value', string]>([
    ['spool', [], 'type', "missing argument 'job'"],
    ['spool', ['x'], 'type', "argument 'job' must be names and values"],
    ['spool', [new Map([['flag', true]]) as never], 'type', "the job's 'flag' must be text, bytes or a number"],
    ['spool', [new Map([['n', Number.NaN]]) as never], 'type', "the job's 'n' must be text, bytes or a number"],
    ['set_spooler_frequency', [0], 'value', "argument 'seconds' must be from 1 to 2147483, not 0"],
    ['set_spooler_frequency', [2_147_484], 'value', "argument 'seconds' must be from 1 to 2147483, not 2147484"],
    ['set_spooler_frequency', ['5'], 'type', "argument 'seconds' must be a whole number"],
    ['spooler_get_task', [5], 'type', "argument 'path' must be text"],
    ['spooler_get_task', [Uint8Array.of(255)], 'type', "argument 'path' must be text"],
    ['spooler_jobs', [1], 'type', 'takes at most 0 arguments, got 1'],
  ])('%s refuses bad arguments, and nothing is written or set (%#)', (name, args, fault, message) => {
    const { call, jobs, frequencies } = create()
    let refusal: unknown
    try {
      call(name, ...args)
    } catch (error) {
      refusal = error
    }
    expect(refusal).toBeInstanceOf(ApiArgumentError)
    expect(refusal).toMatchObject({ fault, message: `uwsgi.${name}(): ${message}` })
    expect([jobs, frequencies]).toEqual([[], []])
  })

  it('hand on what the disk refuses', () => {
    const { call } = create({
      submit: () => {
        throw new ApiError('spool', 'API_IO', 'unable to spool job: ENOSPC')
      },
    })
    expect(() => call('spool', new Map())).toThrow(
      expect.objectContaining({ code: 'API_IO', message: 'uwsgi.spool(): unable to spool job: ENOSPC' }),
    )
  })
})
