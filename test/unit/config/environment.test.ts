// Options from environment variables.
import { expect, test } from 'vitest'
import { load, refusalOf } from './world.ts'

const loadEnv = (env: Readonly<Record<string, string | undefined>>, files: Record<string, string> = {}) =>
  load([], { env, files })

test('POLYWSGI_HTTP_SOCKET is http-socket, and so is UWSGI_HTTP_SOCKET', () => {
  expect(loadEnv({ POLYWSGI_HTTP_SOCKET: ':8080' }).settings.httpSocket).toEqual([':8080'])
  expect(loadEnv({ UWSGI_HTTP_SOCKET: ':8080' }).settings.httpSocket).toEqual([':8080'])
})

test('our own prefix wins over UWSGI_, also for a list and under another name', () => {
  const { settings } = loadEnv({ UWSGI_SOCKET: ':1', POLYWSGI_UWSGI_SOCKET: ':2', UWSGI_WORKERS: '8', POLYWSGI_PROCESSES: '2' })
  expect(settings.socket).toEqual([':2'])
  expect(settings.workers).toBe(2)
})

test('aliases under one prefix are both given', () => {
  expect(loadEnv({ POLYWSGI_SOCKET: ':1', POLYWSGI_UWSGI_SOCKET: ':2' }).settings.socket).toEqual([':1', ':2'])
})

test('flags, negations and definitions work as elsewhere', () => {
  const { settings, opt } = loadEnv({ POLYWSGI_NEED_APP: 'true', POLYWSGI_NO_STRICT: '1', POLYWSGI_SET_PLACEHOLDER: 'a=b' })
  expect(settings).toMatchObject({ needApp: true, strict: false })
  expect(opt.get('a')).toEqual(['b'])
})

test('an empty variable counts as not set', () => {
  expect(
    loadEnv({ POLYWSGI_WORKERS: '', POLYWSGI_NEED_APP: '', UWSGI_WORKERS: '3', POLYWSGI_LOGTO: undefined }).settings,
  ).toMatchObject({
    workers: 3,
    needApp: false,
    logto: undefined,
  })
})

test('a configuration file may be named by a variable', () => {
  const files = { 'app.ini': '[uwsgi]\nworkers = 6\n' }
  expect(loadEnv({ UWSGI_INI: 'app.ini' }, files).settings.workers).toBe(6)
  expect(refusalOf(() => loadEnv({ POLYWSGI_CONFIG: 'nope.yaml' }))).toBe(
    'CONFIG_UNREADABLE POLYWSGI_CONFIG: cannot read nope.yaml: there is no such file',
  )
})

test('a bad value is refused with the name of the variable', () => {
  expect(refusalOf(() => loadEnv({ POLYWSGI_WORKERS: 'two' }))).toBe(
    "CONFIG_BAD_VALUE POLYWSGI_WORKERS: workers = two: 'two' is not a whole number",
  )
})

test('an unknown variable of ours is warned about with the nearest name, of UWSGI_ it is not', () => {
  const { warnings } = loadEnv({ POLYWSGI_WROKERS: '2', POLYWSGI_XYZZY: '1', UWSGI_RELOADS: '1', UWSGI_WROKERS: '1', OTHER: '1' })
  expect(warnings).toEqual([
    "POLYWSGI_WROKERS: unknown option 'wrokers' (did you mean 'workers'?); the variable is ignored",
    "POLYWSGI_XYZZY: unknown option 'xyzzy'; the variable is ignored",
  ])
})
