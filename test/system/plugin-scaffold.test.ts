// A newcomer's path: begin a plugin, test it, build it, load it, ask it. Nothing but its own folder is touched.
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { Server } from '../support/server.ts'

const base = mkdtempSync(join(tmpdir(), 'polywsgi-scaffold-'))
afterAll(() => rmSync(base, { recursive: true }))

const run = async (cwd: string, ...args: string[]): Promise<{ code: number | null; err: string; out: string }> => {
  const server = Server.spawn({ args, cwd })
  const code = await server.exited()
  return { code, err: server.log, out: server.output }
}

/** `node --test`, as a newcomer runs it. */
const nodeTest = async (cwd: string): Promise<{ failed: boolean; out: string }> =>
  await new Promise((resolve) => {
    // A test runner under a test runner takes itself for its child.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    execFile(process.execPath, ['--test'], { cwd, env }, (error, out) => resolve({ failed: error !== null, out }))
  })

const listed = (folder: string): readonly string[] => readdirSync(folder).sort()

describe.each([
  ['ts', 'hello.ts', ['tsconfig.json']],
  ['js', 'hello.mjs', []],
])('polywsgi init plugin hello --lang %s', (lang, entry, more) => {
  const cwd = mkdtempSync(join(base, 'path-'))
  const folder = join(cwd, 'hello')

  it('leads from nothing to an answer', async () => {
    const begin = performance.now()
    const begun = await run(cwd, 'init', 'plugin', 'hello', '--lang', lang)
    expect(begun).toMatchObject({ code: 0, err: '' })
    const tested = await nodeTest(folder)
    expect(tested.out).toMatch(/pass 1\b/)
    expect(tested.failed).toBe(false)
    const built = await run(folder, '--build-plugin', '.')
    expect(built.out).toBe('*** hello plugin built and available in hello_plugin.mjs ***\n')
    await using server = await Server.start({
      args: ['--http-socket', '127.0.0.1:0', '--http-socket-modifier1', '250', '--plugin', './hello_plugin.mjs'],
      cwd: folder,
    })
    const response = await fetch(server.http)
    console.log(`${lang}: from init to the first answer ${((performance.now() - begin) / 1000).toFixed(2)} s`)
    expect(response.status).toBe(200)
    expect(await response.text()).toBe('Hello from hello\n')
    expect(listed(cwd)).toEqual(['hello'])
    const files = [
      '.gitignore',
      'README.md',
      entry,
      'hello_plugin.mjs',
      'node_modules',
      'package.json',
      'test',
      'uwsgiplugin.json',
    ]
    expect(listed(folder)).toEqual([...files, ...more].sort())
    for (const file of ['README.md', 'test/hello.test.mjs', entry]) {
      expect(readFileSync(join(folder, file), 'utf8')).not.toMatch(/__[A-Z]+__/)
    }
  })

  it('prints the files and the commands that follow', async () => {
    const elsewhere = mkdtempSync(join(base, 'said-'))
    const { out } = await run(elsewhere, 'init', 'plugin', 'hello', `--lang=${lang}`)
    expect(out).toContain(`hello/\n  ${entry}\n  test/hello.test.mjs\n`)
    expect(out).toContain('npx polywsgi --http-socket 127.0.0.1:8080 --http-socket-modifier1 250 --plugin ./hello_plugin.mjs\n')
  })

  it('makes a package that can be published', async () => {
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    expect(manifest).toMatchObject({
      name: 'hello',
      type: 'module',
      keywords: ['polywsgi-plugin'],
      exports: './hello_plugin.mjs',
      files: ['hello_plugin.mjs'],
      scripts: { build: 'polywsgi --build-plugin .', test: 'node --test', prepack: 'npm run build' },
    })
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    expect(manifest.peerDependencies).toEqual({ polywsgi: `^${version}` })
  })
})

describe.each([
  ['lua', 'hello.lua'],
  ['python', 'hello.py'],
])('polywsgi init plugin hello --lang %s', (lang, entry) => {
  it('leads from nothing to an answer, with nothing to build', async () => {
    const cwd = mkdtempSync(join(base, 'path-'))
    const folder = join(cwd, 'hello')
    const { code, out } = await run(cwd, 'init', 'plugin', 'hello', '--lang', lang)
    expect(code).toBe(0)
    expect(out).not.toContain('--build-plugin')
    const tested = await nodeTest(folder)
    expect(tested.out).toMatch(/pass 1\b/)
    expect(tested.failed).toBe(false)
    await using server = await Server.start({
      args: ['--http-socket', '127.0.0.1:0', '--http-socket-modifier1', '250', '--plugin', `./${entry}`],
      cwd: folder,
    })
    const response = await fetch(server.http)
    expect(response.status).toBe(200)
    expect(await response.text()).toBe('Hello from hello\n')
    expect(listed(folder)).toEqual(['.gitignore', 'README.md', entry, 'node_modules', 'package.json', 'test'].sort())
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    expect(manifest).toMatchObject({ exports: `./${entry}`, files: [entry], scripts: { test: 'node --test' } })
    expect(readFileSync(join(folder, 'README.md'), 'utf8')).not.toMatch(/__[A-Z]+__|build-plugin/)
  })
})

describe('polywsgi init', () => {
  it('makes no link where polywsgi is installed', async () => {
    const cwd = mkdtempSync(join(base, 'installed-'))
    const installed = join(cwd, 'node_modules/polywsgi')
    mkdirSync(installed, { recursive: true })
    writeFileSync(join(installed, 'package.json'), '{"name":"polywsgi","main":"main.js"}')
    writeFileSync(join(installed, 'main.js'), '')
    expect((await run(cwd, 'init', 'plugin', 'hello')).code).toBe(0)
    expect(listed(join(cwd, 'hello'))).not.toContain('node_modules')
  })

  it.each([
    [[], 'what is to be begun? (polywsgi init plugin NAME [--lang'],
    [['app', 'x'], "nothing is known of 'app'"],
    [['plugin'], 'one name is needed'],
    [['plugin', 'a', 'b'], 'one name is needed'],
    [['plugin', 'Hello'], "the name 'Hello' has capital letters"],
    [['plugin', '../x'], "the name '../x' is not made of"],
    [['plugin', 'http'], "the name 'http' is a name that npm, Node or polywsgi has"],
    [['plugin', 'python'], "the name 'python' is the name of a plugin that is always there"],
    [['plugin', 'x', '--lang', 'php'], "no plugin is begun in 'php', but in ts, js, lua, python"],
    [['plugin', 'x', '--lang', 'constructor'], "no plugin is begun in 'constructor'"],
    [['plugin', 'x', '--language', 'ts'], "Unknown option '--language'"],
    [['plugin', 'x', '--lang'], 'argument missing'],
  ])('refuses %j', async (args, message) => {
    const cwd = mkdtempSync(join(base, 'refused-'))
    const { code, err, out } = await run(cwd, 'init', ...args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(/^polywsgi: init: /)
    expect(err).toContain(message)
    expect(listed(cwd)).toEqual([])
  })

  it('refuses a folder that is there, and leaves it', async () => {
    const cwd = mkdtempSync(join(base, 'there-'))
    mkdirSync(join(cwd, 'hello'))
    writeFileSync(join(cwd, 'hello/mine.txt'), 'mine')
    const { code, err } = await run(cwd, 'init', 'plugin', 'hello')
    expect(code).toBe(2)
    expect(err).toBe(`polywsgi: init: ${join(cwd, 'hello')} exists\n`)
    expect(listed(join(cwd, 'hello'))).toEqual(['mine.txt'])
  })
})
