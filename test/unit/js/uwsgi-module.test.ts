// The `uwsgi` module: names, values in both directions, errors.

import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createJsPlugin } from '../../../bindings/js/index.ts'
import type { BoundApi } from '../../../host/api/bind.ts'
import type { ApiType, ApiValue } from '../../../host/api/kinds.ts'
import { ApiArgumentError, ClientError } from '../../../host/errors.ts'
import type { MasterContext, WorkerContext } from '../../../host/plugin/plugin.ts'
import { PluginHarness } from '../../support/plugin-harness.ts'
import { directoryWith, mountJs } from './js-apps.ts'

/** Runs statements in a guest whose API has these functions and attributes in addition. */
const runWith = async (
  functions: Record<string, { returns: ApiType; call: (args: readonly ApiValue[]) => ApiValue }>,
  attributes: Record<string, { type: ApiType; value: ApiValue }>,
  body: string,
): Promise<unknown> => {
  const plugin = createJsPlugin()
  const api: BoundApi = {
    functions: Object.entries(functions).map(([name, { returns, call }]) => ({
      entry: {
        shape: 'function',
        name,
        group: 'identity',
        kind: 'immediate',
        params: [],
        returns,
        raises: [],
        doc: '',
        example: { js: '', lua: '', python: '' },
      } as never,
      call,
    })),
    attributes: Object.entries(attributes).map(([name, { type, value }]) => ({
      entry: { shape: 'attribute', name, group: 'identity', type, doc: '', example: { js: '', lua: '', python: '' } } as never,
      value,
    })),
  }
  const harness = await PluginHarness.boot({
    ...plugin,
    async init(context: MasterContext) {
      await plugin.init?.(context)
    },
    postFork: (context: WorkerContext) => plugin.postFork?.({ ...context, api, data: plugin.data } as never),
  } as never)
  const directory = directoryWith({
    'app.js': `export default async () => Response.json({ value: await (async () => {\n${body}\n})() })`,
  })
  await harness.mount(join(directory, 'app.js'))
  const response = await harness.request()
  if (response.status !== '200 OK') throw new Error(harness.logLines.join('\n'))
  return (JSON.parse(response.text) as { value: unknown }).value
}

