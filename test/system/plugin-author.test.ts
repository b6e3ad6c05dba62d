// What the command tells plugin authors: typings that stand alone, and what a plugin is built for.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { pluginApiVersion } from '../../host/plugin/api-version.ts'
import { Server } from '../support/server.ts'

const folder = mkdtempSync(join(tmpdir(), 'polywsgi-author-'))
afterAll(() => rmSync(folder, { recursive: true }))

const run = async (...args: string[]): Promise<{ code: number | null; err: string; out: string }> => {
  const server = Server.spawn({ args, cwd: folder })
  const code = await server.exited()
  return { code, err: server.log, out: server.output }
}

const require = createRequire(import.meta.url)
const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc')

/** What the compiler says of files in a folder without node_modules; '' when it is content. */
const typeErrors = async (...files: string[]): Promise<string> => {
  const options = ['--noEmit', '--strict', '--target', 'es2024', '--module', 'nodenext', '--ignoreConfig', '--types', '']
  return await new Promise((resolve) => {
    execFile(process.execPath, [tsc, ...options, ...files], { cwd: folder }, (_, out) => resolve(out))
  })
}

describe('--dot-h', () => {
  it('prints typings that need nothing else, and that plugins are checked against', async () => {
    const { code, err, out } = await run('--dot-h')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    writeFileSync(join(folder, 'polywsgi.d.ts'), out)
    const plugin = `import { GuestError, type Plugin, pluginApiVersion, type WsgiRequest } from 'polywsgi/plugin'
      import { encodeVars } from 'polywsgi/protocol'
      const version: number = pluginApiVersion
      const path = (request: WsgiRequest): string | undefined => request.getVar('PATH_INFO')
      export default {
        name: 'foobar',
        modifier1: 250,
        request(request) {
          if (path(request) === '/boom') throw new GuestError('forth', 'boom', '')
          request.addHeader('X-Version', String(version))
          return 0
        },
      } satisfies Plugin
      export const block: Uint8Array = encodeVars(Object.entries({ A: 'b' }))\n`
    writeFileSync(join(folder, 'good.ts'), plugin)
    expect(await typeErrors('good.ts', 'polywsgi.d.ts')).toBe('')
    writeFileSync(
      join(folder, 'bad.ts'),
      plugin.replace('modifier1: 250', "modifier1: 'x'").replace('String(version)', 'version'),
    )
    const errors = await typeErrors('bad.ts', 'polywsgi.d.ts')
    expect(errors).toMatch(/bad\.ts\(7,.*'string' is not assignable to type 'number'/)
    expect(errors).toMatch(/bad\.ts\(10,.*'number' is not assignable to parameter of type 'string'/)
  })
})

describe('--build-config', () => {
  it('prints what a plugin is built for as JSON', async () => {
    const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    const { code, out } = await run('--build-config')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toEqual({
      version: manifest.version,
      apiVersion: pluginApiVersion,
      node: process.versions.node,
      esbuild: manifest.dependencies.esbuild,
      target: 'node26',
      format: 'esm',
      external: ['polywsgi/plugin', 'polywsgi/protocol'],
      sources: ['.ts', '.mts', '.js', '.mjs'],
      output: 'NAME_plugin.mjs',
      pluginDirs: expect.any(Array),
      builtInPlugins: expect.arrayContaining(['python', 'lua', 'js', 'rpc', 'cache', 'signal', 'ping', 'echo']),
    })
  })

  it.each(['--cflags', '--config-py'])('is what %s is refused with', async (name) => {
    const { code, err } = await run(name)
    expect(code).toBe(2)
    expect(err).toContain(`polywsgi does not have uWSGI's option '${name}' (what a plugin is built for, --build-config prints)`)
  })
})
