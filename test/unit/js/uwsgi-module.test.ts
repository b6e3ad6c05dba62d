// The `uwsgi` module: names, values in both directions, errors.
import { describe, expect, it } from 'vitest'
import type { ApiValue } from '../../../host/api/kinds.ts'
import { ApiArgumentError, ApiError, ClientError } from '../../../host/errors.ts'
import { mountJs } from './js-apps.ts'
import { bootApi, runWithApi } from './made-api.ts'

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

  it('has aliases of a function under both spellings too', async () => {
    const spool = { aliases: ['send_to_spooler'], returns: 'int' as const, call: () => 7 }
    expect(
      await runWithApi(
        { functions: { spool } },
        `const all = await import('uwsgi')
        return [uwsgi.send_to_spooler(), uwsgi.sendToSpooler(), uwsgi.spool === uwsgi.sendToSpooler, all.sendToSpooler === uwsgi.spool, uwsgi.spool.name]`,
      ),
    ).toEqual([7, 7, true, true, 'spool'])
  })

  it('has attributes that programs cannot change', async () => {
    const attributes = { started_on: { type: 'int' as const, value: 5 } }
    expect(
      await runWithApi(
        { attributes },
        `try { uwsgi.startedOn = 6 } catch (error) { return [error.name, uwsgi.startedOn, uwsgi.started_on] }`,
      ),
    ).toEqual(['TypeError', 5, 5])
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
      call: (): ApiValue => {
        throw error
      },
    })
    const { harness, mount } = await bootApi({
      functions: {
        gone: fail(new ClientError('CLIENT_GONE', 'the client left')),
        argument_error: fail(new ApiArgumentError('argument_error', 'x', 'value', 'x is too large')),
        refused_now: fail(new ApiError('refused_now', 'API_REFUSED', 'no mule is configured')),
        io: fail(new ApiError('io', 'API_IO', 'unable to reach uwsgi.io() at all')),
        bug: fail(new TypeError('secret /etc/path')),
      },
    })
    await mount(`export default () => {
      const seen = []
      for (const f of [uwsgi.gone, uwsgi.argumentError, uwsgi.refusedNow, uwsgi.io, uwsgi.bug])
        try { f() } catch (error) { seen.push([error.name, error.code ?? null, error.message]) }
      return Response.json(seen)
    }`)
    expect(JSON.parse((await harness.request()).text)).toEqual([
      ['UwsgiError', 'CLIENT_GONE', 'the client left'],
      ['UwsgiError', 'API_ARGUMENT', 'uwsgi.argumentError(): x is too large'],
      ['UwsgiError', 'API_REFUSED', 'uwsgi.refusedNow(): no mule is configured'],
      ['UwsgiError', 'API_IO', 'uwsgi.io(): unable to reach uwsgi.io() at all'],
      ['Error', null, 'internal error of the server'],
    ])
    expect(harness.logLines.join('\n')).toContain('secret /etc/path')
  })
})
