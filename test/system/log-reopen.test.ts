// The log of a server that is opened anew and rotated while requests in three languages write to it: no line is lost, doubled or torn.
import { execFile } from 'node:child_process'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createHost } from 'polywsgi'
import { describe, expect, it } from 'vitest'
import { describeWithPeers, peerPath } from '../support/peers.ts'
import { cliPath, Server } from '../support/server.ts'
import { TalkingServer } from '../support/talking-server.ts'

const run = promisify(execFile)
const ctl = async (server: TalkingServer, ...words: string[]): Promise<string> => {
  const { stdout } = await run(process.execPath, [cliPath, 'ctl', '--socket', server.at('ctl'), ...words])
  return stdout
}
const refused = async (server: TalkingServer, ...words: string[]): Promise<string> =>
  await ctl(server, ...words).then(
    (out) => `it said ${out}`,
    ({ code, stderr }: { code: number; stderr: string }) => `${code} ${stderr}`,
  )
let touches = 0
/** Of each touch another time: two within one tick of a file system's clock would be none. */
const touch = (path: string): void => {
  touches += 1
  if (!existsSync(path)) writeFileSync(path, '')
  utimesSync(path, touches, touches)
}
const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10))
}

const ways: readonly (readonly [name: string, reopen: (server: TalkingServer) => Promise<void> | void])[] = [
  ['fifo', (server) => appendFileSync(server.at('fifo'), 'l')],
  ['touch', (server) => touch(server.at('touched'))],
  ['ctl', async (server) => expect(await ctl(server, 'log', 'reopen')).toBe('opened anew\n')],
  ['fifo again', (server) => appendFileSync(server.at('fifo'), 'lll')],
  ['touch again', (server) => touch(server.at('touched'))],
]

describe('a log file that another program moves away', () => {
  it('is opened anew by letter, touched file and ctl: each line is in one file, whole and once', async () => {
    await using talking = await TalkingServer.start(
      ...['--master-fifo', 'fifo', '--touch-logreopen', 'touched', '--ctl', 'ctl'],
      ...['--hook-touch', 'command exec:echo a command spoke; echo an error >&2'],
    )
    talking.ask()
    await talking.more(50)
    expect(talking.openLogs).toBe(1)
    for (const [index, [, reopen]] of ways.entries()) {
      renameSync(talking.log(), talking.log(`log.${index}`))
      // Lines go on into the file that was moved.
      await talking.more(20)
      await reopen(talking)
      await until(() => existsSync(talking.log()) && talking.text().includes('*** the log is opened anew ***\n'))
      await talking.more(50)
    }
    await until(() => talking.openLogs === 1)
    // Commands are started with the file of then.
    touch(talking.at('command'))
    await until(() => ['\na command spoke\n', '\nan error\n'].every((line) => talking.text().includes(line)))
    const requests = await talking.end()
    expect(talking.faultsOfLog()).toEqual([])
    expect(requests).toBeGreaterThan(350)
    expect(talking.logNames).toEqual(['log', 'log.0', 'log.1', 'log.2', 'log.3', 'log.4'])
    for (const name of talking.logNames)
      for (const language of ['py', 'lua', 'js']) expect(talking.text(name)).toContain(`said /${language}-`)
  })

  it('has nothing more written to it when ctl returns', async () => {
    await using talking = await TalkingServer.start('--ctl', 'ctl')
    talking.ask()
    await talking.more(50)
    renameSync(talking.log(), talking.log('log.1'))
    await ctl(talking, 'log', 'reopen')
    const then = talking.text('log.1')
    await talking.more(50)
    expect(talking.text('log.1')).toBe(then)
    await talking.end()
    expect(talking.faultsOfLog()).toEqual([])
  })

  it('is written on when there is no place for a new one, which the log and standard error tell', async () => {
    await using talking = await TalkingServer.start(...['--master-fifo', 'fifo', '--touch-logrotate', 'touched', '--ctl', 'ctl'])
    const { server } = talking
    const why = /logto = logs\/log: the file cannot be opened anew, and the log goes on in the old one: ENOENT: .*\n/
    talking.ask()
    await talking.more(50)
    renameSync(talking.at('logs'), talking.at('gone'))
    appendFileSync(talking.at('fifo'), 'l')
    await server.logged(new RegExp(`polywsgi: ${why.source}`))
    await talking.more(20)
    expect(await refused(talking, 'log', 'reopen')).toMatch(new RegExp(`^1 polywsgi ctl: ${why.source}`))
    touch(talking.at('touched'))
    await server.logged('polywsgi: logto = logs/log', 3)
    await talking.more(20)
    renameSync(talking.at('gone'), talking.at('logs'))
    expect(talking.text()).toMatch(why)
    expect(await ctl(talking, 'log', 'reopen')).toBe('opened anew\n')
    await talking.more(20)
    await talking.end()
    expect(talking.faultsOfLog()).toEqual([])
    expect(talking.logNames).toEqual(['log'])
  })
})

