// The options about exceptions, in all languages; for Python beside real uWSGI.
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeWithPeers } from '../support/peers.ts'
import { RealUwsgi } from '../support/real-uwsgi.ts'
import { Server } from '../support/server.ts'
import { getVars, uwsgiRequest } from '../support/uwsgi-client.ts'

const apps = fileURLToPath(new URL('../apps/plugins', import.meta.url))
const mounts = ['py', 'lua', 'js'].flatMap((language) => ['--mount', `/${language}=${apps}/raising.${language}`])

/** Without what stands in a traceback, which real uWSGI gives as file, line and function only. */
const withoutBacktrace = (page: string): string => page.replace(/Backtrace:\n[\s\S]*?\n(?=\n\n[A-Z_]+ = )/, 'Backtrace:\n')

describeWithPeers('catch-exceptions', ['uwsgi'], () => {
  let real: RealUwsgi
  let ours: Server
  beforeAll(async () => {
    real = await RealUwsgi.start('--plugin', 'python3', '--catch-exceptions', '--wsgi-file', `${apps}/raising.py`)
    ours = await Server.start({
      args: [
        '--socket',
        '127.0.0.1:0',
        '--catch-exceptions',
        '--wsgi-file',
        `${apps}/raising.py`,
        '--http-socket',
        '127.0.0.1:0',
      ],
    })
  })
  afterAll(async () => {
    await real[Symbol.asyncDispose]()
    await ours[Symbol.asyncDispose]()
  })

  it('answers with what uWSGI answers, but for the name of the class', async () => {
    const vars = getVars('/value?a=b', { HTTP_X_BYTES: '\xff' })
    const theirs = await uwsgiRequest(real.address, vars)
    const own = await uwsgiRequest(ours.uwsgi, vars)
    expect(theirs).toContain('Exception: builtins.ValueError: no such thing')
    // Differs from uWSGI: a class of Python is shown as Python shows it.
    expect(withoutBacktrace(own)).toBe(withoutBacktrace(theirs.replaceAll('builtins.', '')))
    expect(own).toContain('raising.py", line 8, in application')
    expect(own).toContain('HTTP_X_BYTES = \xff\n')
  })

  it('cuts a response that had begun, and does not show itself in others', async () => {
    expect(await uwsgiRequest(ours.uwsgi, getVars('/'))).toMatch(/\r\n\r\nfine$/)
    expect(await uwsgiRequest(ours.uwsgi, getVars('/late'))).toMatch(/\r\n\r\nbegun$/)
    await expect(fetch(`${ours.http}/late`).then((response) => response.text())).rejects.toThrow()
    expect(Buffer.from(await uwsgiRequest(ours.uwsgi, getVars('/odd')), 'latin1').toString()).toContain('Exception message: hé\n')
  })
})

describe('exceptions of every language', () => {
  it.each([
    ['py', 'ValueError', 'raising.py", line 8'],
    ['lua', '', 'raising.lua:2: '],
    ['js', 'RangeError', 'raising.js:2'],
  ])('are shown with class, message and place: %s', async (language, className, place) => {
    await using server = await Server.start({ args: [...mounts, '--catch-exceptions', '--http-socket', '127.0.0.1:0'] })
    const response = await fetch(`${server.http}/${language}/value`)
    const page = await response.text()
    expect(response.status).toBe(500)
    expect(page).toContain(`Exception class: ${className}\n`)
    expect(page).toMatch(/Exception message: .*no such thing\n/)
    expect(page).toContain(place)
    expect(page).toContain(`PATH_INFO = /value\n`)
  })

  it('are not shown without the option', async () => {
    await using server = await Server.start({ args: [...mounts, '--http-socket', '127.0.0.1:0'] })
    for (const language of ['py', 'lua', 'js'])
      expect(await (await fetch(`${server.http}/${language}/value`)).text()).toBe('Internal Server Error')
  })

  it.each([
    ['py', ['--reload-on-exception']],
    ['lua', ['--reload-on-exception']],
    ['js', ['--reload-on-exception']],
    ['py', ['--reload-on-exception-type', 'ValueError']],
    ['py', ['--reload-on-exception-type', 'builtins.ValueError']],
    ['js', ['--reload-on-exception-value', 'no such thing']],
    ['js', ['--reload-on-exception-repr', 'RangeError: no such thing']],
  ])('renew the worker: %s with %s', async (language, options) => {
    await using server = await Server.start({ args: [...mounts, ...options, '--http-socket', '127.0.0.1:0'] })
    expect((await fetch(`${server.http}/${language}/value`)).status).toBe(500)
    await server.logged('... monitored exception detected, respawning worker 1')
    await server.logged('worker 1: ready', 2)
    expect(server.log).not.toContain('DAMN')
    expect(await (await fetch(`${server.http}/${language}/`)).text()).toBe('fine')
  })

  it('leave the worker when they are not those of the options', async () => {
    const options = [
      '--reload-on-exception-type',
      'KeyError',
      '--reload-on-exception-value',
      'other',
      '--reload-on-exception-repr',
      'x',
    ]
    await using server = await Server.start({ args: [...mounts, ...options, '--http-socket', '127.0.0.1:0'] })
    for (const language of ['py', 'lua', 'js']) expect((await fetch(`${server.http}/${language}/value`)).status).toBe(500)
    expect(await (await fetch(`${server.http}/py/`)).text()).toBe('fine')
    expect(await server.stop()).toBe(0)
    expect(server.log).not.toContain('monitored')
  })
})
