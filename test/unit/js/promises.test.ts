// Functions that wait, in their promise form: each of the table, by what the table says of it.
import { describe, expect, it } from 'vitest'
import type { BoundFunction } from '../../../host/api/bind.ts'
import type { ApiEntry, ApiFunction, ApiResult, ApiValue } from '../../../host/api/kinds.ts'
import { apiTable, camelCaseName } from '../../../host/api/table/index.ts'
import { ApiError } from '../../../host/errors.ts'
import { bootApi, runWithApi } from './made-api.ts'

const entries = (apiTable as readonly ApiEntry[]).filter((entry): entry is ApiFunction => entry.shape === 'function')
const namesOf = ({ name, aliases = [] }: ApiFunction): string[] => {
  const names = [name, ...aliases]
  return [...new Set([...names, ...names.map(camelCaseName)])]
}

/** A value of the type, never an empty one. */
const sampleOf = (type: ApiResult): ApiValue => {
  if (typeof type === 'object') {
    if ('list' in type) return Array.from({ length: type.count ?? 2 }, () => sampleOf(type.list))
    return Object.fromEntries(Object.entries(type.record).map(([name, field]) => [name, sampleOf(field)]))
  }
  const samples: Readonly<Record<string, ApiValue>> = {
    int: 7,
    int64: 2n ** 60n,
    float: 0.5,
    bool: false,
    text: 'text \u00fc',
    bytes: Uint8Array.of(0xc3, 0xbc, 0),
    options: new Map([['name', ['a', 'b'] as const]]),
    dict: new Map([['name', Uint8Array.of(1, 255)]]),
    true: true,
  }
  return samples[type]
}

type Behaviour = 'at once' | 'later' | 'fails at once' | 'fails later'

/** Functions that do for any arguments what they are told. */
const tableThat = (behave: Behaviour): BoundFunction[] =>
  entries.map((entry) => {
    const refusal = (): ApiError => new ApiError(entry.name, 'API_REFUSED', 'not today')
    const sample = entry.value === '' ? new Uint8Array(0) : sampleOf(entry.returns)
    const call = (): ApiValue => {
      if (behave.startsWith('fails')) throw refusal()
      return sample
    }
    if (entry.kind === 'immediate') return { entry, call }
    const callAsync = async (): Promise<ApiValue> => {
      await null
      return call()
    }
    return { entry, call, callAsync: behave.endsWith('later') ? callAsync : call }
  })

const run = (behave: Behaviour, body: string): Promise<unknown> => runWithApi({ bound: tableThat(behave) }, body)

const waitingNames = entries.filter(({ kind }) => kind === 'blocking').flatMap(namesOf)
const suspendingNames = entries.filter(({ kind }) => kind === 'suspending').flatMap(namesOf)

// Bytes with their class, what JSON has no form for as text.
const described = `const described = (value) => JSON.stringify([typeof value, value?.constructor?.name, value], (_, part) =>
  part instanceof Uint8Array ? [part.constructor.name, [...part]]
    : typeof part === 'bigint' ? part + 'n' : part === undefined ? 'undefined' : part)`

