// Loading applications: files, modules, callables, what is importable, and what is said when it fails.
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import plugin from '../../../bindings/python/index.ts'
import type { AppLoadError } from '../../../host/errors.ts'
import { PluginHarness } from '../../support/plugin-harness.ts'
import { appPath } from './python-harness.ts'

let harness: PluginHarness
let scratch: string

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'polywsgi-python-'))
  harness = await PluginHarness.boot(plugin, { pythonPath: [appPath('library')] })
})
afterAll(async () => {
  await rm(scratch, { recursive: true })
})

const failure = async (source: string, callable?: string): Promise<AppLoadError> =>
  await harness.mount(source, '/failing', callable).then(
    () => {
      throw new Error('it was loaded')
    },
    (error: AppLoadError) => error,
  )

describe('a file that cannot be loaded says why', () => {
  test('missing', async () => {
    expect(await failure('/no/such/app.py')).toMatchObject({
      name: 'AppLoadError',
      code: 'APP_LOAD',
      message: 'cannot load /no/such/app.py: no such file',
      details: '',
    })
  })
  test('a directory', async () => {
    const path = join(scratch, 'directory.py')
    await mkdir(path)
    expect((await failure(path)).message).toBe(`cannot load ${path}: it is not a file`)
  })
  test('a syntax error', async () => {
    const path = appPath('loading/syntax_error.py')
    const { message, details } = await failure(path)
    expect(message).toBe(`cannot load ${path}: SyntaxError: expected ':' (syntax_error.py, line 1)`)
    expect(details.split('\n').slice(-4)).toEqual([
      `  File "${path}", line 1`,
      '    def application(environ, start_response)',
      '                                            ^',
      "SyntaxError: expected ':'",
    ])
  })
  test('an exception, with the traceback of the application and the library', async () => {
    const path = appPath('loading/raises.py')
    const { message, details } = await failure(path)
    expect(message).toMatch(/: JSONDecodeError: Expecting property name enclosed in double quotes/)
    expect(details).toContain(`  File "${path}", line 8, in <module>\n    value = setting()`)
    expect(details).toContain('File "/lib/python314.zip/json/__init__.py"')
    expect(details).not.toContain('polywsgi>')
    expect(details).not.toContain('importlib')
  })
  test('SystemExit', async () => {
    expect((await failure(appPath('loading/exits.py'))).message).toMatch(/exits\.py: SystemExit: not today$/)
  })
  test('a missing import', async () => {
    const { message } = await failure(appPath('loading/missing_import.py'))
    expect(message).toMatch(/: ModuleNotFoundError: No module named 'no_such_module'$/)
  })
  test('no callable', async () => {
    const path = appPath('loading/no_callable.py')
    expect((await failure(path)).message).toBe(`cannot load ${path}: ${path} does not define 'application' (nor 'app')`)
    expect((await failure(path, 'wsgi')).message).toBe(`cannot load ${path}: ${path} does not define 'wsgi'`)
  })
  test('something else of that name', async () => {
    const path = appPath('loading/not_callable.py')
    expect((await failure(path)).message).toBe(`cannot load ${path}: 'application' in ${path} is not callable: it is of type int`)
  })
  test('a module that is not there', async () => {
    expect((await failure('no_such_package.wsgi_module')).message).toBe(
      "cannot load no_such_package.wsgi_module: ModuleNotFoundError: No module named 'no_such_package'",
    )
  })
})

test('what is neither a file nor the name of a module is left to other plugins', async () => {
  const context = harness.context as Parameters<NonNullable<typeof plugin.mountApp>>[1]
  for (const source of ['no such thing', 'ftp://host/app', '-x', '']) {
    expect(await plugin.mountApp?.({ mountpoint: '', source, callable: undefined }, context)).toBeUndefined()
  }
})

test('a .wsgi file whose callable is `app` is served, and knows its path', async () => {
  await harness.mount(appPath('loading/named_app.wsgi'), '/named')
  expect((await harness.request({ mountpoint: '/named' })).text).toBe(`${appPath('loading/named_app.wsgi')} /named`)
})

test('a relative path is one from the working directory', async () => {
  await harness.mount('test/apps/python/module_app.py', '/relative')
  expect((await harness.request({ mountpoint: '/relative' })).status).toBe('200 OK')
})

test('a failed file can be loaded again once it is repaired', async () => {
  const path = join(scratch, 'repaired.py')
  await writeFile(path, 'def application(environ, start_response:\n')
  expect((await failure(path)).message).toMatch(/SyntaxError/)
  await writeFile(path, "def application(environ, start_response):\n    start_response('200 OK', [])\n    return [b'repaired']\n")
  await harness.mount(path, '/repaired')
  expect((await harness.request({ mountpoint: '/repaired' })).text).toBe('repaired')
})

test('a file that is a link is loaded from where it points', async () => {
  const target = join(scratch, 'releases', 'current.py')
  await mkdir(join(scratch, 'releases'))
  await mkdir(join(scratch, 'live'))
  await writeFile(target, "def application(environ, start_response):\n    start_response('200 OK', [])\n    return [b'linked']\n")
  await symlink(target, join(scratch, 'live', 'app.py'))
  await harness.mount(join(scratch, 'live', 'app.py'), '/linked')
  expect((await harness.request({ mountpoint: '/linked' })).text).toBe('linked')
})

