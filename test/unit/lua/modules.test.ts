// `require`: what it finds, what it remembers, what it refuses, and that an app's modules are its own.
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { PluginHarness } from '../../support/plugin-harness.ts'
import { appFile, bootLua, writeFiles } from './fixture.ts'

let harness: PluginHarness
beforeAll(async () => {
  harness = await bootLua()
  await harness.mount(appFile('modules/app.lua'), '/modules')
})

const requireIt = async (name: string): Promise<string> => {
  const response = await harness.request({ mountpoint: '/modules', query: name })
  return response.text.replaceAll(appFile('modules/'), '')
}

let mounted = 0
/** Mounts `app.lua` of these files and answers what it returns for a request. */
const runApp = async (files: Record<string, string>, use = harness): Promise<string> => {
  mounted += 1
  const directory = writeFiles(files)
  await use.mount(join(directory, 'app.lua'), `/run${mounted}`)
  return (await use.request({ mountpoint: `/run${mounted}` })).text.replaceAll(directory, '')
}

const answering = (expression: string): string => `return function() return 200, {}, tostring(${expression}) end`

describe('require', () => {
  it('finds modules beside the app, packages with init.lua, and nested ones', async () => {
    expect((await harness.request({ mountpoint: '/modules' })).text).toBe('hello 1 3')
  })

  it('loads a module once, with its name and file as arguments', async () => {
    const text = await runApp({
      'app.lua': `local first, file = require 'm'
        local second, again = require 'm'
        ${answering(`table.concat({ tostring(first == second), first.name, first.file, file, tostring(again) }, ' ')`)}`,
      'm.lua': `return { name = select(1, ...), file = select(2, ...) }`,
    })
    expect(text).toBe('true m /m.lua /m.lua nil')
  })

  it('answers true for a module that returns nothing, and what it put into package.loaded', async () => {
    const text = await runApp({
      'app.lua': answering(`tostring(require 'silent') .. tostring(require 'own').. tostring(package.loaded.silent)`),
      'silent.lua': 'local x = 1',
      'own.lua': `package.loaded[...] = 'mine'`,
    })
    expect(text).toBe('truemintrue'.replace('min', 'mine'))
  })

  it('looks at request time too', async () => {
    expect(await runApp({ 'app.lua': answering(`require('late').x`), 'late.lua': 'return { x = 5 }' })).toBe('5')
  })

  it('names the places where it looked', async () => {
    expect(await requireIt('missing.thing')).toMatch(
      /^.*app\.lua:\d+: module 'missing\.thing' not found:\n\tno field package\.preload\['missing\.thing'\]\n\tno file 'missing\/thing\.lua'\n\tno file 'missing\/thing\/init\.lua'$|^module 'missing\.thing' not found/,
    )
  })

  it('passes on errors of the module with file and line', async () => {
    expect(await requireIt('raising')).toBe('raising.lua:2: not today')
    expect(await requireIt('raising')).toBe('raising.lua:2: not today')
    expect(await requireIt('broken')).toMatch(
      /^error loading module 'broken' from file 'broken\.lua':\n\t.*broken\.lua:2: unexpected symbol near '='$/,
    )
  })

  it('says so when modules need each other in a circle', async () => {
    expect(await requireIt('one')).toMatch(/two\.lua:1: loop or previous error loading module 'one'$/)
    // Not remembered as an error: the circle is there again, not "already loading".
    expect(await requireIt('two')).toMatch(/one\.lua:1: loop or previous error loading module 'two'$/)
  })

  it('lets modules need each other when they announce themselves first', async () => {
    const text = await runApp({
      'app.lua': answering(`require('a').b.a == require('a')`),
      'a.lua': `local a = {} package.loaded[...] = a a.b = require 'b' return a`,
      'b.lua': `return { a = require 'a' }`,
    })
    expect(text).toBe('true')
  })

  it.each([
    '../outside/secret',
    '..outside.secret',
    '.greeting',
    'greeting.',
    'a..b',
    '/etc/passwd',
    'shapes/circle',
    'a b',
    '',
    'a\\0b',
    '%2e%2e',
  ])('refuses the name %j', async (name) => {
    const text = await runApp({ 'app.lua': answering(`select(2, pcall(require, '${name}'))`) })
    expect(text).toContain('is not a module name: words joined by dots')
  })

  it('refuses a value that is no name', async () => {
    expect(await runApp({ 'app.lua': answering(`select(2, pcall(require))`) })).toContain(
      "bad argument #1 to 'require' (string expected, got no value)",
    )
    expect(await runApp({ 'app.lua': answering(`select(2, pcall(require, {}))`) })).toContain('(string expected, got table)')
  })

  it("gives each app modules of its own, which share the app's globals", async () => {
    const files = {
      'app.lua': `setting = 'first' local m = require 'm' ${answering('m() .. (made or "none")')}`,
      'm.lua': `made = 'made by m' local n = 0 return function() n = n + 1 return setting .. n end`,
    }
    const second = { ...files, 'app.lua': files['app.lua'].replace('first', 'second') }
    expect(await runApp(files)).toBe('first1made by m')
    expect(await runApp(second)).toBe('second1made by m')
  })

  it('finds the API and the libraries', async () => {
    const text = await runApp({
      'app.lua': answering(`rawequal(require 'uwsgi', uwsgi) and rawequal(require 'string', string) and rawequal(require '_G', _G)
        and rawequal(require 'package', package)`),
    })
    expect(text).toBe('true')
  })
})