describe('a log file that the server moves away', () => {
  it('is rotated by letter, touched file and ctl', async () => {
    await using talking = await TalkingServer.start(...['--master-fifo', 'fifo', '--touch-logrotate', 'touched', '--ctl', 'ctl'])
    talking.ask()
    await talking.more(50)
    const files = (): number => talking.logNames.length
    appendFileSync(talking.at('fifo'), 'L')
    await until(() => files() === 2)
    await talking.more(50)
    // Two within a second are one: it is asked for until it is done.
    while (files() < 3) {
      touch(talking.at('touched'))
      await talking.more(1)
    }
    const before = talking.logNames
    let said: string
    do said = await ctl(talking, 'log', 'rotate')
    while (before.includes(said.trim().slice(talking.log('').length)))
    expect(said).toMatch(/\/log\.\d{10}\n$/)
    expect(existsSync(said.trim())).toBe(true)
    await talking.more(50)
    await until(() => talking.openLogs === 1)
    await talking.end()
    expect(talking.faultsOfLog()).toEqual([])
    for (const name of talking.logNames) expect(name).toMatch(/^log(?:\.\d{10})?$/)
  })

  it('is rotated by its size', async () => {
    await using talking = await TalkingServer.start('--log-maxsize', '10k')
    talking.ask()
    await until(() => talking.logNames.length >= 4 || talking.faults.length > 0)
    await talking.more(20)
    await talking.end()
    expect(talking.faultsOfLog()).toEqual([])
    for (const name of talking.logNames.filter((one) => one !== 'log'))
      expect(talking.text(name).length).toBeGreaterThanOrEqual(10_240)
  })
})

describe('a log on standard error', () => {
  it('is neither opened anew nor rotated, which is said', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'polywsgi-log-stderr-'))
    {
      await using server = await Server.start({ cwd: folder, args: ['--master-fifo', 'fifo', '--ctl', 'ctl'] })
      const why = 'the log goes to standard error: there is no file of logto'
      appendFileSync(join(folder, 'fifo'), 'lL')
      await server.logged(`log reopen: ${why}\n`)
      await server.logged(`log rotate: ${why}\n`)
      const asked = run(process.execPath, [cliPath, 'ctl', '--socket', join(folder, 'ctl'), 'log', 'rotate'])
      await expect(asked).rejects.toMatchObject({ code: 1, stderr: `polywsgi ctl: ${why}\n` })
      expect(await server.stop()).toBe(0)
    }
    rmSync(folder, { recursive: true })
  })
})

describe('the log of an embedding program', () => {
  it('is opened anew and rotated by its host', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'polywsgi-log-host-'))
    writeFileSync(join(folder, 'app.lua'), "return function() print('said by an app') return '200 OK', {}, 'done' end")
    {
      // Relative paths begin at its directory.
      await using host = await createHost({ cwd: folder, mounts: { '/': 'app.lua' }, logto: 'log' })
      renameSync(join(folder, 'log'), join(folder, 'moved'))
      await host.reopenLog()
      await host.fetch('http://host/')
      expect(readFileSync(join(folder, 'log'), 'utf8')).toBe('*** the log is opened anew ***\nsaid by an app\n')
      const to = await host.rotateLog()
      expect(to).toMatch(new RegExp(`^${folder}/log\\.\\d{10}$`))
      expect(readFileSync(to as string, 'utf8')).toContain('said by an app\n')
      await host.close()
      await expect(host.reopenLog()).rejects.toMatchObject({ code: 'HOST_CLOSED' })
    }
    {
      await using host = await createHost({ cwd: folder, mounts: { '/': 'app.lua' } })
      await expect(host.reopenLog()).rejects.toMatchObject({ code: 'LOG_FILE' })
    }
    rmSync(folder, { recursive: true })
  })
})

describeWithPeers('logrotate', ['logrotate'], () => {
  it.each([
    ['the master FIFO', (server: TalkingServer) => `echo l > ${server.at('fifo')}`, []],
    ['a touched file', (server: TalkingServer) => `touch ${server.at('touched')}`, ['compress', 'delaycompress']],
    // It returns when the file may be compressed.
    [
      'ctl',
      (server: TalkingServer) => `${process.execPath} ${cliPath} ctl --socket ${server.at('ctl')} log reopen`,
      ['compress'],
    ],
  ])('rotates the log with %s, and no line is lost', async (_, command, more) => {
    await using talking = await TalkingServer.start(...['--master-fifo', 'fifo', '--touch-logreopen', 'touched', '--ctl', 'ctl'])
    const lines = [`${talking.log()} {`, 'rotate 10', ...more, 'postrotate', command(talking), 'endscript', '}', '']
    writeFileSync(talking.at('rotation'), lines.join('\n'), { mode: 0o600 })
    talking.ask()
    for (let times = 1; times <= 3; times += 1) {
      await talking.more(50)
      await run(peerPath('logrotate'), ['--force', '--state', talking.at('state'), talking.at('rotation')])
      await until(() => existsSync(talking.log()) && talking.text().includes('*** the log is opened anew ***\n'))
    }
    await talking.more(50)
    await talking.end()
    expect(talking.faultsOfLog()).toEqual([])
    const isCompressed = (number: number): boolean => more.includes('compress') && (number > 1 || !more.includes('delaycompress'))
    expect(talking.logNames).toEqual(['log', ...[1, 2, 3].map((number) => `log.${number}${isCompressed(number) ? '.gz' : ''}`)])
  })
})
