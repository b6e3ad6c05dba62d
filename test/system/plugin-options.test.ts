// Options that a plugin brings, and plugins that are found, refused or needed, from the command line and an embedding program.
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createHost, type HostOptions } from 'polywsgi'
import { afterAll, describe, expect, it } from 'vitest'
import { Server } from '../support/server.ts'
import { getVars, uwsgiRequest } from '../support/uwsgi-client.ts'

const apps = fileURLToPath(new URL('../apps/plugins/options', import.meta.url))
const system = fileURLToPath(new URL('../apps/system', import.meta.url))
const greeter = `${apps}/greeter_plugin.mjs`
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'polywsgi-plugin-options-')))
afterAll(() => rmSync(folder, { recursive: true }))

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text)

/** Runs the command to its end. */
const run = async (...args: string[]): Promise<{ code: number | null; err: string; out: string }> => {
  const server = Server.spawn({ args, cwd: folder })
  const code = await server.exited()
  return { code, err: server.log, out: server.output }
}

write(
  'greeter.ini',
  `[uwsgi]
greeter-times = 3
plugins-dir = ${apps}
need-plugin = greeter
http-socket = 127.0.0.1:0
socket = 127.0.0.1:0
mount = /py=${apps}/opt.py
mount = /lua=${apps}/opt.lua
`,
)

describe('options of a plugin', () => {
  it('reach the plugin and the applications, from a file and the command line', async () => {
    await using server = await Server.start({ args: ['greeter.ini', '-G', 'good day', '--greeter-lo', 'greet:me'], cwd: folder })
    const values = '{"greeter-words":"good day","greeter-times":3,"greeter-loud":true}'
    const answer = await uwsgiRequest(server.uwsgi, getVars('/'), new Uint8Array(0), 251)
    expect(answer).toMatch(/\r\n\r\n/)
    expect(answer.split('\r\n\r\n')[1]).toBe(`${values} words=good day times=3 loud=true`)
    expect(await (await fetch(`${server.http}/py`)).text()).toBe(
      "{'greeter-loud': True, 'greeter-times': b'3', 'greeter-words': b'good day'}",
    )
    expect(await (await fetch(`${server.http}/lua`)).text()).toBe('good day 3 true')
    expect(server.log).not.toContain('[warning]')
    expect(await server.stop()).toBe(0)
  })

  it('are in the help and in the configuration shown', async () => {
    const help = await run('greeter.ini', '--help')
    expect(help).toMatchObject({ code: 0, err: '' })
    expect(help.out).toContain(
      '\nOptions of the plugin greeter:\n  -G, --greeter-words WORDS\n        What the greeter says. Default: hello.\n',
    )
    const shown = await run('greeter.ini', '--show-config')
    expect(shown.out).toContain('\n; default\ngreeter-words = hello\n; greeter.ini:2\ngreeter-times = 3\n')
  })

  it('are refused as all are', async () => {
    expect(await run('--plugin', greeter, '--greeter-times', '9')).toEqual({
      code: 2,
      out: '',
      err: 'polywsgi: command line: greeter-times = 9: must be at most 5\n',
    })
    const told = await run('--plugin', greeter, '--greeter-words', 'nothing')
    expect(told.code).toBe(2)
    expect(told.err).toContain('polywsgi: plugin greeter: greeter-words: a greeter says something\n')
    expect((await run('--plugin', greeter, 'meet:me')).err).toContain("'meet:me' is neither an option")
  })

  it('of an embedding program are its settings, and those of one host alone', async () => {
    const options = { plugin: [greeter], httpSocketModifier1: 251, needApp: false }
    await using one = await createHost({ ...options, greeterTimes: 2 } as HostOptions)
    await using other = await createHost({ ...options, greeterWords: 'bye' } as HostOptions)
    expect(await (await one.fetch('http://localhost/')).text()).toBe(
      '{"greeter-words":"hello","greeter-times":2} words=hello times=2',
    )
    expect(await (await other.fetch('http://localhost/')).text()).toBe('{"greeter-words":"bye"} words=bye')
    await expect(createHost({ ...options, greeterTimes: 'x' } as HostOptions)).rejects.toThrow(
      "settings: greeterTimes must be a number, not 'x'",
    )
    await expect(createHost({ greeterTimes: 2 } as HostOptions)).rejects.toThrow("unknown setting 'greeterTimes'")
  })
})