describe('modules', () => {
  test('are found on the Python path, with a callable after the colon or from the configuration', async () => {
    const directory = join(scratch, 'site')
    await mkdir(join(directory, 'package'), { recursive: true })
    await writeFile(join(directory, 'package', '__init__.py'), '')
    const source = "def other(environ, start_response):\n    start_response('200 OK', [])\n    return [__name__.encode()]\n"
    await writeFile(join(directory, 'package', 'web.py'), `${source}application = app = other\n`)
    const site = await PluginHarness.boot(plugin, { pythonPath: [directory] })
    await site.mount('package.web', '/plain')
    await site.mount('package.web:other', '/colon')
    await site.mount('package.web', '/configured', 'app')
    for (const mountpoint of ['/plain', '/colon', '/configured']) {
      expect((await site.request({ mountpoint })).text).toBe('package.web')
    }
    await expect(site.mount('package.web:absent', '/absent')).rejects.toThrow(
      "cannot load package.web:absent: package.web does not define 'absent'",
    )
  })
  test('are found in the working directory', async () => {
    const module = await PluginHarness.boot(plugin)
    await module.mount('test.apps.python.module_app', '/cwd')
    expect((await module.request({ mountpoint: '/cwd' })).text).toBe('test.apps.python.module_app')
  })
})

test('a Python path that cannot be shown to Python is left out with a word in the log', async () => {
  const { logLines } = await PluginHarness.boot(plugin, { pythonPath: ['/no/such/directory', appPath('echo.py'), '/', '/dev'] })
  expect(logLines).toEqual([
    expect.stringMatching(/^python: pythonpath \/no\/such\/directory is left out: ENOENT/),
    `python: pythonpath ${appPath('echo.py')} is left out: ${appPath('echo.py')} is not a directory`,
    'python: pythonpath / is left out: the directory / cannot be shown to Python: its own system is there',
    'python: pythonpath /dev is left out: the directory /dev cannot be shown to Python: its own system is there',
  ])
})

describe('applications of different directories', () => {
  test('do not get the siblings of each other, at the start or later', async () => {
    await harness.mount(appPath('space-a/app.py'), '/a')
    await harness.mount(appPath('space-b/app.py'), '/b')
    for (let round = 0; round < 3; round += 1) {
      expect((await harness.request({ mountpoint: '/a' })).text).toBe('settings of a lazy of a')
      expect((await harness.request({ mountpoint: '/b' })).text).toBe('settings of b lazy of b')
    }
  })
  test('keep their own after another application could not be loaded', async () => {
    const fresh = await PluginHarness.boot(plugin)
    await fresh.mount(appPath('space-a/app.py'), '/a')
    await expect(fresh.mount(appPath('space-b/no_such.py'), '/b')).rejects.toThrow('no such file')
    await expect(fresh.mount(appPath('loading/raises.py'), '/c')).rejects.toThrow('JSONDecodeError')
    expect((await fresh.request({ mountpoint: '/a' })).text).toBe('settings of a lazy of a')
  })
  test('share the libraries of the Python path', async () => {
    await harness.mount(appPath('space-a/uses_shared.py'), '/a-shared')
    await harness.mount(appPath('space-b/uses_shared.py'), '/b-shared')
    const numbers: string[] = []
    for (const mountpoint of ['/a-shared', '/b-shared', '/a-shared']) numbers.push((await harness.request({ mountpoint })).text)
    expect(numbers).toEqual(['1', '2', '3'])
  })
  test.each([
    [
      'objects that raise for every attribute',
      'class M:\n    def __getattr__(self, name): raise ImportError(name)\nsys.modules["odd"] = M()',
    ],
    ['a path that is none', 'sys.path = None'],
    ['no path', 'del sys.path'],
  ])('live beside one that leaves %s', async (_, code) => {
    const fresh = await PluginHarness.boot(plugin)
    await fresh.mount(appPath('space-a/app.py'), '/a')
    await fresh.mount(appPath('probe.py'), '/odd')
    await fresh.request({ mountpoint: '/odd', method: 'POST', body: `import sys\n${code}` })
    for (let round = 0; round < 2; round += 1) {
      expect((await fresh.request({ mountpoint: '/a' })).text).toBe('settings of a lazy of a')
      expect((await fresh.request({ mountpoint: '/odd', method: 'POST', body: 'result = 1' })).text).toBe('1')
    }
  })
})

test('a plugin that no application needs prepares nothing', async () => {
  const idle = Object.create(plugin) as typeof plugin
  const log = { text: () => {}, bytes: () => {} }
  idle.data = undefined
  await idle.init?.({ log, opt: new Map(), options: new Map(), workers: 1, isNeeded: false })
  expect(idle.data).toBeUndefined()
  const context = { ...harness.context, data: undefined, booted: () => expect.unreachable('it booted') }
  await idle.postFork?.(context)
  expect(await idle.mountApp?.({ mountpoint: '', source: appPath('echo.py'), callable: undefined }, context)).toBeUndefined()
})
