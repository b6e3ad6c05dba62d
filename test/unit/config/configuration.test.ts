// What holds in the end: precedence, sources, `opt`, defaults, and the warnings about options without effect.
import { describe, expect, test } from 'vitest'
import type { Settings } from '../../../host/config/index.ts'
import { load, loadIni, refusalOf } from './world.ts'

const files = { 'app.ini': '[uwsgi]\nworkers = 2\nprocesses = 3\nsocket = :1\nneed-app = true\n' }

test('without any option the defaults hold', () => {
  const { settings, sources, opt, warnings, action } = load([])
  expect(settings).toMatchObject({
    httpSocket: [],
    socket: [],
    httpSocketModifier1: 0,
    workers: 1,
    async: 1,
    master: true,
    bufferSize: 65_535,
    listen: 1024,
    postBuffering: 1_048_576,
    limitPost: 0,
    socketTimeout: 4,
    httpTimeout: 60,
    httpKeepalive: 5,
    memoryLimit: 268_435_456,
    reloadMercy: 60,
    needApp: false,
    manageScriptName: true,
    dieOnTerm: true,
    strict: false,
    harakiri: 0,
    logto: undefined,
    chmodSocket: undefined,
  })
  expect(new Set(sources.values())).toEqual(new Set(['default']))
  expect([...opt]).toEqual([])
  expect(warnings).toEqual([])
  expect(action).toBeUndefined()
})

describe('precedence', () => {
  test('the command line wins over the environment, the environment over files', () => {
    const env = { POLYWSGI_WORKERS: '4' }
    expect(load(['app.ini'], { files }).settings.workers).toBe(3)
    expect(load(['app.ini'], { files, env }).settings.workers).toBe(4)
    expect(load(['-p', '5', 'app.ini'], { files, env }).settings.workers).toBe(5)
    expect(load(['app.ini', '-p', '5'], { files, env }).settings.workers).toBe(5)
    expect(load(['--need-app=no', 'app.ini'], { files }).settings.needApp).toBe(false)
  })

  test('lists gather all: files, environment, command line', () => {
    const { settings, sources } = load(['--socket', ':3', 'app.ini'], { files, env: { UWSGI_SOCKET: ':2' } })
    expect(settings.socket).toEqual([':1', ':2', ':3'])
    expect(sources.get('socket')).toBe('app.ini:4, UWSGI_SOCKET, command line')
  })

  test('the source is where the value that holds was set', () => {
    expect(load(['app.ini'], { files }).sources.get('workers')).toBe('app.ini:3')
    expect(load(['app.ini'], { files, env: { POLYWSGI_PROCESSES: '4' } }).sources.get('workers')).toBe('POLYWSGI_PROCESSES')
    expect(load(['app.ini', '-p', '9'], { files }).sources.get('workers')).toBe('command line')
  })

  test('a value that does not win is checked all the same', () => {
    expect(refusalOf(() => load(['-p', '2', 'app.ini'], { files: { 'app.ini': '[uwsgi]\nworkers = many\n' } }))).toBe(
      "CONFIG_BAD_VALUE app.ini:2: workers = many: 'many' is not a whole number",
    )
  })

  test('set gives an option where it stands', () => {
    expect(load(['--set', 'workers=7']).settings.workers).toBe(7)
    expect(loadIni(['set = workers=7', 'set = mine=1']).warnings).toEqual([])
    expect(refusalOf(() => loadIni(['set = workers=x']))).toBe(
      "CONFIG_BAD_VALUE app.ini:2: workers = x: 'x' is not a whole number",
    )
  })
})

describe('opt', () => {
  test('has names as given, true for an option without a value, texts for everything else', () => {
    const { opt } = load(['-M', '--http', ':1', '--http', ':2', '-p4', '--need-app=true', '--set', 'mine=yes'])
    expect(Object.fromEntries(opt)).toEqual({
      master: [true],
      http: [':1', ':2'],
      workers: ['4'],
      'need-app': ['true'],
      set: ['mine=yes'],
      mine: ['yes'],
    })
  })

  test('of values that cannot hold together only the winners are there', () => {
    const { opt } = load(['-p', '4', 'app.ini'], { files })
    expect(opt.get('workers')).toEqual(['4'])
    expect(opt.has('processes')).toBe(false)
    expect(load(['app.ini'], { files }).opt.get('processes')).toEqual(['3'])
  })

  test('values are expanded, as the settings are', () => {
    expect(loadIni(['mine = %n-$(A)'], { env: { A: 'a' } }).opt.get('mine')).toEqual(['app-a'])
  })
})

describe('options without effect', () => {
  test('say so, with what happens instead', () => {
    expect(load(['--threads=4', '--thunder-lock']).warnings).toEqual([
      "command line: 'threads' has no effect in this version: requests run side by side with async and workers",
      "command line: 'thunder-lock' has no effect in this version: workers do not accept connections: the master hands requests to them",
    ])
  })

  test('are told once, at the place that holds, under the name given', () => {
    expect(loadIni(['lua-load = a.lua', 'lua-load = b.lua', 'pyimport = a']).warnings).toEqual([
      "app.ini:4: 'pyimport' has no effect in this version: the module is not imported unless an application does it",
      "app.ini:3: 'lua-load' has no effect in this version: the file is not run unless an application loads it",
    ])
  })

  test('switched off they have the effect asked for', () => {
    expect(loadIni(['thunder-lock = false']).warnings).toEqual([])
  })

  test('their values are checked and typed', () => {
    expect(load(['--max-worker-lifetime', '30']).settings.maxWorkerLifetime).toBe(30)
    expect(refusalOf(() => load(['--max-requests', 'x']))).toBe(
      "CONFIG_BAD_VALUE command line: max-requests = x: 'x' is not a whole number",
    )
  })
})

test('settings cannot be changed', () => {
  const settings = load(['--socket', ':1']).settings as { -readonly [K in keyof Settings]: Settings[K] }
  expect(() => {
    settings.workers = 3
  }).toThrow(TypeError)
  expect(() => (settings.socket as string[]).push(':2')).toThrow(TypeError)
})

test('an ini file of a tutorial works as it is', () => {
  const { settings, warnings } = loadIni([
    'project = site',
    'base = /srv/%(project)',
    'chdir = %(base)',
    'module = %(project).wsgi:application',
    'master = true',
    'processes = 5',
    'socket = %(base)/%(project).sock',
    'chmod-socket = 660',
    'vacuum = true',
    'die-on-term = true',
    'harakiri = 20',
    'buffer-size = 32768',
  ])
  expect(settings).toMatchObject({
    chdir: '/srv/site',
    module: 'site.wsgi:application',
    workers: 5,
    socket: ['/srv/site/site.sock'],
    chmodSocket: 0o660,
    bufferSize: 32_768,
    harakiri: 20,
  })
  expect(warnings).toEqual([])
})
