// `--build-plugin` in the real program: what it makes of files and folders, and what it says of those it cannot build.
// That a host refuses what was built for another version is the loader's, and tested with it.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { pluginApiVersion } from '../../host/plugin/api-version.ts'
import { Server } from '../support/server.ts'

const base = mkdtempSync(join(tmpdir(), 'polywsgi-build-'))
afterAll(() => rmSync(base, { recursive: true }))

/** A new folder with files in it. */
const folderWith = (files: Readonly<Record<string, string>>): string => {
  const folder = mkdtempSync(join(base, 'f-'))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

const build = async (source: string, cwd: string): Promise<{ code: number | null; err: string; out: string }> => {
  const server = Server.spawn({ args: ['--build-plugin', source], cwd })
  const code = await server.exited()
  return { code, err: server.log, out: server.output }
}

const importFile = async (path: string): Promise<Record<string, unknown>> =>
  await import(/* @vite-ignore */ pathToFileURL(path).href)

const general = (name: string): string => `export default { name: '${name}' }\n`

describe('a file', () => {
  const foobar = {
    'src/foobar.ts': `
      import { type Plugin, PolywsgiError } from 'polywsgi/plugin'
      import { decodeArray, encodeArray } from 'polywsgi/protocol'
      import { greeting } from '../lib/greeting.ts'
      const codeOf = (run: () => void): string => {
        try {
          run()
          return 'nothing thrown'
        } catch (error) {
          return error instanceof PolywsgiError ? error.code : 'of another class'
        }
      }
      export default {
        name: 'foobar',
        modifier1: 250,
        request(request) {
          const refused = codeOf(() => request.addHeader('not a name', 'x'))
          const [echoed] = decodeArray(encodeArray([new TextEncoder().encode(greeting)]))
          request.prepareHeaders('200 OK')
          request.addHeader('Content-Type', 'text/plain')
          request.addHeader('X-Refused', refused)
          request.writeBody(echoed as Uint8Array)
          return 0
        },
      } satisfies Plugin`,
    'lib/greeting.ts': `export const greeting: string = 'i am foobar'`,
  }

  it('becomes one beside it, which runs wherever it is taken, with the classes of its host', async () => {
    const folder = folderWith(foobar)
    const { code, err, out } = await build('src/foobar.ts', folder)
    expect({ code, err, out }).toEqual({
      code: 0,
      err: '',
      out: '*** foobar plugin built and available in src/foobar_plugin.mjs ***\n',
    })
    expect(readdirSync(join(folder, 'src')).sort()).toEqual(['foobar.ts', 'foobar_plugin.mjs'])
    const elsewhere = folderWith({ 'foobar_plugin.mjs': readFileSync(join(folder, 'src/foobar_plugin.mjs'), 'utf8') })
    await using server = await Server.start({
      args: ['--http-socket', '127.0.0.1:0', '--http-socket-modifier1', '250', '--plugin', './foobar_plugin.mjs'],
      cwd: elsewhere,
    })
    const response = await fetch(server.http)
    expect([response.status, response.headers.get('x-refused')]).toEqual([200, 'APP_RESPONSE'])
    expect(await response.text()).toBe('i am foobar')
  })

  it('is loaded as a source too', async () => {
    await using server = await Server.start({
      args: ['--http-socket', '127.0.0.1:0', '--http-socket-modifier1', '250', '--plugin', './src/foobar.ts'],
      cwd: folderWith(foobar),
    })
    expect(await (await fetch(server.http)).text()).toBe('i am foobar')
  })

  it('says what it was built for', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    const folder = folderWith({ 'tiny.js': general('tiny') })
    await build('tiny.js', folder)
    const built = await importFile(join(folder, 'tiny_plugin.mjs'))
    expect(built['polywsgiPlugin']).toEqual({ apiVersion: pluginApiVersion, builtFor: version, name: 'tiny', requires: [] })
  })

  it('gives the same bytes each time, wherever it lies', async () => {
    const [one, other] = [folderWith(foobar), folderWith(foobar)]
    await build('src/foobar.ts', one)
    await build(join(other, 'src/foobar.ts'), base)
    const read = (folder: string): string => readFileSync(join(folder, 'src/foobar_plugin.mjs'), 'utf8')
    expect(read(other)).toBe(read(one))
    expect(read(one)).not.toContain(base)
  })

  it('may lie at a path with spaces, and takes another name after one more', async () => {
    const folder = folderWith({ 'my plugins/tiny.mjs': general('tiny') })
    expect((await build('my plugins/tiny.mjs', folder)).code).toBe(0)
    const { out } = await build('my plugins/tiny.mjs other', folder)
    expect(out).toBe('*** other plugin built and available in my plugins/other_plugin.mjs ***\n')
    const built = await importFile(join(folder, 'my plugins/other_plugin.mjs'))
    expect([(built['default'] as { name: string }).name, (built['polywsgiPlugin'] as { name: string }).name]).toEqual([
      'other',
      'other',
    ])
  })

  it('may export functions only', async () => {
    const folder = folderWith({ 'useless.ts': 'export const answer = (): number => 42\n' })
    expect((await build('useless.ts', folder)).code).toBe(0)
    const built = await importFile(join(folder, 'useless_plugin.mjs'))
    expect(Object.keys(built).sort()).toEqual(['answer', 'polywsgiPlugin'])
    expect((built['answer'] as () => number)()).toBe(42)
  })

  it('is not checked for types', async () => {
    const folder = folderWith({ 'tiny.ts': `export const n: number = 'text'\n${general('tiny')}` })
    expect(await build('tiny.ts', folder)).toMatchObject({ code: 0, err: '' })
  })
})