describe('uwsgi.promises', () => {
  it('has every function that may wait, under all its names, and nothing else', async () => {
    expect(waitingNames).toContain('cacheGet')
    expect((await run('at once', 'return Object.keys(uwsgi.promises)')) as string[]).toEqual(waitingNames)
    const kinds = `const kinds = new Set(Object.values(uwsgi.promises).map((each) => typeof each))
      return [...kinds, Object.getPrototypeOf(uwsgi.promises) === null, uwsgi.promises.cacheGet === uwsgi.promises.cache_get]`
    expect(await run('at once', kinds)).toEqual(['function', true, true])
  })

  it('is imported by name, and stays what it is', async () => {
    const { harness, mount } = await bootApi({ bound: tableThat('at once') })
    await mount(`import uwsgi, { promises } from 'uwsgi'
      let refused
      try { uwsgi.promises = {} } catch (error) { refused = error.name }
      export default () => Response.json([promises === uwsgi.promises, refused, Object.keys(uwsgi).includes('promises')])`)
    expect(JSON.parse((await harness.request()).text)).toEqual([true, 'TypeError', true])
  })

  it('is shown by the console as what it holds', async () => {
    const { harness, mount } = await bootApi({
      functions: { wait: { call: () => undefined, callAsync: () => undefined } },
    })
    await mount('console.log(uwsgi.promises); export default () => new Response()')
    expect(harness.logLines.join('\n')).toContain('{ wait: [Function: wait] }')
  })

  it.each(['at once', 'later'] as const)('gives what the plain functions give, when that is there %s', async (behave) => {
    const different = await run(
      behave,
      `${described}
      const different = []
      for (const name of Object.keys(uwsgi.promises)) {
        const promise = uwsgi.promises[name]()
        if (Object.getPrototypeOf(promise) !== Promise.prototype) different.push(name + ' gives no promise')
        const [plain, awaited] = [described(uwsgi[name]()), described(await promise)]
        if (plain !== awaited) different.push(name + ': ' + plain + ' and ' + awaited)
      }
      return different`,
    )
    expect(different).toEqual([])
  })

  it.each(['fails at once', 'fails later'] as const)(
    'rejects with the error that the plain functions throw: %s',
    async (behave) => {
      const different = await run(
        behave,
        `const of = (error) => [error instanceof UwsgiError, error.name, error.code, error.message].join()
      const different = []
      for (const name of Object.keys(uwsgi.promises)) {
        let plain, rejected
        try { uwsgi[name]() } catch (error) { plain = of(error) }
        // Only the await may fail, never the call.
        const promise = uwsgi.promises[name]()
        try { await promise } catch (error) { rejected = of(error) }
        if (plain === undefined || plain !== rejected) different.push(name + ': ' + plain + ' and ' + rejected)
      }
      return different`,
      )
      expect(different).toEqual([])
    },
  )

  it('settles at once what is there, without a turn of the event loop', async () => {
    const body = `const order = []
      setTimeout(() => order.push('timer'))
      const first = uwsgi.promises.cacheGet().then(() => order.push('value'))
      await first
      return order`
    expect(await run('at once', body)).toEqual(['value'])
  })

  it('rejects arguments that are wrong, as the plain functions refuse them', async () => {
    const api = {
      functions: {
        take: {
          params: [{ name: 'n', type: 'int' }] as const,
          call: () => undefined,
          callAsync: () => undefined,
        },
        keep: {
          params: [{ name: 'vars', type: 'dict' }] as const,
          call: () => undefined,
          callAsync: () => undefined,
        },
      },
    }
    const body = `const of = (error) => [error.name, error.code, error.message].join()
      const seen = []
      for (const [name, value] of [['take', 'x'], ['take'], ['keep', 5], ['keep', { a: {} }]]) {
        let plain
        try { uwsgi[name](value) } catch (error) { plain = of(error) }
        seen.push(plain !== undefined && await uwsgi.promises[name](value).then(() => 'fine', of) === plain)
      }
      return seen`
    expect(await runWithApi(api, body)).toEqual([true, true, true, true])
  })

  it('reads arguments at the call: what is written to them later is not seen', async () => {
    const api = {
      functions: {
        echo: {
          params: [
            { name: 'data', type: 'bytes' },
            { name: 'vars', type: 'dict' },
          ] as const,
          returns: 'bytes' as const,
          call: () => undefined,
          callAsync: async (data: Uint8Array, vars: ReadonlyMap<string, Uint8Array>) => {
            await new Promise((resolve) => setImmediate(resolve))
            return Uint8Array.of(...data, ...(vars.get('key') ?? []))
          },
        },
      },
    }
    const body = `const data = new Uint8Array([1, 2, 3])
      const inner = new Uint8Array([4])
      const vars = { key: inner }
      const promise = uwsgi.promises.echo(data, vars)
      data.fill(9); inner.fill(9); vars.key = 'other'
      return [...await promise]`
    expect(await runWithApi(api, body)).toEqual([1, 2, 3, 4])
  })
})

describe('a function that gives way to others', () => {
  it('gives a promise itself, under all its names, and is no part of uwsgi.promises', async () => {
    expect(suspendingNames).toContain('greenSchedule')
    const body = `const seen = []
      for (const name of ${JSON.stringify(suspendingNames)}) {
        const promise = uwsgi[name]()
        seen.push(Object.getPrototypeOf(promise) === Promise.prototype && await promise === true && !(name in uwsgi.promises))
      }
      return seen`
    const all = suspendingNames.map(() => true)
    expect(await run('later', body)).toEqual(all)
    expect(await run('at once', body)).toEqual(all)
  })
})
