// Hooks of the configuration in the running program, their order beside uWSGI's own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { phaseNames } from '../../host/hooks/phases.ts'
import { describeWithPeers, peerPath } from '../support/peers.ts'
import { Server } from '../support/server.ts'

const app = fileURLToPath(new URL('../apps/hooks/app.py', import.meta.url))
const useless = fileURLToPath(new URL('../apps/hooks/useless.mjs', import.meta.url))
const http = ['--http-socket', '127.0.0.1:0']

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'polywsgi-hooks-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs the command to its end. */
const ended = async (...args: string[]): Promise<{ code: number | null; log: string }> => {
  await using server = Server.spawn({ args })
  const code = await server.exited()
  return { code, log: server.log }
}

describeWithPeers('the order of phases', ['uwsgi'], () => {
  const printed = phaseNames.filter((phase) => phase !== 'touch')
  const options = printed.flatMap((phase) => [`--hook-${phase}`, `print:H ${phase}`])
  const threadPhases = ['post-fork', 'accepting', 'accepting-once', 'accepting1', 'accepting1-once']
  const isUp = ['accepting1-once', 'master-start', 'as-mule']

  const phasesIn = (log: string): string[] => [...log.matchAll(/^H (\S+)$/gm)].map((match) => match[1] as string)
  const part = (phases: readonly string[], of: (phase: string) => boolean): string[] => phases.filter(of)

  /** Start, reload and stop of a program, as the phases it went through. */
  const life = async (command: string, args: readonly string[]): Promise<string[]> => {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    const exit = once(child, 'exit')
    let log = ''
    const reached = (times: number): Promise<void> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const phases = phasesIn(log)
          const fits = isUp.every((phase) => phases.filter((other) => other === phase).length >= times)
          if (!fits) return
          child.stderr.off('data', look)
          resolve()
        }
        child.stderr.on('data', look)
        child.once('exit', () => reject(new Error(`${command} ended: ${log}`)))
        look()
      })
    child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text))
    try {
      await reached(1)
      child.kill('SIGHUP')
      await reached(2)
      child.kill('SIGINT')
      await exit
    } finally {
      child.kill('SIGKILL')
    }
    return phasesIn(log)
  }

  /** uWSGI goes through as-root and as-user up to four times in a start. */
  const withoutRepeats = (phases: readonly string[]): string[] => {
    let seen = new Set<string>()
    return phases.filter((phase) => {
      if (phase === 'asap') seen = new Set()
      if (phase !== 'as-root' && phase !== 'as-user') return true
      if (seen.has(phase)) return false
      seen.add(phase)
      return true
    })
  }

  it("is uWSGI's over a start, a reload and a stop, in the master, a worker and a mule", async () => {
    const address = join(folder, 'real.sock')
    const real = await life(peerPath('uwsgi'), ['--socket', address, '--master', '--mule', '--processes', '1', ...options])
    const ours = await life(process.execPath, [
      fileURLToPath(new URL('../../dist/cli.js', import.meta.url)),
      ...['--socket', join(folder, 'ours.sock'), '--mule', '--processes', '1', ...options],
    ])
    const isThread = (phase: string): boolean => threadPhases.includes(phase)
    const isMaster = (phase: string): boolean => !isThread(phase) && phase !== 'as-mule'
    expect(part(ours, isMaster)).toEqual(part(withoutRepeats(real), isMaster))
    expect(part(ours, isThread)).toEqual(part(real, isThread))
    expect(part(ours, (phase) => phase === 'as-mule')).toEqual(['as-mule', 'as-mule'])
    expect(new Set(ours)).toEqual(new Set(printed))
    // Differs from uWSGI: threads load the apps.
    expect(ours.indexOf('pre-app')).toBeLessThan(ours.indexOf('post-fork'))
    expect(ours.indexOf('post-app')).toBeGreaterThan(ours.indexOf('accepting1-once'))
  })

  it('has the commands and the calls of a phase after its actions', async () => {
    const lines = ['--exec-asap', 'echo 3', '--call-asap', 'hello 4', '--hook-asap', 'print:1', '--hook-asap', 'print:2']
    const { log } = await ended('--plugin', useless, ...lines, '--hook-in-jail', 'exit:')
    expect(log.match(/^(?:\d|useless: hello \d)$/gm)).toEqual(['1', '2', '3', 'useless: hello 4'])
  })
})

