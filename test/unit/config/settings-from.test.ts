// Settings given as an object by an embedder.
import { describe, expect, expectTypeOf, test } from 'vitest'
import { type Settings, settingsFrom } from '../../../host/config/index.ts'
import { refusalOf } from './world.ts'

const anySettings = (partial: Record<string, unknown>) => settingsFrom(partial as Partial<Settings>)

test('what is given holds, the rest has its default', () => {
  const { settings, sources, opt, warnings } = settingsFrom({
    httpSocket: [':8080', ':8081'],
    workers: 2,
    needApp: true,
    chmodSocket: 0o660,
    socketTimeout: 0.5,
    logFormat: '%(uri) %d $(HOME) @(x)',
    maxRequests: undefined,
    plugin: ['a', 'b'],
  })
  expect(settings).toMatchObject({
    httpSocket: [':8080', ':8081'],
    workers: 2,
    needApp: true,
    chmodSocket: 0o660,
    socketTimeout: 0.5,
    // An embedder's texts are meant as they are.
    logFormat: '%(uri) %d $(HOME) @(x)',
    maxRequests: undefined,
    plugin: ['a', 'b'],
    async: 1,
  })
  expect(sources.get('workers')).toBe('settings')
  expect(sources.get('async')).toBe('default')
  expect(Object.fromEntries(opt)).toMatchObject({ workers: ['2'], 'need-app': [true], 'http-socket': [':8080', ':8081'] })
  expect(warnings).toEqual([])
})

test('the settings are typed by the table', () => {
  expectTypeOf<Settings['httpSocket']>().toEqualTypeOf<readonly string[]>()
  expectTypeOf<Settings['workers']>().toEqualTypeOf<number>()
  expectTypeOf<Settings['needApp']>().toEqualTypeOf<boolean>()
  expectTypeOf<Settings['maxRequests']>().toEqualTypeOf<number | undefined>()
  expectTypeOf<Settings['logto']>().toEqualTypeOf<string | undefined>()
  expectTypeOf<Settings['bufferSize']>().toEqualTypeOf<number>()
  expectTypeOf<Settings['chmodSocket']>().toEqualTypeOf<number | undefined>()
  expectTypeOf<Settings>().not.toHaveProperty('ini')
  expectTypeOf<Settings>().not.toHaveProperty('help')
})

describe('refusals', () => {
  test.each([
    [{ worker: 2 }, "CONFIG_UNKNOWN_OPTION settings: unknown setting 'worker' (did you mean 'workers'?)"],
    [{ 'http-socket': [':1'] }, "CONFIG_UNKNOWN_OPTION settings: unknown setting 'http-socket' (did you mean 'httpSocket'?)"],
    [{ toString: 1 }, "CONFIG_UNKNOWN_OPTION settings: unknown setting 'toString'"],
    [{ workers: '2' }, "CONFIG_BAD_VALUE settings: workers must be a number, not '2'"],
    [{ workers: null }, 'CONFIG_BAD_VALUE settings: workers must be a number, not null'],
    [{ workers: Number.NaN }, 'CONFIG_BAD_VALUE settings: workers must be a number, not NaN'],
    [{ workers: 1.5 }, "CONFIG_BAD_VALUE settings: workers = 1.5: '1.5' is not a whole number"],
    [{ workers: 0 }, 'CONFIG_BAD_VALUE settings: workers = 0: must be at least 1'],
    [
      { bufferSize: 65_536 },
      'CONFIG_BAD_VALUE settings: bufferSize = 65536: must be at most 65535 bytes: the header of a uwsgi packet gives the size of the request variables in 16 bits',
    ],
    [{ needApp: 1 }, 'CONFIG_BAD_VALUE settings: needApp must be true or false, not 1'],
    [{ httpSocket: ':8080' }, "CONFIG_BAD_VALUE settings: httpSocket must be an array of strings, not ':8080'"],
    [{ httpSocket: [8080] }, 'CONFIG_BAD_VALUE settings: httpSocket must be an array of strings, not an array of other things'],
    [
      { httpSocket: ['8080'] },
      "CONFIG_BAD_VALUE settings: httpSocket = 8080: '8080' would be a unix socket of that name: write ':8080' for the TCP port, './8080' for the socket",
    ],
    [{ logto: {} }, 'CONFIG_BAD_VALUE settings: logto must be a string, not an object'],
    [{ logto: '' }, 'CONFIG_BAD_VALUE settings: logto: needs a value'],
    [{ chmodSocket: 0o10000 }, 'CONFIG_BAD_VALUE settings: chmodSocket must be a number, as in 0o660, not 4096'],
    [
      { postBuffering: Number.POSITIVE_INFINITY },
      'CONFIG_BAD_VALUE settings: postBuffering must be a number of bytes, not Infinity',
    ],
    [{ httpTimeout: 0 }, 'CONFIG_BAD_VALUE settings: httpTimeout = 0: must be at least 0.1 seconds'],
  ])('%j', (partial, refusal) => {
    expect(refusalOf(() => anySettings(partial))).toBe(refusal)
  })
})

test('what has no effect is warned about under the name of the setting', () => {
  expect(settingsFrom({ procnamePrefix: 'x', master: false }).warnings).toEqual([
    "settings: 'master = false' has no effect: there is always a master",
    "settings: 'procnamePrefix' has no effect in this version: the name of the process is not changed",
  ])
})

test('the object given is left alone', () => {
  const httpSocket = Object.freeze([':1'])
  const partial = Object.freeze({ httpSocket })
  expect(settingsFrom(partial).settings.httpSocket).toEqual([':1'])
  expect(partial).toEqual({ httpSocket: [':1'] })
})
