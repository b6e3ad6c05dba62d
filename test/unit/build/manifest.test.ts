// uwsgiplugin.json: what is read from a good one, and how every field is refused that is wrong.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseManifest } from '../../../host/build/manifest.ts'
import { PolywsgiError } from '../../../host/errors.ts'

const good = { name: 'foobar', entry: 'src/main.ts' }
const parse = (value: unknown) => parseManifest(JSON.stringify(value), 'foobar/uwsgiplugin.json')

const messageOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    expect(error).toBeInstanceOf(PolywsgiError)
    expect((error as PolywsgiError).code).toBe('PLUGIN_BUILD')
    return (error as Error).message
  }
  throw new Error('nothing was refused')
}

describe('a manifest', () => {
  it('needs a name and an entry, and has defaults for the rest', () => {
    expect(parse(good)).toEqual({
      name: 'foobar',
      entry: 'src/main.ts',
      dependencies: {},
      requires: [],
      flags: { define: {}, minify: false, sourcemap: false, external: [], loader: {} },
    })
  })

  it('may have every field', () => {
    const whole = {
      name: 'foo_bar.2-x',
      entry: './foo.mjs',
      dependencies: { 'left-pad': '1.3.0', '@scope/name': '^2.0.0', any: '*' },
      requires: ['rpc', 'other'],
      flags: {
        define: { DEBUG: false, 'process.env.MODE': 'fast', LIMIT: 5, NOTHING: null },
        minify: true,
        sourcemap: true,
        external: ['sharp', '@scope/*'],
        loader: { '.html': 'text', '.bin': 'binary' },
      },
    }
    expect(parse(whole)).toEqual(whole)
  })

  it('may begin with a byte order mark', () => {
    expect(parseManifest(`\uFEFF${JSON.stringify(good)}`, 'x').name).toBe('foobar')
  })

  it('must be JSON', () => {
    expect(messageOf(() => parseManifest('{ "name": "foobar", }', 'foobar/uwsgiplugin.json'))).toMatch(
      /^foobar\/uwsgiplugin\.json: not JSON: .*position/,
    )
    expect(messageOf(() => parseManifest('', 'x'))).toMatch(/^x: not JSON/)
  })

  it.each([[[]], [null], ['text'], [3]])('must be an object, not %j', (value) => {
    expect(messageOf(() => parse(value))).toBe(`foobar/uwsgiplugin.json: must be an object, not ${JSON.stringify(value)}`)
  })

  it.each([
    ['name', undefined, "'name' must be a text, not missing"],
    ['name', 5, "'name' must be a text, not 5"],
    ['name', '', `'name' is "", which is empty`],
    ['name', '../evil', `'name' is "../evil", which is not made of letters, digits`],
    ['name', 'a,b', `'name' is "a,b", which is not made of`],
    ['name', '-x', `'name' is "-x", which is not made of`],
    ['name', '0:x', `'name' is "0:x", which is not made of`],
    ['name', 'n'.repeat(101), 'which is longer than 100 characters'],
    ['entry', undefined, "'entry' must be a file's path, not missing"],
    ['entry', '', `'entry' must be a file's path, not ""`],
    ['entry', ['a.ts'], `'entry' must be a file's path, not ["a.ts"]`],
    ['entry', '../a.ts', `'entry' is "../a.ts", which is not in the folder`],
    ['entry', 'src/../../a.ts', 'which is not in the folder'],
    ['entry', '/etc/a.ts', 'which is not in the folder'],
    ['entry', 'a\0.ts', 'which holds a NUL'],
    ['entry', 'hello.lua', `'entry' is "hello.lua", which is loaded as it is, with nothing to build: --plugin hello.lua`],
    ['entry', 'hello.py', 'which is loaded as it is'],
    ['entry', 'hello.c', 'which is not a source that can be built (.ts .mts .js .mjs)'],
    ['dependencies', ['left-pad'], `'dependencies' must be an object, not ["left-pad"]`],
    ['dependencies', { 'left-pad': 1 }, "'dependencies.left-pad' must be a version, not 1"],
    ['dependencies', { 'left-pad': 'latest' }, `'dependencies.left-pad' is "latest", which is not a version such as 1.2.3`],
    ['dependencies', { '../x': '1.0.0' }, "'dependencies.../x' is not the name of an npm package"],
    ['requires', 'rpc', `'requires' must be a list of texts, not "rpc"`],
    ['requires', [1], `'requires' must be a list of texts, but 1 is in it`],
    ['requires', ['a b'], `'requires' holds "a b", which is not made of`],
    ['flags', '-O2', `'flags' must be an object, not "-O2"`],
    ['flags', { optimise: 2 }, "'flags.optimise' is not a field (they are: define, minify, sourcemap, external, loader)"],
    ['flags', { minify: 1 }, "'flags.minify' must be true or false, not 1"],
    ['flags', { sourcemap: 'inline' }, `'flags.sourcemap' must be true or false, not "inline"`],
    ['flags', { external: 'sharp' }, `'flags.external' must be a list of texts, not "sharp"`],
    ['flags', { external: [''] }, `'flags.external' holds "", which is empty`],
    ['flags', { define: [] }, "'flags.define' must be an object, not []"],
    ['flags', { define: { 'a-b': 1 } }, "'flags.define.a-b' is not a name that can stand in a program"],
    ['flags', { define: { A: {} } }, "'flags.define.A' must be a text, a number, true, false or null"],
    ['flags', { loader: { html: 'text' } }, "'flags.loader.html' is not a file name extension with its dot"],
    ['flags', { loader: { '.html': 'css' } }, `'flags.loader..html' must be one of text, binary,`],
    ['flags', { loader: { '.html': 7 } }, `'flags.loader..html' must be one of`],
    ['CFLAGS', [], "'CFLAGS' is not a field (they are: name, entry, dependencies, flags, requires)"],
  ])('is refused for %s %j', (field, value, message) => {
    const refusal = messageOf(() => parse({ ...good, [field]: value }))
    expect(refusal).toMatch(/^foobar\/uwsgiplugin\.json: /)
    expect(refusal).toContain(message)
  })

  it('shows only the beginning of a long value', () => {
    expect(messageOf(() => parse({ ...good, requires: 'x'.repeat(10_000) })).length).toBeLessThan(200)
  })

  it('does not take a field from where JSON has none', () => {
    expect(messageOf(() => parseManifest('{"__proto__":{"name":"a","entry":"a.ts"}}', 'x'))).toContain(
      "'__proto__' is not a field",
    )
  })
})

describe('docs/building-plugins.md', () => {
  it('has a row for every field', () => {
    const page = readFileSync(new URL('../../../docs/building-plugins.md', import.meta.url), 'utf8')
    const rows = [...page.matchAll(/^\| `([\w.]+)` \|/gm)].map((match) => match[1])
    const { flags, ...fields } = parse(good)
    expect(rows.sort()).toEqual([...Object.keys(fields), ...Object.keys(flags).map((name) => `flags.${name}`)].sort())
  })
})