describe('package', () => {
  it('preload comes before files', async () => {
    const text = await runApp({
      'app.lua': `package.preload.m = function(name, data) return name .. data end ${answering(`require 'm'`)}`,
      'm.lua': `return 'file'`,
    })
    expect(text).toBe('m:preload:')
  })

  it('path may be extended by directories below the app, relative to it', async () => {
    const text = await runApp({
      'app.lua': `package.path = package.path .. ';lib/?.lua;./vendor/?/main.lua' ${answering(`require('deep') .. require('big.thing')`)}`,
      'lib/deep.lua': `return 'deep '`,
      'vendor/big/thing/main.lua': `return 'thing'`,
    })
    expect(text).toBe('deep thing')
  })

  it('path does not lead out of the app', async () => {
    const directory = writeFiles({
      'app/app.lua': `package.path = '../?.lua;/etc/?;?.txt;?.lua'
        return function(env) return 200, {}, select(2, pcall(require, env.QUERY_STRING)) end`,
      'app/notes.txt': 'return "notes"',
      'secret.lua': `return 'secret'`,
    })
    await harness.mount(join(directory, 'app/app.lua'), '/out')
    const ask = async (name: string) =>
      (await harness.request({ mountpoint: '/out', query: name })).text.replaceAll(directory, '')
    expect(await ask('secret')).toContain("file '/secret.lua' is not a Lua file in the app's directories")
    expect(await ask('passwd')).toContain("file '/etc/passwd' is not a Lua file in the app's directories")
    expect(await ask('there_is_none')).toContain("file '/etc/there_is_none' is not a Lua file in the app's directories")
    expect(await ask('notes')).toContain("file '/app/notes.txt' is not a Lua file in the app's directories")
  })

  it('path that is no string is refused', async () => {
    expect(await runApp({ 'app.lua': `package.path = nil ${answering(`select(2, pcall(require, 'x'))`)}` })).toBe(
      "'package.path' must be a string",
    )
  })

  it('searchers may be added', async () => {
    const text = await runApp({
      'app.lua': `table.insert(package.searchers, function(name)
          if name == 'magic' then return function(...) return table.concat({ ... }, '+') end, 'extra' end
          return 'no magic for ' .. name
        end)
        ${answering(`require('magic') .. select(2, pcall(require, 'other'))`)}`,
    })
    expect(text).toContain('magic+extra')
    expect(text).toContain('\n\tno magic for other')
  })

  it('searchpath tells where a file is', async () => {
    const text = await runApp({
      'app.lua': answering(`package.searchpath('a.b', '?.lua;x/?.lua') .. tostring(select(2, package.searchpath('q', '?.lua')))`),
      'x/a/b.lua': '',
    })
    expect(text).toBe("/x/a/b.luano file '/q.lua'")
    const custom = await runApp({
      'app.lua': answering(`package.searchpath('a+b', '?.lua', '+', '%/') .. package.searchpath('xay', '?.lua', 'a', '/')`),
      'a%/b.lua': '',
      'x/y.lua': '',
    })
    expect(custom).toBe('/a%/b.lua/x/y.lua')
  })
})

describe('files', () => {
  it('outside are out of reach by symbolic links, inside are not', async () => {
    const directory = writeFiles({
      'app/app.lua': answering(`select(2, pcall(require, 'leak')) .. require('alias')`),
      'app/real.lua': `return 'aliased'`,
      'secret.lua': `return 'secret'`,
    })
    symlinkSync(join(directory, 'secret.lua'), join(directory, 'app/leak.lua'))
    symlinkSync(join(directory, 'app/real.lua'), join(directory, 'app/alias.lua'))
    await harness.mount(join(directory, 'app/app.lua'), '/links')
    const { text } = await harness.request({ mountpoint: '/links' })
    expect(text).toContain("leak.lua' is not a Lua file in the app's directories")
    expect(text).not.toContain('secret')
    expect(text).toContain('aliased')
  })

  it('are found when the app itself is mounted through a link', async () => {
    const directory = writeFiles({ 'releases/1/app.lua': answering(`require 'm'`), 'releases/1/m.lua': `return 'linked'` })
    mkdirSync(join(directory, 'sites'))
    symlinkSync(join(directory, 'releases/1'), join(directory, 'sites/current'))
    await harness.mount(join(directory, 'sites/current/app.lua'), '/current')
    expect((await harness.request({ mountpoint: '/current' })).text).toBe('linked')
  })

  it('of package roots are found after those of the app', async () => {
    const root = writeFiles({ 'shared.lua': `return 'from root'`, 'both.lua': `return 'root'` })
    const rooted = await bootLua({ pythonPath: [root, '/nonexistent/directory'] })
    const text = await runApp(
      { 'app.lua': answering(`require('shared') .. ' ' .. require('both')`), 'both.lua': `return 'app'` },
      rooted,
    )
    expect(text).toBe('from root app')
  })

  it('are found in a directory whose name is special to package.path', async () => {
    const directory = writeFiles({ 'what?;now%/app.lua': answering(`require('m')`), 'what?;now%/m.lua': `return 'odd'` })
    await harness.mount(join(directory, 'what?;now%/app.lua'), '/odd')
    expect((await harness.request({ mountpoint: '/odd' })).text).toBe('odd')
  })

  it('that are directories or byte code are not modules', async () => {
    const text = await runApp({
      'app.lua': answering(`select(2, pcall(require, 'dir')) .. select(2, pcall(require, 'code'))`),
      'dir.lua/x': '',
      'code.lua': '\x1bLua\x54',
    })
    expect(text).toContain("no file '/dir.lua'")
    expect(text).toContain("attempt to load a binary chunk (mode is 't')")
  })
})
