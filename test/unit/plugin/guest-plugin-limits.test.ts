// A plugin file is guest code: it reaches no more than an app does, and takes no more than it is given.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { GuestError } from '../../../host/errors.ts'
import { descriptionOf } from '../../../host/plugin/guest-description.ts'
import { luaReaches, pythonCallsOurs } from '../../support/guest-attacks.ts'
import { GuestPlugins } from '../../support/guest-plugins.ts'

const memoryLimit = 64 * 1024 * 1024
let lua: GuestPlugins
let python: GuestPlugins
beforeAll(async () => {
  lua = await GuestPlugins.boot('lua', { memoryLimit })
  python = await GuestPlugins.boot('python', { memoryLimit })
})
afterAll(() => {
  lua[Symbol.dispose]()
  python[Symbol.dispose]()
})

let modifier1 = 100

/** Runs statements in the request hook of a plugin of their own, with `req`; answers what they return, as text. */
const inLua = async (statements: string): Promise<string> => {
  modifier1 += 1
  const source = `return { name = 'p', modifier1 = ${modifier1}, request = function(req)
    local results = table.pack(pcall(function() ${statements}
    end))
    for index = 1, results.n do results[index] = tostring(results[index]) end
    req:finish(table.concat(results, ' | ', 1, results.n))
  end }`
  return (await lua.ask(await lua.load(lua.write({ lua: source, python: '' })))).text
}
/** The same; what they leave in `result`, or the exception. */
const inPython = async (code: string): Promise<string> => {
  modifier1 += 1
  const source = `name, modifier1 = 'p', ${modifier1}
def request(req):
  found = {'req': req}
  try:
    exec(${JSON.stringify(code)}, found)
    req.finish(str(found['result']))
  except BaseException as error:
    req.finish(f'{type(error).__name__}: {error}')`
  return (await python.ask(await python.load(python.write({ lua: '', python: source })))).text
}