describe('a plugin that only has functions', () => {
  it('is called by hooks of the master and of threads, by its actions too, and after each request', async () => {
    const hooks = [
      '--hook-pre-app',
      'call:hello master',
      '--hook-accepting',
      'callintret:useless.given 0',
      '--hook-asap',
      'shout:loud',
    ]
    const more = ['--hook-post-app', 'rpc:greet a "b c"', '--hook-accepting', 'rpc:greet w', '--after-request-hook', 'requested']
    const all = ['--plugin', useless, '--wsgi-file', app, '--workers', '1', ...http, ...hooks, ...more]
    await using server = await Server.start({ args: all })
    expect(await (await fetch(`${server.http}/there`)).text()).toBe('x')
    await server.logged('useless: requested /there')
    const { log } = server
    expect(log).toContain('useless: LOUD\n')
    expect(log).toContain('running "call:hello master" (pre app)...\nuseless: hello master\n')
    expect(log).toContain('running "rpc:greet a "b c"" (post app)...\n[rpc result from "greet"] hi a,b c\n')
    expect(log).toContain('running "rpc:greet w" (accepting)...\n[rpc result from "greet"] hi w\n')
  })

  it.each([
    ['callret:three', 'function "three" returned 3'],
    ['call:nosuch', 'unable to call function "nosuch"'],
    ['call:boom', 'plugin useless: function boom raised: Error: boom'],
    ['refuse:', 'hook action refuse returned 1'],
  ])('ends the start with %s', async (line, message) => {
    for (const phase of ['asap', 'post-fork']) {
      const { code, log } = await ended('--plugin', useless, '--workers', '1', ...http, `--hook-${phase}`, line)
      expect(code).toBe(1)
      expect(log).toContain(message)
      expect(log).toContain('FATAL hook failed, destroying instance\n')
      expect(log).not.toContain('polywsgi ready')
    }
  })

  it('cannot hold the server with a function that never returns', async () => {
    const { code, log } = await ended('--plugin', useless, '--plugin-timeout', '0.2', ...http, '--hook-asap', 'call:spin')
    expect(code).toBe(1)
    expect(log).toContain('plugin useless: function spin has not returned within 0.2 seconds')
  })

  it('must have what is to be called after requests', async () => {
    const { code, log } = await ended('--plugin', useless, '--workers', '1', ...http, '--after-request-call', 'nosuch')
    expect(code).toBe(1)
    expect(log).toContain('unable to find symbol/function "nosuch"')
  })
})

describe('hooks of threads', () => {
  it('have the environment, the alarms and the sockets of the server', async () => {
    const socket = join(folder, 'threads.sock')
    const lines = ['putenv:POLYWSGI_H=mine', 'exec:echo "H $POLYWSGI_H"', `wait_for_socket:${socket}`, 'alarm:a from a worker']
    const hooks = lines.flatMap((line) => ['--hook-post-fork', line])
    const more = [
      '--alarm',
      'a log:loud',
      '--hook-as-mule',
      'alarm:a from a mule',
      '--hook-master-start',
      `wait_for_socket:${socket}`,
    ]
    const all = ['--socket', socket, '--workers', '1', '--mule', '--hook-asap', 'putenv:POLYWSGI_H=ours', ...hooks, ...more]
    await using server = await Server.start({ args: [...all, '--hook-master-start', 'exec:echo "H $POLYWSGI_H"'] })
    await server.logged('from a worker\n')
    await server.logged('from a mule\n')
    expect(server.log.match(/^H .*$/gm)).toEqual(['H mine', 'H ours'])
    expect(server.log.split(`${socket} found\n`)).toHaveLength(3)
    expect(await server.stop()).toBe(0)
  })

  it('end the start when they fail in a mule, with exit code 1', async () => {
    const { code, log } = await ended('--workers', '1', '--mule', ...http, '--hook-as-mule', 'exec:exit 5')
    expect(code).toBe(1)
    expect(log).toContain('command "exit 5" exited with non-zero code: 5\n')
    // Lines of the worker, which starts at the same time, may stand between.
    expect(log).toContain('\nFATAL hook failed, destroying instance\n')
  })
})

it('the working directory is changed for what follows', async () => {
  const { log } = await ended('--hook-asap', `cd:${folder}`, '--hook-asap', 'exec:pwd', '--hook-asap', 'chdir:none')
  expect(log).toContain(`(asap)...\n${folder}\n`)
  expect(log).toMatch(/ENOENT: no such file or directory, chdir .* -> 'none'\nFATAL hook failed/)
})

describe('exit codes', () => {
  it('2 for what is wrong in the configuration, and nothing has run', async () => {
    for (const line of ['pritn:x', 'pritn:x --plugin']) {
      const [action = '', option] = line.split(' ')
      const file = join(folder, 'never')
      const more = option === undefined ? [] : [option, useless]
      const { code, log } = await ended(...more, '--hook-asap', `create:${file}`, '--hook-as-user', action)
      expect(code).toBe(2)
      expect(log).toContain("hook-as-user = pritn:x: there is no action 'pritn' (did you mean 'print'?)")
      expect(existsSync(file)).toBe(false)
    }
  })

  it("are those of exit, and the stop's hooks run", async () => {
    const { code, log } = await ended(...http, '--hook-pre-app', 'exit:7', '--hook-as-user-atexit', 'print:bye')
    expect(code).toBe(7)
    expect(log).toContain('\nbye\n')
  })
})