describe('a folder', () => {
  const deep = {
    'deep/uwsgiplugin.json': JSON.stringify({
      name: 'deep',
      entry: 'src/main.ts',
      dependencies: { 'old-style': '^1.0.0', '@new/style': '2.0.0' },
      requires: ['rpc'],
      flags: { define: { LIMIT: 3, MODE: 'fast' }, minify: true, loader: { '.html': 'text' } },
    }),
    'deep/src/main.ts': `
      import { here } from 'old-style'
      import five from '@new/style'
      import page from './page.html'
      declare const LIMIT: number
      declare const MODE: string
      export class DeepError extends Error { override get name() { return new.target?.name ?? this.constructor.name } }
      export const facts = () => [here('/'), five, page, LIMIT, MODE, DeepError.name]
      export default { name: 'deep' }`,
    'deep/src/page.html': '<b>page</b>',
    'deep/node_modules/old-style/package.json': '{"name":"old-style","version":"1.4.0","main":"main.js"}',
    'deep/node_modules/old-style/main.js': `const fs = require('node:fs'); exports.here = (path) => fs.existsSync(path) && __dirname.length > 0`,
    'deep/node_modules/@new/style/package.json':
      '{"name":"@new/style","version":"2.0.0","type":"module","exports":{"import":"./main.js"}}',
    'deep/node_modules/@new/style/main.js': 'export default 5',
  }

  it('becomes a file in the working directory, with its packages and files in it', async () => {
    const folder = folderWith(deep)
    expect(await build('deep', folder)).toMatchObject({
      code: 0,
      err: '',
      out: '*** deep plugin built and available in deep_plugin.mjs ***\n',
    })
    rmSync(join(folder, 'deep'), { recursive: true })
    const built = await importFile(join(folder, 'deep_plugin.mjs'))
    expect((built['facts'] as () => unknown)()).toEqual([true, 5, '<b>page</b>', 3, 'fast', 'DeepError'])
    expect(built['polywsgiPlugin']).toMatchObject({ name: 'deep', requires: ['rpc'] })
    expect(readFileSync(join(folder, 'deep_plugin.mjs'), 'utf8')).not.toContain('sourceMappingURL')
  })

  it('may be the working directory, and take another name', async () => {
    const folder = folderWith(deep)
    const { out } = await build('. deeper', join(folder, 'deep'))
    expect(out).toBe('*** deeper plugin built and available in deeper_plugin.mjs ***\n')
    const built = await importFile(join(folder, 'deep/deeper_plugin.mjs'))
    expect((built['default'] as { name: string }).name).toBe('deeper')
  })

  it('takes its source map along when it is asked to', async () => {
    const folder = folderWith({
      'uwsgiplugin.json': JSON.stringify({ name: 'mapped', entry: 'a.ts', flags: { sourcemap: true } }),
      'a.ts': general('mapped'),
    })
    await build('.', folder)
    const [, map = ''] = /sourceMappingURL=data:application\/json;base64,(\S+)/.exec(
      readFileSync(join(folder, 'mapped_plugin.mjs'), 'utf8'),
    ) as RegExpExecArray
    expect(JSON.parse(Buffer.from(map, 'base64').toString()).sourcesContent).toContain(general('mapped'))
  })

  it('names every dependency that is missing or of another version', async () => {
    const manifest = {
      name: 'deep',
      entry: 'src/main.ts',
      dependencies: { gone: '1.0.0', 'old-style': '^2.0.0', '@new/style': '*' },
    }
    const folder = folderWith({ ...deep, 'deep/uwsgiplugin.json': JSON.stringify(manifest) })
    const { code, err } = await build('deep', folder)
    expect(code).toBe(1)
    expect(err).toContain(
      'polywsgi: deep/uwsgiplugin.json: gone@1.0.0 is not installed; old-style is installed as 1.4.0, and ^2.0.0',
    )
    expect(err).toContain(`In ${folder}/deep: npm install 'gone@1.0.0' 'old-style@^2.0.0' '@new/style@*'`)
    expect(readdirSync(folder)).toEqual(['deep'])
  })

  it.each([
    [{}, 'there is no uwsgiplugin.json in it\n'],
    [{ 'uwsgiplugin.py': 'NAME="x"' }, 'there is no uwsgiplugin.json in it, only the uwsgiplugin.py of a plugin for uWSGI'],
    [{ 'uwsgiplugin.json': '{"name":"x"}' }, "uwsgiplugin.json: 'entry' must be a file's path, not missing"],
    [{ 'uwsgiplugin.json': '{"name":"x","entry":"no.ts"}' }, `uwsgiplugin.json: 'entry' is "no.ts", and there is no such file`],
    [{ 'uwsgiplugin.json': '{"name":' }, 'uwsgiplugin.json: not JSON'],
    [{ 'uwsgiplugin.json/x': '' }, 'uwsgiplugin.json is not a file of at most'],
  ])('with %j is refused', async (files, message) => {
    const { code, err } = await build('.', folderWith(files))
    expect(code).toBe(1)
    expect(err).toMatch(/^polywsgi: /)
    expect(err).toContain(message)
    expect(err).not.toContain('    at ')
  })
})