describe('a plugin file in Lua', () => {
  it.each([
    'io.popen',
    'io.stdin',
    'dofile',
    'loadfile',
    'os.execute',
    'os.exit',
    'string.dump',
    'package.loadlib',
    'debug.getinfo',
    'debug.getregistry',
  ])('has no %s', async (name) => {
    expect(await inLua(`return ${name}`)).toBe('true | nil')
  })

  it('reaches nothing by way of its request object', async () => {
    const forbidden = 'execute popen openFile getinfo getregistry dump keepHook keepValue keepApp readModule arguments'.split(' ')
    const reaches = luaReaches(['_G', 'req', 'getmetatable(req)'], forbidden)
    const found = await inLua(`${reaches} return #bad, table.concat(bad, ' '), getmetatable(req), pcall(setmetatable, req, {})`)
    expect(found).toMatch(/^true \| 0 \| {2}\| false \| false \| .*cannot change a protected metatable$/)
  })

  it('gets an error for a method that is called with anything else than its object', async () => {
    for (const call of [
      'req.write()',
      "req.write('x')",
      'req.write({})',
      'req.write(setmetatable({}, { __index = req }))',
      'req.read(1)',
    ]) {
      expect(await inLua(call)).toMatch(/^false \| .*(?:is a method: call request:\w+\(|is of another call)/)
    }
  })

  it('loads no byte code and no file outside of its directory', async () => {
    expect(await inLua("return load('\\27Lua')")).toContain('attempt to load a binary chunk')
    expect(await inLua("return pcall(require, '/etc/passwd')")).toContain('false | ')
    expect(await inLua("package.path = '/etc/?' return pcall(require, 'passwd')")).toContain(
      "is not a Lua file in the app's directories",
    )
  })

  it('runs out of memory alone', async () => {
    expect(await inLua("local t = {} while true do t[#t + 1] = ('x'):rep(1e6) .. #t end")).toMatch(
      /^false \| .*not enough memory/,
    )
    expect(await inLua('return 1')).toBe('true | 1')
  })

  it('may yield nowhere, and recurse as deep as Lua allows', async () => {
    const source = `return { name = 'y', modifier1 = 99, request = function(req) coroutine.yield(1) end }`
    const plugin = await lua.load(lua.write({ lua: source, python: '' }))
    await expect(lua.ask(plugin)).rejects.toThrow('attempt to yield from outside a coroutine')
    expect(await inLua('local function f() return 1 + f() end return f()')).toMatch(
      /^false \| .*(?:stack overflow|not enough memory)/,
    )
  })

  it.each([
    ['a table that holds itself', "local t = {} t[1] = t return { name = 'a', options = t }", 'deep'],
    [
      'a table of a million values',
      "local t = {} for i = 1, 1e6 do t[i] = i end return { name = 'a', options = t }",
      'more than 10000 values',
    ],
    ['a table with names that are numbers', "return { 'a', name = 'a' }", 'the table of a plugin has names, not a number'],
    ['a list with a hole', "return { name = 'a', options = { [2] = {} } }", 'neither a list nor of names'],
  ])('is refused for %s', async (_, source, message) => {
    await expect(lua.load(lua.write({ lua: source, python: '' }))).rejects.toThrow(message)
  })
})

describe('a plugin file in Python', () => {
  it.each(['js', 'pyodide', 'pyodide_js', '_pyodide', '_pyodide_core', 'pyodide.ffi', 'ctypes', '_ctypes', '_posixsubprocess'])(
    'cannot import %s',
    async (name) => {
      expect(await inPython(`import ${name}`)).toMatch(/^ModuleNotFoundError: No module named/)
    },
  )

  it('reads no file of the host but those beside it, and writes none', async () => {
    expect(await inPython("open('/etc/passwd')")).toContain('FileNotFoundError')
    expect(await inPython("open(__import__('sys').path[0] + '/x', 'w')")).toContain('Read-only file system')
    expect(await inPython("import subprocess; subprocess.run(['true'])")).toMatch(
      /^(?:OSError|ModuleNotFoundError|NameError|RuntimeError)/,
    )
  })

  it('is safe from the functions of its request being called with anything', async () => {
    const code = pythonCallsOurs([
      "('check_request', None)",
      "('check_request', -1)",
      "('check_request', 2 ** 80)",
      "('write', 5)",
      "('add_header', 'a')",
      "('read', 'x')",
    ])
    expect((await inPython(code)).split('\n')).toEqual([
      ...Array<string>(3).fill('ValueError: this request object is of another call: it lives as long as the hook that got it'),
      expect.stringContaining("TypeError: request.write(): argument 'data'"),
      expect.stringContaining("TypeError: request.add_header(): missing argument 'value'"),
      expect.stringContaining("TypeError: request.read(): argument 'size'"),
    ])
    expect(await inPython('type(req)(12, 0).write(b"x")')).toContain('ValueError: this request object is of another call')
    expect(await inPython('type(req)(12, 99).write(b"x")')).toContain('IndexError')
  })

  it('runs out of memory alone', async () => {
    expect(await inPython("result = [b'x' * 1000000 + bytes([i % 256]) for i in range(1000)]")).toContain('MemoryError')
    expect(await inPython('result = 1')).toBe('1')
  })

  it('may end neither the interpreter nor its thread', async () => {
    expect(await inPython('raise SystemExit(3)')).toContain('SystemExit')
    const file = python.write({ lua: '', python: "name = 'a'\nimport sys\nsys.exit(3)" })
    const error = (await python.load(file).catch((thrown: unknown) => thrown)) as GuestError
    expect(error.message).toContain('SystemExit: 3')
  })

  it('may have helpers, imports and values beside its hooks', async () => {
    const file = python.write({
      lua: '',
      python: `import os, json as request_json
from collections import OrderedDict as options_class
from shutil import which as mule, copyfile as rpc, Error as worker
from operator import index as init
name, modifier1, greeting = 'helpers', 98, object()
class Words: pass
def salute(whom): return b'hail, ' + whom
def _inits(): pass
def request(req): req.write(salute(b'you'))`,
    })
    const plugin = await python.load(file)
    expect(descriptionOf(plugin).hooks).toEqual(['request'])
    expect((await python.ask(plugin)).text).toBe('hail, you')
  })

  it.each([
    ['an object', "class P:\n  name, modifier1 = 'o', 97\n  def request(self, req): req.write('object')\nplugin = P()"],
    ['a dict', "def serve(req): req.write('object')\nplugin = {'name': 'o', 'modifier1': 97, 'request': serve}"],
    ['a class', "class plugin:\n  name, modifier1 = 'o', 97\n  def request(req): req.write('object')"],
    ['coroutine functions', "name, modifier1 = 'o', 97\nasync def request(req): req.write('object')"],
  ])('may be %s', async (_, source) => {
    expect((await python.ask(await python.load(python.write({ lua: '', python: source })))).text).toBe('object')
  })

  it.each([
    ['a list that holds itself', "name = 'a'\noptions = []\noptions.append(options)", 'Circular reference'],
    ['a number that is none', "name, modifier1 = 'a', float('nan')", 'not JSON compliant'],
    ['bytes for a name', "name = b'a'", 'name must be a string, not a bytes'],
  ])('is refused for %s', async (_, source, message) => {
    await expect(python.load(python.write({ lua: '', python: source }))).rejects.toThrow(message)
  })
})