describe('the uwsgi module', () => {
  it('has the API under camelCase and official names, as a module and as a global', async () => {
    const app = await mountJs(
      `import api, * as all from 'uwsgi'
      export default () => Response.json([api === uwsgi, all.default === api, api.workerId(), api.worker_id(), all.workerId === api.worker_id, api.worker_id.name,
        api.masterpid() > 0, String(api.version), String(api.hostname), Object.getPrototypeOf(api)])`,
      { workerId: 3 },
    )
    expect(JSON.parse((await app.request()).text)).toEqual([
      true,
      true,
      3,
      3,
      true,
      'worker_id',
      true,
      '0.0.0-test',
      'test-host',
      null,
    ])
  })

  it('writes log lines, text and bytes unchanged', async () => {
    const app = await mountJs(
      "export default () => Response.json([uwsgi.log('gr\u00fcn \\u20ac'), uwsgi.log(new Uint8Array([104, 105]))])",
    )
    expect((await app.request()).text).toBe('[true,true]')
    expect(app.logLines).toEqual(['gr\u00fcn \u20ac', 'hi'])
  })

  it('has the options as an object without a prototype', async () => {
    const app = await mountJs(
      'export default () => Response.json([uwsgi.opt, Object.getPrototypeOf(uwsgi.opt), uwsgi.opt.missing ?? null])',
      {
        opt: new Map<string, readonly (string | true)[]>([
          ['workers', ['2']],
          ['master', [true]],
          ['mount', ['/a=b', true, 'gr\u00fcn']],
          ['__proto__', ['x']],
          ['toString', ['y']],
        ]),
      },
    )
    const [options, prototype, missing] = JSON.parse((await app.request()).text)
    expect(Object.entries(options)).toEqual([
      ['workers', '2'],
      ['master', true],
      ['mount', ['/a=b', true, 'gr\u00fcn']],
      ['__proto__', 'x'],
      ['toString', 'y'],
    ])
    expect([prototype, missing]).toEqual([null, null])
  })

  it('hands every kind of value to the host as it is', async () => {
    const seen: ApiValue[] = []
    const take = { returns: 'none' as const, call: (args: readonly ApiValue[]) => void seen.push(...args) }
    await runWith(
      { take },
      {},
      `uwsgi.take(1, -1, 1.5, -0, 2 ** 53, 10n ** 30n, -5n, true, null, undefined, 'a\\0\\u00ff\\ud800\\u{1f600}', new Uint8Array([0, 255]).subarray(1))
      uwsgi.take('x'.repeat(10000) + 'y'.repeat(10000), NaN, Infinity)`,
    )
    expect(seen.slice(0, 11)).toEqual([
      1,
      -1,
      1.5,
      -0,
      2 ** 53,
      10n ** 30n,
      -5n,
      true,
      undefined,
      undefined,
      'a\0\xff\ud800\u{1f600}',
    ])
    expect(seen[11]).toEqual(Uint8Array.of(255))
    expect(seen.slice(12)).toEqual([`${'x'.repeat(10_000)}${'y'.repeat(10_000)}`, Number.NaN, Number.POSITIVE_INFINITY])
  })

  it('hands every kind of value to the guest as it is', async () => {
    const give = (type: ApiType, value: ApiValue) => ({ returns: type, call: () => value })
    expect(
      await runWith(
        {
          small: give('int', -7),
          large: give('int', 2 ** 40),
          exact: give('int', 9007199254740991n),
          huge: give('int', 2n ** 64n),
          float: give('float', 0.1),
          yes: give('bool', true),
          text: give('text', 'a\0\u20ac'),
          long_text: give('text', 'z'.repeat(300_000)),
          bytes: give('bytes', Uint8Array.of(0, 255, 0xc3, 0xa4)),
          nothing: give('bytes', undefined),
        },
        { some_bytes: { type: 'bytes', value: Uint8Array.of(104, 105) }, some_int: { type: 'int', value: 5 }, missing: { type: 'text', value: undefined } },
        `const b = uwsgi.bytes()
        return [uwsgi.small(), uwsgi.large(), uwsgi.exact(), typeof uwsgi.huge(), String(uwsgi.huge()), uwsgi.float(), uwsgi.yes(), uwsgi.text(),
          uwsgi.longText().length, Array.from(b), b instanceof Uint8Array, b.toString(), \`\${b.slice(2)}\`, uwsgi.nothing() === undefined,
          String(uwsgi.someBytes), uwsgi.some_int, uwsgi.missing === undefined, 'missing' in uwsgi]`,
      ),
    ).toEqual([
      -7, 2 ** 40, 9007199254740991, 'bigint', '18446744073709551616', 0.1, true, 'a\0\u20ac', 300_000, [0, 255, 0xc3, 0xa4], true, '\0\ufffd\u00e4', '\u00e4',
      true, 'hi', 5, true, true,
    ]) // biome-ignore format: in the order above
  })

  it('throws UwsgiError with the code of the failure and the line of the program', async () => {
    const app = await mountJs(`export default () => {
      const seen = []
      for (const wrong of [() => uwsgi.log(), () => uwsgi.log({}), () => uwsgi.log(1, 2), () => uwsgi.workerId(1), () => uwsgi.log(Symbol('s'))]) {
        try { wrong() } catch (error) {
          seen.push([error instanceof UwsgiError, error instanceof Error, error.name, error.code, error.message, /app\\.js:3/.test(error.stack)])
        }
      }
      return Response.json(seen)
    }`)
    const of = (message: string) => [true, true, 'UwsgiError', 'API_ARGUMENT', message, true]
    expect(JSON.parse((await app.request()).text)).toEqual([
      of("uwsgi.log(): missing argument 'message'"),
      of("uwsgi.log(): argument 'message' must be text or bytes"),
      of('uwsgi.log(): takes at most 1 argument, got 2'),
      of('uwsgi.workerId(): takes at most 0 arguments, got 1'),
      of("uwsgi.log(): argument 'message' must be text or bytes"),
    ])
  })

  it('passes on errors of the host by code, and hides its faults', async () => {
    const fail = (error: Error) => ({
      returns: 'none' as const,
      call: (): ApiValue => {
        throw error
      },
    })
    expect(
      await runWith(
        {
          gone: fail(new ClientError('CLIENT_GONE', 'the client left')),
          argument_error: fail(new ApiArgumentError('argument_error', 'x', 'value', 'x is too large')),
          bug: fail(new TypeError('secret /etc/path')),
        },
        {},
        `const seen = []
        for (const f of [uwsgi.gone, uwsgi.argumentError, uwsgi.bug]) try { f() } catch (error) { seen.push([error.name, error.code ?? null, error.message]) }
        return seen`,
      ),
    ).toEqual([
      ['UwsgiError', 'CLIENT_GONE', 'the client left'],
      ['UwsgiError', 'API_ARGUMENT', 'uwsgi.argumentError(): x is too large'],
      ['Error', null, 'internal error of the server'],
    ])
  })
})
