// From a module to a plugin, and what is no plugin.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { ConfigError, PolywsgiError } from '../../../host/errors.ts'
import { ModulePlugins } from '../../../host/module-plugins.ts'
import { pluginApiVersion } from '../../../host/plugin/api-version.ts'
import { applyPluginOptions } from '../../../host/plugin/apply-options.ts'
import { checkPlugin } from '../../../host/plugin/check-plugin.ts'
import { functionsOf, importPlugin } from '../../../host/plugin/import-plugin.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'polywsgi-import-')))
afterAll(() => rmSync(root, { recursive: true }))

const write = (path: string, text: string): string => {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
  return pathToFileURL(join(root, path)).href
}

describe('a module', () => {
  test('with a plugin as its default export is that plugin; functions exported by name are beside its own', async () => {
    const url = write(
      'foo.mjs',
      `export const one = () => 1
      export const two = () => 2
      export const three = 3
      export default { name: 'foo', functions: { two: () => 22 } }`,
    )
    const plugin = await importPlugin(url)
    expect(plugin.name).toBe('foo')
    expect(await importPlugin(url)).toBe(plugin)
    const functions = functionsOf(plugin)
    expect(Object.keys(functions).sort()).toEqual(['one', 'two'])
    expect([functions['one']?.(undefined), functions['two']?.(undefined)]).toEqual([1, 22])
  })

  test.each([
    ['useless_plugin.mjs', 'useless'],
    ['handy.mjs', 'handy'],
    ['node_modules/pack/index.mjs', 'pack'],
    ['node_modules/@scope/pack/lib/index.mjs', '@scope/pack'],
  ])('%s that only exports functions is a general plugin of the name %s', async (path, name) => {
    const url = write(path, 'export const hello = (text) => text.length\nexport const constant = 1')
    const plugin = await importPlugin(url)
    expect(plugin).toEqual({ name, functions: { hello: expect.any(Function) } })
    expect(checkPlugin(plugin)).toBeUndefined()
    expect(functionsOf(plugin)['hello']?.('four')).toBe(4)
    expect(await importPlugin(url)).toBe(plugin)
  })

  test.each([
    ['at once', 'awaits.mjs', "const name = await Promise.resolve('awaits')\nexport default { name }", 'awaits'],
    ['in what it imports', 'imports.mjs', "import { name } from './named.mjs'\nexport default { name }", 'inner'],
    ['as CommonJS', 'common.cjs', "module.exports = { name: 'common' }", 'common'],
    ['as TypeScript', 'typed.ts', "const name: string = 'typed'\nexport default { name }", 'typed'],
  ])('is run %s within a time', async (_, path, text, name) => {
    write('named.mjs', "export const name = 'inner'")
    const url = write(path, text)
    const plugin = await importPlugin(url, 10_000)
    expect(plugin.name).toBe(name)
    expect(await importPlugin(url)).toBe(plugin)
  })

  test.each([
    ['loops-itself.mjs', 'for (;;);'],
    ['loops-inside.mjs', "import './loops-there.mjs'\nexport default { name: 'never' }"],
    ['waits.mjs', 'await new Promise(() => {})'],
  ])('%s is not waited for without end', async (path, text) => {
    write('loops-there.mjs', 'for (;;);')
    const url = write(path, text)
    await expect(importPlugin(url, 300)).rejects.toThrow('its module has not returned within 0.3 seconds')
    await expect(importPlugin(url, 300)).rejects.toThrow(
      /^its module (?:was ended before it had run to its end|has not returned)/,
    )
  })

  test.each([
    ['export const x = 1', 'it has no default export, and exports no functions by name'],
    ['', 'it has no default export, and exports no functions by name'],
    ["export default 'text'", 'its default export is not a plugin object'],
    ['export default null', 'its default export is not a plugin object'],
    ["throw new TypeError('not\\n  today')", 'TypeError: not today'],
    ["throw 'a text'", 'its module threw a text'],
    ["export default { name: 'x', modifier1: 256 }", 'its modifier1 is 256, not a whole number from 0 to 255'],
    ["export default { name: 'x', jail() {} }", 'its hook jail cannot be: '],
    ["export default { name: 'x', request: 'GET', modifier1: 9 }", 'its hook request is a string, not a function'],
  ])('%j is refused', async (source, reason) => {
    const url = write(`bad-${Buffer.from(source).toString('hex').slice(-40)}.mjs`, source)
    const error = await importPlugin(url).then(
      () => undefined,
      (caught: PolywsgiError) => caught,
    )
    expect(error).toBeInstanceOf(PolywsgiError)
    expect(error?.code).toBe('PLUGIN_LOAD')
    expect(error?.message.startsWith(reason)).toBe(true)
  })

  test.each([
    [`{ apiVersion: ${pluginApiVersion}, builtFor: '9.9.9' }`, undefined],
    [
      `{ apiVersion: ${pluginApiVersion + 1}, builtFor: '9.9.9' }`,
      `it was built for version ${pluginApiVersion + 1} of the plugin interface (polywsgi 9.9.9), and this is version ${pluginApiVersion}: build it again`,
    ],
    [
      '{ apiVersion: 0 }',
      `it was built for version 0 of the plugin interface, and this is version ${pluginApiVersion}: build it again`,
    ],
    ["{ apiVersion: '1' }", 'its export polywsgiPlugin does not tell an apiVersion'],
    ['null', 'its export polywsgiPlugin does not tell an apiVersion'],
  ])('that was built says for what: %s', async (stamp, reason) => {
    const source = `export const polywsgiPlugin = ${stamp}\nexport default { name: 'built' }`
    const imported = importPlugin(write(`built-${Buffer.from(stamp).toString('hex')}.mjs`, source))
    if (reason === undefined) expect((await imported).name).toBe('built')
    else await expect(imported).rejects.toThrow(reason)
  })
})