describe('what cannot be built', () => {
  const bad: readonly (readonly [what: string, source: string, message: string | RegExp])[] = [
    ['a syntax error', 'const a = 1\nconst b = = 2\n', 'bad.ts:2:11: Unexpected "="'],
    [
      'a missing file',
      `\nimport { x } from './gone.ts'\nexport default { name: x }`,
      'bad.ts:2:19: Could not resolve "./gone.ts"',
    ],
    ['a missing package', `import x from 'gone'\nexport default { name: x }`, 'bad.ts:1:15: Could not resolve "gone"'],
    ['the host itself', `import * as x from 'polywsgi'\nexport default x`, 'bad.ts:1:20: A plugin imports polywsgi/plugin or'],
    ['a name nobody exports', `import { x } from './bad.ts'\nexport default { name: x }`, 'bad.ts:1:10: No matching export'],
    ['nothing', '', 'it exports neither a plugin as its default nor a function by name'],
    ['only values', 'export const x = 1', 'it exports neither a plugin as its default nor a function by name'],
    ['a default that is no plugin', 'export default 5', 'its default export is not a plugin object'],
    ['no name', 'export default {}', 'it has no name'],
    [
      'another name',
      general('other'),
      "is named 'other', not 'bad'; another name may stand after the source: --build-plugin 'bad.ts NAME'",
    ],
    ['what the loader refuses', `export default { name: 'bad', request: () => 0 }`, 'it has a request hook but no modifier1'],
    ['a throw', `\n\n  throw new Error('broken')`, /it throws when it is imported: Error: broken\n.*bad\.ts:3:9/],
    ['a throw of no error', 'throw null', 'it throws when it is imported: null'],
    [
      'a later throw',
      `setTimeout(() => { throw new Error('late') })\nawait new Promise(() => setInterval(() => {}, 1e6))`,
      'late',
    ],
    ['an end of the process', 'process.exit(0)', 'it ends its thread when it is imported'],
    ['an endless loop', 'for (;;);', 'importing it does not end within 10 seconds'],
  ]

  it.each(bad)('%s: says where, and leaves what was there', async (_, source, message) => {
    const folder = folderWith({ 'bad.ts': source, 'bad_plugin.mjs': 'of yesterday' })
    const { code, err, out } = await build('bad.ts', folder)
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(/^polywsgi: unable to build/)
    expect(err).toMatch(message)
    expect(err).not.toMatch(/node:internal|check-plugin/)
    expect(readdirSync(folder).sort()).toEqual(['bad.ts', 'bad_plugin.mjs'])
    expect(readFileSync(join(folder, 'bad_plugin.mjs'), 'utf8')).toBe('of yesterday')
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('and is given up by %s: leaves nothing', async (signal) => {
    const folder = folderWith({ 'bad.ts': 'for (;;);' })
    const server = Server.spawn({ args: ['--build-plugin', 'bad.ts'], cwd: folder })
    while (readdirSync(folder).length === 1) await new Promise((resolve) => setTimeout(resolve, 10))
    server.kill(signal)
    await server.exited()
    expect(server.process.signalCode).toBe(signal)
    expect(readdirSync(folder)).toEqual(['bad.ts'])
  })

  it('names each of several errors', async () => {
    const { err } = await build('bad.ts', folderWith({ 'bad.ts': `import './one.ts'\nimport './two.ts'\n` }))
    expect(err).toMatch(/^polywsgi: unable to build:\nbad\.ts:1:8: .*\nbad\.ts:2:8: .*\n$/)
  })

  it.each([
    ['gone.ts', /there is no file or folder .*gone\.ts/],
    ['hello.lua', /hello\.lua: it is loaded as it is, with nothing to build: --plugin hello\.lua/],
    ['hello.py', /hello\.py: it is loaded as it is, with nothing to build: --plugin hello\.py/],
    ['hello.c', /hello\.c: it is not a source that can be built \(\.ts \.mts \.js \.mjs\)/],
    ['tiny.js ../evil', /the name '\.\.\/evil' is not made of/],
    ['tiny.js/x.ts', /there is no file or folder/],
    ['-odd.ts', /its name '-odd' is not made of .*--build-plugin '-odd\.ts NAME'/],
    ['https://example.com/plugin.git', /does not fetch https:/],
  ])('%s: says why', async (source, message) => {
    const files = { 'hello.lua': '', 'hello.py': '', 'hello.c': '', 'tiny.js': general('tiny'), '-odd.ts': general('x') }
    const folder = folderWith(files)
    const server = Server.spawn({ args: [`--build-plugin=${source}`], cwd: folder })
    expect(await server.exited()).toBe(1)
    expect(server.log).toMatch(message)
    expect(readdirSync(folder).sort()).toEqual(Object.keys(files).sort())
  })

  it('a place that cannot be written to: says so', async () => {
    const folder = folderWith({ 'tiny.js': general('tiny'), 'tiny_plugin.mjs/in-the-way': '' })
    const { code, err } = await build('tiny.js', folder)
    expect(code).toBe(1)
    expect(err).toContain(`unable to write ${join(folder, 'tiny_plugin.mjs')}: `)
    expect(readdirSync(folder).sort()).toEqual(['tiny.js', 'tiny_plugin.mjs'])
    expect(existsSync(join(folder, 'tiny_plugin.mjs/in-the-way'))).toBe(true)
  })
})
