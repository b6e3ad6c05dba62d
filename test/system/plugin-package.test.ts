// A plugin as an npm package: begun, packed by npm, installed elsewhere, loaded by its name.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { Server } from '../support/server.ts'

const base = mkdtempSync(join(tmpdir(), 'polywsgi-package-'))
afterAll(() => rmSync(base, { recursive: true }))

/** npm without the network, under the Node that the tests run with. */
const npm = (cwd: string, ...args: string[]): string =>
  execFileSync('npm', args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
      npm_config_cache: join(base, 'cache'),
      npm_config_offline: 'true',
      npm_config_update_notifier: 'false',
    },
  })

it('a plugin is packed built, and loaded by its name from where it is installed', async () => {
  const begun = Server.spawn({ args: ['init', 'plugin', 'hello'], cwd: base })
  expect(await begun.exited()).toBe(0)
  // What packs it builds it first.
  npm(join(base, 'hello'), 'pack')
  expect(readdirSync(join(base, 'hello'))).toContain('hello-0.1.0.tgz')

  const site = join(base, 'site')
  const installed = join(site, 'node_modules/hello')
  mkdirSync(installed, { recursive: true })
  execFileSync('tar', ['-xzf', join(base, 'hello/hello-0.1.0.tgz'), '--strip-components=1', '-C', installed])
  expect(readdirSync(installed).sort()).toEqual(['README.md', 'hello_plugin.mjs', 'package.json'])

  await using server = await Server.start({
    args: ['--http-socket', '127.0.0.1:0', '--http-socket-modifier1', '250', '--need-plugin', 'hello'],
    cwd: site,
  })
  expect(await (await fetch(server.http)).text()).toBe('Hello from hello\n')
})

it('a plugin that was built for another interface is refused', async () => {
  const folder = join(base, 'tampered')
  mkdirSync(folder)
  const source = join(folder, 'old.js')
  writeFileSync(source, `export default { name: 'old' }`)
  expect(await Server.spawn({ args: ['--build-plugin', 'old.js'], cwd: folder }).exited()).toBe(0)
  const built = join(folder, 'old_plugin.mjs')
  writeFileSync(built, readFileSync(built, 'utf8').replace(/"?apiVersion"?: \d+/, 'apiVersion: 999'))
  const server = Server.spawn({ args: ['--need-plugin', './old_plugin.mjs'], cwd: folder })
  expect(await server.exited()).toBe(1)
  expect(server.log).toContain('it was built for version 999 of the plugin interface')
})