test.each<[object, string]>([
  [{}, 'it has no name'],
  [{ name: '' }, 'it has no name'],
  [{ name: 'x', alias: 7 }, 'its alias is not a text'],
  [{ name: 'x', modifier1: '5' }, 'its modifier1 is 5, not a whole number'],
  [{ name: 'x', modifier1: -1 }, 'its modifier1 is -1, not a whole number'],
  [{ name: 'x', request: () => 0 }, 'it has a request hook but no modifier1'],
  [{ name: 'x', options: {} }, 'its options are not an array'],
  [{ name: 'x', appExtensions: '.x' }, "its appExtensions are not an array of texts like '.lua'"],
  [{ name: 'x', pluginExtensions: ['x'] }, "its pluginExtensions are not an array of texts like '.lua'"],
  [{ name: 'x', functions: { f: 1 } }, "its functions hold 'f', which is not a function"],
  [{ name: 'x', hookActions: 1 }, 'its hookActions are not an object'],
  [{ name: 'x', init: true }, 'its hook init is a boolean, not a function'],
  [{ name: 'x', rpc: {} }, 'its hook rpc is an object, not a function'],
])('%j is no plugin', (candidate, reason) => {
  expect(checkPlugin(candidate)).toContain(reason)
})

describe('the options of a plugin', () => {
  const told: unknown[] = []
  const plugin = {
    name: 'foo',
    options: [
      { name: 'foo-b', type: 'text', help: 'B', set: (value: string) => told.push(['b', value]) },
      { name: 'foo-a', type: 'flag', help: 'A', set: (value: boolean) => told.push(['a', value]) },
      { name: 'foo-c', type: 'integer', help: 'C' },
      { name: 'foo-d', type: 'integer', help: 'D', set: () => told.push('never') },
    ],
  } as const

  test('are set once each, in the order of their declaration', async () => {
    await applyPluginOptions(
      plugin,
      new Map<string, string | boolean | number>([
        ['foo-a', false],
        ['foo-c', 3],
        ['foo-b', 'x'],
      ]),
      1000,
    )
    expect(told).toEqual([
      ['b', 'x'],
      ['a', false],
    ])
  })

  test('that a plugin does not take are refused by name', async () => {
    const strict = {
      name: 'strict',
      options: [
        {
          name: 'strict-one',
          type: 'text',
          help: 'One.',
          set: () => {
            throw new RangeError('not this one')
          },
        },
      ],
    } as const
    const apply = (): Promise<void> => applyPluginOptions(strict, new Map([['strict-one', 'x']]), 1000)
    await expect(apply()).rejects.toThrow(ConfigError)
    await expect(apply()).rejects.toThrow('plugin strict: strict-one: not this one')
  })
})

