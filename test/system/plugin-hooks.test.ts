// Every hook of the plugin interface, in the order and the thread that the hook table says, over a server's whole life.
import { createSocket } from 'node:dgram'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { type HookName, hookNames, hookTable } from '../../host/plugin/hook-table.ts'
import { Server } from '../support/server.ts'
import { openUwsgi, readToEnd, uwsgiPacket } from '../support/uwsgi-client.ts'

const apps = fileURLToPath(new URL('../apps/plugins', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'polywsgi-hooks-'))
afterAll(() => rmSync(folder, { recursive: true }))

const bothTracers = ['--plugin', `${apps}/general-tracer.mjs`, '--plugin', `${apps}/tracer.mjs`]

/** `master traced.init()` and so on, in the order of the log. */
const tracesOf = (log: string): string[] => [...log.matchAll(/^TRACE (.*)$/gm)].map(([, line]) => line as string)

describe('the hooks of two plugins', () => {
  it('are called in the order of uWSGI, over start, requests, a signal, a reload and a stop', async () => {
    await using server = await Server.start({
      args: [
        ...bothTracers,
        '--http-socket',
        '127.0.0.1:0',
        '--http-socket-modifier1',
        '250',
        '--socket',
        '127.0.0.1:0',
        '--async',
        '2',
      ],
    })
    const marks: Record<string, number> = {}
    const mark = (name: string): void => {
      marks[name] = tracesOf(server.log).length
    }
    mark('started')
    expect(await (await fetch(`${server.http}/`)).text()).toBe('at once 1')
    await server.logged('traced.afterRequest', 1)
    mark('first')
    expect(await (await fetch(`${server.http}/later`)).text()).toBe('later')
    await server.logged('traced.afterRequest', 2)
    mark('second')
    await readToEnd((await openUwsgi(server.uwsgi)).setNoDelay().end(uwsgiPacket({}, 110, 17)))
    await server.logged('signalHandler')
    mark('signal')
    server.kill('SIGHUP')
    await server.logged('reload complete')
    // The one before it ends when the new one serves.
    await server.logged('general.atexit')
    mark('reload')
    expect(await server.stop()).toBe(0)
    const traces = tracesOf(server.log)
    const between = (from: number, to: number | undefined): string[] =>
      traces.slice(from, to).filter((trace) => !trace.includes('masterCycle'))

    const threadStart = [
      'thread traced.postUwsgiFork(1)',
      'thread general.postUwsgiFork(1)',
      'thread traced.masterFixup(1)',
      'thread general.masterFixup(1)',
      'worker1 traced.postFork()',
      'worker1 general.postFork()',
      'worker1 traced.worker()',
      'worker1 general.worker()',
      'worker1 traced.preinitApps()',
      'worker1 general.preinitApps()',
      'worker1 traced.initApps()',
      'worker1 general.initApps()',
      'worker1 traced.postinitApps()',
      'worker1 general.postinitApps()',
      'worker1 traced.initThread(1)',
      'worker1 general.initThread(1)',
      'worker1 traced.fixup()',
      'worker1 general.fixup()',
      'worker1 traced.hijackWorker()',
      'worker1 general.hijackWorker()',
    ]
    const masterFork = [
      'master traced.preUwsgiFork()',
      'master general.preUwsgiFork()',
      'master traced.postUwsgiFork(0)',
      'master general.postUwsgiFork(0)',
    ]
    expect(between(0, marks['started'])).toEqual([
      'master general.onLoad()',
      'master traced.onLoad()',
      'master general.init()',
      'master traced.init()',
      'master general.postInit()',
      'master traced.postInit()',
      'master traced.enableThreads()',
      'master general.enableThreads()',
      'master traced.masterFixup(0)',
      'master general.masterFixup(0)',
      ...masterFork,
      ...threadStart,
    ])
    expect(between(marks['started'] as number, marks['first'])).toEqual([
      'worker1 traced.request()',
      'worker1 traced.afterRequest()',
    ])
    expect(between(marks['first'] as number, marks['second'])).toEqual([
      'worker1 traced.request()',
      'worker1 traced.suspend()',
      'worker1 general.suspend()',
      'worker1 traced.resume()',
      'worker1 general.resume()',
      'worker1 traced.afterRequest()',
    ])
    expect(between(marks['second'] as number, marks['signal'])).toEqual(['worker1 traced.signalHandler(17)'])
    expect(between(marks['signal'] as number, marks['reload'])).toEqual([
      'master traced.masterCleanup()',
      'master general.masterCleanup()',
      ...masterFork,
      ...threadStart,
      // The function that the thread had registered is nobody's any more.
      'worker1 traced.atexit()',
      'worker1 general.atexit()',
    ])
    expect(between(marks['reload'] as number, undefined)).toEqual([
      'worker1 traced.atexit()',
      'worker1 general.atexit()',
      'master traced.masterCleanup()',
      'master general.masterCleanup()',
      'master traced.atexit()',
      'master general.atexit()',
    ])
  })

  it('are called again where a request hook says so, at once or by its promise', async () => {
    await using server = await Server.start({
      args: ['--plugin', `${apps}/again.mjs`, '--http-socket', '127.0.0.1:0', '--http-socket-modifier1', '250'],
    })
    expect(await (await fetch(server.http)).text()).toBe('called 4 times')
    expect(await (await fetch(server.http)).text()).toBe('called 8 times')
  })

  it('are called in mules and spoolers, by UDP packets and once a second', async () => {
    await using server = await Server.start({
      args: [...bothTracers, '--udp', '127.0.0.1:0', '--mule', '--spooler', folder],
    })
    const seen = (hook: string): RegExp => new RegExp(`^TRACE ${hook.replace(/[().]/g, '\\$&')}`, 'm')
    for (const thread of ['mule1', 'spooler1']) {
      for (const hook of ['postFork', 'preinitApps', 'initApps', 'postinitApps', 'fixup']) {
        await server.logged(seen(`${thread} traced.${hook}()`))
        await server.logged(seen(`${thread} general.${hook}()`))
      }
    }
    await server.logged(seen('spooler1 traced.spoolerInit()'))
    await server.logged(seen('spooler1 general.spoolerInit()'))
    await server.logged(seen('master traced.masterCycle()'), 2)
    const port = Number(/udp 127\.0\.0\.1:(\d+)/.exec(server.log)?.[1])
    const socket = createSocket('udp4')
    socket.send('for general', port, '127.0.0.1')
    await server.logged(seen('master traced.manageUdp(127.0.0.1)'))
    await server.logged(seen('master general.manageUdp(127.0.0.1)'))
    socket.send('for nobody\xff', port, '127.0.0.1')
    await server.logged(/^\[udp:127\.0\.0\.1:\d+\] for nobody/m)
    socket.close()
    expect(await server.stop()).toBe(0)
  })

  it('are all in the table, and every one of it is called by some test here or by one of its own', () => {
    const calledElsewhere: readonly HookName[] = [
      ...(['magic', 'loadPlugin', 'mountApp', 'mule', 'muleMsg', 'spooler', 'rpc', 'releaseFunction', 'harakiri'] as const),
      ...(['currentRequest', 'exceptionLog', 'exceptionClass', 'exceptionMsg', 'exceptionRepr', 'backtrace'] as const),
      ...(['encodeString', 'decodeString', 'codeString', 'manageUdp', 'masterCycle', 'spoolerInit'] as const),
    ]
    const calledHere: readonly HookName[] = [
      ...(['onLoad', 'init', 'postInit', 'enableThreads', 'masterFixup', 'preUwsgiFork', 'postUwsgiFork', 'postFork'] as const),
      ...(['worker', 'preinitApps', 'initApps', 'postinitApps', 'initThread', 'fixup', 'hijackWorker', 'request'] as const),
      ...(['suspend', 'resume', 'afterRequest', 'signalHandler', 'masterCleanup', 'atexit'] as const),
    ]
    expect([...calledElsewhere, ...calledHere].sort()).toEqual([...hookNames].sort())
    expect(hookTable.init.order).toBe('general first')
  })
})