describe('a server that runs', () => {
  it('calls functions of other servers, and tells when there is none', async () => {
    const socket = join(folder, 'rpc.sock')
    const calls = [`rpc:greet@${socket} far`, `rpc:nosuch@${socket}`, `rpc:greet@${socket}.none x`, 'rpc:nosuch']
    const hooks = ['--hook-as-user-atexit', `rpc:greet@${socket} late`, '--hook-master-start', calls[0] as string]
    const touched = join(folder, 'rpc-touched')
    const more = calls.flatMap((call) => ['--hook-touch', `${touched} ${call}`])
    const all = [
      '--wsgi-file',
      app,
      '--workers',
      '1',
      '--socket',
      socket,
      ...hooks,
      ...more,
      '--hook-touch',
      `${touched} print:H end`,
    ]
    await using server = await Server.start({ args: all })
    const answer = `[rpc result from "greet@${socket}"] hi far\n`
    expect(server.log).toContain(answer)
    writeFileSync(touched, '')
    // Each looks for the file by itself: one may see it a second before another does.
    await server.logged('\nH end\n')
    await server.logged(answer, 2)
    await server.logged(`rpc function "nosuch@${socket}" has not answered`)
    await server.logged(`unable to connect to ${socket}.none: there is no such socket`)
    await server.logged("there is no rpc function 'nosuch'\n")
    expect(server.log.split(answer)).toHaveLength(3)
    expect(await server.stop()).toBe(0)
    expect(server.log).toContain(`rpc function "greet@${socket}" has not answered`)
  })

  it('runs accepting anew in a worker that has died, and what is for once not', async () => {
    const hooks = ['', '1', '-once', '1-once'].flatMap((kind) => [`--hook-accepting${kind}`, `print:H accepting${kind}`])
    await using server = await Server.start({ args: ['--wsgi-file', app, '--workers', '1', ...http, ...hooks] })
    expect((await fetch(`${server.http}/die`)).status).toBe(504)
    await server.logged('\nH accepting1\n', 2)
    expect(await (await fetch(server.http)).text()).toBe('x')
    const counts = ['', '1', '-once', '1-once'].map((kind) => server.log.split(`\nH accepting${kind}\n`).length - 1)
    expect(counts).toEqual([2, 2, 1, 1])
  })

  it('acts on files that are touched, made or changed, and serves meanwhile', async () => {
    const touched = join(folder, 'touched')
    const gate = join(folder, 'gate')
    const hooks = [`${touched} exec:while test ! -e ${gate}; do sleep 0.1; done`, `${touched} print:H done`]
    const args = ['--wsgi-file', app, '--workers', '1', ...http, ...hooks.flatMap((hook) => ['--hook-touch', hook])]
    await using server = await Server.start({ args })
    writeFileSync(touched, '')
    await server.logged('" (touch)...')
    expect(await (await fetch(server.http)).text()).toBe('x')
    expect(server.log).not.toContain('\nH done\n')
    writeFileSync(gate, '')
    await server.logged('\nH done\n')
    utimesSync(touched, new Date(), new Date(Date.now() + 5000))
    await server.logged('\nH done\n', 2)
    expect(await server.stop()).toBe(0)
  })

  it('ends with the code of a hook that says so', async () => {
    const touched = join(folder, 'end')
    await using server = await Server.start({ args: [...http, '--hook-touch', `${touched} exit:9`] })
    writeFileSync(touched, '')
    expect(await server.exited()).toBe(9)
    expect(server.log).toContain('goodbye to polywsgi.')
  })

  it('gives a reload up whose hook fails, and goes on', async () => {
    const stop = join(folder, 'no-reload')
    const args = ['--wsgi-file', app, '--workers', '1', ...http, '--hook-asap', `exec:test ! -e ${stop}`]
    await using server = await Server.start({ args })
    writeFileSync(stop, '')
    server.kill('SIGHUP')
    await server.logged('FATAL hook failed, the reload is given up')
    expect(await (await fetch(server.http)).text()).toBe('x')
    rmSync(stop)
    server.kill('SIGHUP')
    await server.logged('reload complete')
    expect(await (await fetch(server.http)).text()).toBe('x')
  })

  it('runs a function of a plugin at a signal of the system', async () => {
    await using server = await Server.start({ args: ['--plugin', useless, ...http, '--hook-as-user', 'unix_signal:12 hello'] })
    server.kill('SIGUSR2')
    await server.logged('useless: hello 12')
    expect(await server.stop()).toBe(0)
  })
})

describe('a stop', () => {
  it.each(['wait_for_file:/nonexistent/file', 'exec:sleep 600', 'spinningfifo:/nonexistent/fifo x'])(
    'does not wait for the hook %s',
    async (line) => {
      await using server = Server.spawn({ args: [...http, '--hook-as-user', line] })
      await server.logged('(as user)...')
      expect(await server.stop()).toBe(0)
    },
  )

  it('runs the hooks that are for it, whatever fails', async () => {
    const hooks = ['exec:false', 'print:H last'].flatMap((line) => ['--hook-as-user-atexit', line])
    await using server = await Server.start({ args: [...http, ...hooks] })
    expect(await server.stop()).toBe(0)
    expect(server.log).toContain('command "false" exited with non-zero code: 1\nrunning "print:H last" (atexit)...\nH last\n')
  })
})