describe('plugins of one configuration', () => {
  const own = write(
    'own.mjs',
    "export default { name: 'own', alias: 'ours', modifier1: 6, request: () => 0, pluginExtensions: ['.own'], loadPlugin(file) { if (file.endsWith('bad.own')) throw new Error('it is bad'); return { name: 'script', modifier1: 51, request: () => 0, options: [{ name: 'script-x', type: 'flag', help: 'x', set() {} }] } } }",
  )
  const describeEntry = new URL('../../../host/worker/describe-entry.ts', import.meta.url).href
  const options = { builtIn: [own], cwd: root, describeEntry, version: '1.2.3' }
  write('general.mjs', "export default { name: 'general', magic: (argument) => argument === 'g' }")
  write(
    'slot.mjs',
    "export default { name: 'slot', modifier1: 50, request: () => 0, magic: (argument) => { if (argument === 'bad') throw new Error('no'); return argument !== 'none' } }",
  )
  write('clash.mjs', "export default { name: 'clash', modifier1: 6, request: () => 0 }")
  write('namesake.mjs', "export default { name: 'ours' }")
  write('script.own', '')
  const load = async (plugins: ModulePlugins, text: string) => {
    const loaded = await plugins.load({ text, isRequired: false }, [])
    loaded?.claim()
    return loaded
  }

  test('claim what is free, and are listed where they sit', async () => {
    const plugins = new ModulePlugins(options)
    await load(plugins, 'general.mjs')
    expect((await load(plugins, '7:slot.mjs'))?.source).toEqual({
      text: '7:slot.mjs',
      isRequired: false,
      url: pathToFileURL(join(root, 'slot.mjs')).href,
      modifier1: 7,
    })
    await expect(load(plugins, 'clash.mjs')).rejects.toThrow("plugins 'own' and 'clash' both claim modifier1 6")
    await expect(load(plugins, 'namesake.mjs')).rejects.toThrow("two plugins are named 'ours'")
    await expect(load(plugins, '9:general.mjs')).rejects.toThrow('it has no request hook, so it can serve no modifier1')
    await load(plugins, '8:clash.mjs')
    expect(await plugins.list()).toBe(
      '*** polywsgi loaded generic plugins ***\ngeneral\n\n*** polywsgi loaded request plugins ***\n6: own\n7: slot\n8: clash\n--- end of plugins list ---',
    )
  })

  test('in a guest language are described by the plugin that has their extension', async () => {
    const plugins = new ModulePlugins(options)
    write('bad.own', '')
    const asked = ['7:./script.own', './bad.own', 'general.mjs'].map((text) => ({ text, isRequired: false }))
    await plugins.prepare(asked, { directories: [], pythonPath: [], memoryLimit: undefined })
    const description = {
      name: 'script',
      modifier1: 51,
      options: [{ name: 'script-x', type: 'flag', help: 'x' }],
      hooks: ['request'],
    }
    const loaded = await load(plugins, '7:./script.own')
    expect(loaded).toMatchObject({ name: 'script', source: { language: 'own', modifier1: 7, description } })
    expect(loaded?.options).toEqual(description.options)
    expect(await plugins.list()).toContain('7: script\n')
    await expect(load(plugins, './bad.own')).rejects.toThrow('it is bad')
    // Nobody had told that it would come.
    await expect(load(new ModulePlugins(options), './script.own')).resolves.toMatchObject({ name: 'script' })
    write('script.other', '')
    await expect(load(plugins, './script.other')).rejects.toThrow('no plugin loads plugins of its kind')
  })

  test('are offered an argument, general ones first', async () => {
    const plugins = new ModulePlugins(options)
    expect(plugins.magic('g')).toBe(false)
    await load(plugins, 'slot.mjs')
    await load(plugins, 'general.mjs')
    expect([plugins.magic('g'), plugins.magic('s'), plugins.magic('none')]).toEqual([true, true, false])
    expect(() => plugins.magic('bad')).toThrow('plugin slot: magic hook raised: Error: no')
  })

  test('cannot take for ever', async () => {
    const plugins = new ModulePlugins({ ...options, limitMs: 500 })
    write('waits.mjs', "await new Promise(() => {})\nexport default { name: 'waits' }")
    write('loops.mjs', "export default { name: 'loops', magic() { for (;;); } }")
    await expect(load(plugins, './waits.mjs')).rejects.toThrow('its module has not returned within 0.5 seconds')
    await load(plugins, './loops.mjs')
    expect(() => plugins.magic('x')).toThrow('plugin loops: magic hook has not returned within 0.5 seconds')
    const looping = {
      name: 'x',
      options: [
        {
          name: 'x-y',
          type: 'flag',
          help: 'Y.',
          set: () => {
            for (;;);
          },
        },
      ],
    } as const
    await expect(applyPluginOptions(looping, new Map([['x-y', true]]), 50)).rejects.toThrow(
      'plugin x: x-y: has not returned within',
    )
  })
})