describe('a plugin', () => {
  it('may be an npm package that the working directory sees, in another slot', async () => {
    const package_ = join(folder, 'node_modules/@scope/polywsgi-greeter')
    mkdirSync(package_, { recursive: true })
    writeFileSync(join(package_, 'package.json'), JSON.stringify({ exports: { import: './plugin.mjs' } }))
    writeFileSync(join(package_, 'plugin.mjs'), `export { default } from ${JSON.stringify(greeter)}`)
    await using server = await Server.start({
      args: ['--socket', '127.0.0.1:0', '--plugin', '77:@scope/polywsgi-greeter', '--greeter-words', 'hi'],
      cwd: folder,
    })
    expect(await uwsgiRequest(server.uwsgi, getVars('/'), new Uint8Array(0), 77)).toContain('{"greeter-words":"hi"} words=hi')
    expect(await uwsgiRequest(server.uwsgi, getVars('/'), new Uint8Array(0), 251)).toMatch(/^HTTP\/1\.1 501 /)
  })

  it('has the number of a language where the operator gives it that, and the language its apps', async () => {
    const args = ['--plugin', `6:${greeter}`, '--mount', `/lua=${system}/good.lua`, '--greeter-words', 'hi']
    await using server = await Server.start({ args: ['--socket', '127.0.0.1:0', ...args] })
    expect(await uwsgiRequest(server.uwsgi, getVars('/'), new Uint8Array(0), 6)).toContain('{"greeter-words":"hi"} words=hi')
    expect(await uwsgiRequest(server.uwsgi, getVars('/lua/'))).toMatch(/^HTTP\/1\.1 200 /)
  })

  it('is listed where it sits, with those that are not there', async () => {
    const { code, out, err } = await run('--plugins-dir', apps, '--plugin', '7:greeter,nonsense', '--plugins-list')
    expect(code).toBe(0)
    expect(out).toContain('\n6: lua\n7: greeter\n24: js\n')
    expect(err).toMatch(/^!!! UNABLE to load plugin nonsense: there is no nonsense_plugin\.mjs in .* !!!\n$/)
  })

  it('is one plugin under two names of its file', async () => {
    symlinkSync(greeter, join(folder, 'linked_plugin.mjs'))
    const both = ['--plugin', greeter, '--need-plugin', 'linked']
    await using server = await Server.start({ args: ['--socket', '127.0.0.1:0', ...both, '--greeter-words', 'hi'], cwd: folder })
    expect(server.log).not.toContain('UNABLE')
    expect(await uwsgiRequest(server.uwsgi, getVars('/'), new Uint8Array(0), 251)).toContain('words=hi')
  })

  it('that ends the process while it is loaded is named', async () => {
    write('exits.mjs', 'process.exit(0)')
    expect(await run('--plugin', './exits.mjs')).toMatchObject({
      err: '!!! the plugin ./exits.mjs has ended the process while it was loaded (exit code 0) !!!\n',
    })
  })

  write('throws.mjs', "throw new Error('not today')")
  write('syntax.mjs', 'export defalt {}')
  write('old.mjs', "export const polywsgiPlugin = { apiVersion: 0, builtFor: '0.0.1' }\nexport default { name: 'old' }")
  write('option.mjs', "export default { name: 'option', options: [{ name: 'workers', type: 'flag', help: 'Mine.' }] }")
  write('hook.mjs', "export default { name: 'hook', init: 'yes' }")
  write('jail.mjs', "export default { name: 'jail', postJail() {} }")
  write('nothing.mjs', 'export const nothing = 1')

  it.each([
    ['nonsense', /nonsense: there is no nonsense_plugin\.mjs in .*, and no npm package 'nonsense' can be found/],
    ['./nonsense.mjs', /\.\/nonsense\.mjs: there is no file .*\/nonsense\.mjs/],
    ['300:nonsense', /300:nonsense: the modifier1 300 is not a number from 0 to 255/],
    ['./throws.mjs', /\.\/throws\.mjs: Error: not today/],
    ['./syntax.mjs', /\.\/syntax\.mjs: SyntaxError: Unexpected token 'export'/],
    ['./old.mjs', /\.\/old\.mjs: it was built for version 0 of the plugin interface \(polywsgi 0\.0\.1\)/],
    ['./option.mjs', /\.\/option\.mjs: its option 'workers' exists already: it is one of polywsgi/],
    ['./hook.mjs', /\.\/hook\.mjs: its hook init is a string, not a function/],
    ['./jail.mjs', /\.\/jail\.mjs: its hook postJail cannot be: /],
    ['./nothing.mjs', /\.\/nothing\.mjs: it has no default export, and exports no functions by name/],
    [`${system}/no-plugin.mjs`, /no-plugin\.mjs: its default export is not a plugin object/],
    [`${system}/clash.mjs`, /clash\.mjs: plugins 'lua' and 'clash' both claim modifier1 6/],
  ])('%s is told of and left out, or ends the start when it is needed', async (plugin, reason) => {
    const line = new RegExp(`!!! UNABLE to load plugin .*${reason.source}.* !!!$`, 'm')
    const socket = join(folder, 'needed.sock')
    const needed = await run('--http-socket', socket, '--need-plugin', plugin)
    expect(needed.code).toBe(1)
    expect(needed.err).toMatch(line)
    expect(existsSync(socket)).toBe(false)
    await using server = await Server.start({ args: ['--http-socket', '127.0.0.1:0', '--plugin', plugin], cwd: folder })
    expect(server.log).toMatch(line)
    expect((await fetch(server.http)).status).toBeGreaterThanOrEqual(400)
    expect(await server.stop()).toBe(0)
  })

  it('that an embedding program needs ends its start', async () => {
    await expect(createHost({ cwd: folder, needPlugin: ['./throws.mjs'], needApp: false })).rejects.toMatchObject({
      code: 'PLUGIN_LOAD',
      message: '!!! UNABLE to load plugin ./throws.mjs: Error: not today !!!',
    })
    await using host = await createHost({ cwd: folder, plugin: ['./throws.mjs'], needApp: false })
    expect(host.stats().workers).toHaveLength(1)
  })
})
