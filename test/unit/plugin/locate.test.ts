// From what an operator writes to where a plugin lies, in real directories.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { locatePlugin } from '../../../host/plugin/locate.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'polywsgi-locate-')))
afterAll(() => rmSync(root, { recursive: true }))

const write = (path: string, text = ''): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

for (const path of ['cwd/here_plugin.mjs', 'cwd/both_plugin.mjs', 'cwd/x.mjs', 'cwd/sub/y.so', 'cwd/hello.lua', 'cwd/hello.py'])
  write(path)
for (const path of ['one/one_plugin.mjs', 'one/both_plugin.mjs', 'two/two_plugin.mjs', 'two/both_plugin.mjs']) write(path)
write('two/http_plugin.mjs')
const package_ = (name: string, manifest: object): void => {
  write(`node_modules/${name}/package.json`, JSON.stringify({ name, ...manifest }))
  for (const file of ['main.cjs', 'module.mjs', 'plugin.mjs']) write(`node_modules/${name}/${file}`)
}
package_('with-main', { main: 'main.cjs' })
package_('with-exports', { exports: { import: './module.mjs', require: './main.cjs' } })
package_('import-only', { exports: { '.': { import: './module.mjs' }, './plugin': './plugin.mjs' } })
package_('@scope/polywsgi-foo', { exports: './module.mjs' })
package_('shut', { exports: { './other': './main.cjs' } })
package_('cache', { main: 'main.cjs' })
package_('fs', { main: 'main.cjs' })

const cwd = join(root, 'cwd')
const url = (path: string): string => pathToFileURL(join(root, path)).href
const locate = (text: string, ...directories: string[]) => locatePlugin(text, directories, cwd)

describe('a path', () => {
  test.each([
    ['./x.mjs', 'cwd/x.mjs'],
    ['x.mjs', 'cwd/x.mjs'],
    [join(root, 'one/one_plugin.mjs'), 'one/one_plugin.mjs'],
    ['../one/one_plugin.mjs', 'one/one_plugin.mjs'],
    ['sub/y.so', 'cwd/sub/y.so'],
    ['hello.lua', 'cwd/hello.lua'],
    ['./hello.py', 'cwd/hello.py'],
  ])('%s', (text, path) => {
    expect(locate(text)).toEqual({ url: url(path) })
  })

  test.each([
    ['./none.mjs', `there is no file ${cwd}/none.mjs`],
    ['none.lua', `there is no file ${cwd}/none.lua`],
    ['./sub', `${cwd}/sub is a directory`],
  ])('%s is not there', (text, reason) => {
    expect(() => locate(text)).toThrow(expect.objectContaining({ code: 'PLUGIN_LOAD', message: reason }))
  })
})

describe('a bare name', () => {
  test('is looked for in the directories in their order, then in the working directory', () => {
    const directories = ['../one', join(root, 'two')]
    expect(locate('one', ...directories)).toEqual({ url: url('one/one_plugin.mjs') })
    expect(locate('two', ...directories)).toEqual({ url: url('two/two_plugin.mjs') })
    expect(locate('both', ...directories)).toEqual({ url: url('one/both_plugin.mjs') })
    expect(locate('both', ...directories.toReversed())).toEqual({ url: url('two/both_plugin.mjs') })
    expect(locate('both')).toEqual({ url: url('cwd/both_plugin.mjs') })
    expect(locate('here', ...directories)).toEqual({ url: url('cwd/here_plugin.mjs') })
  })

  test.each(['python3', 'python311', 'python', 'lua', 'lua51', 'v8', 'http', 'cache', 'corerouter'])(
    '%s of uWSGI has nothing to load, unless a file has the name',
    (name) => {
      expect(locate(name)).toBeUndefined()
      if (name === 'http') expect(locate(name, '../two')).toEqual({ url: url('two/http_plugin.mjs') })
    },
  )

  test('tells all places where it was not', () => {
    expect(() => locate('nothing', '../one', '.')).toThrow(
      `there is no nothing_plugin.mjs in ${root}/one, ${cwd}, and no npm package 'nothing' can be found from ${cwd}`,
    )
  })
})

describe('an npm package', () => {
  test.each([
    ['with-main', 'node_modules/with-main/main.cjs'],
    ['with-exports', 'node_modules/with-exports/module.mjs'],
    ['import-only', 'node_modules/import-only/module.mjs'],
    ['@scope/polywsgi-foo', 'node_modules/@scope/polywsgi-foo/module.mjs'],
  ])('%s', (text, path) => {
    expect(locate(text)).toEqual({ url: url(path) })
  })

  test('that does not let itself be imported is told apart from one that is not there', () => {
    expect(() => locate('shut')).toThrow(/No "exports" main defined in .*shut/)
    expect(() => locate('@scope/none')).toThrow(`no npm package '@scope/none' can be found from ${cwd}`)
    expect(() => locate('@scope')).toThrow(`no npm package '@scope' can be found`)
  })

  test('never is a module of Node.js, nor a path in disguise', () => {
    expect(() => locate('fs')).toThrow('there is no fs_plugin.mjs')
    expect(() => locate('node:fs')).toThrow(/no npm package/)
    expect(() => locate('..')).toThrow(/no npm package/)
    expect(() => locate('')).toThrow(/no npm package/)
  })
})

describe('a modifier1 ahead', () => {
  test('goes with any of them', () => {
    expect(locate('0:./x.mjs')).toEqual({ url: url('cwd/x.mjs'), modifier1: 0 })
    expect(locate('255:here')).toEqual({ url: url('cwd/here_plugin.mjs'), modifier1: 255 })
    expect(locate('7:@scope/polywsgi-foo')).toMatchObject({ modifier1: 7 })
    expect(locate('0:python3')).toBeUndefined()
  })

  test('is one byte', () => {
    expect(() => locate('256:here')).toThrow('the modifier1 256 is not a number from 0 to 255')
    expect(() => locate('x:here')).toThrow('there is no x:here_plugin.mjs')
  })
})
