// polywsgi and Debian's uWSGI side by side, each asking the other by the uwsgi protocol: RPC, caches, signals, pings; and
// uWSGI's own decorators, unmodified, in a guest of polywsgi.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readSpoolFile, spoolFileName, spoolFilePrefix, writeSpoolFile } from '../../host/worker/spool-files.ts'
import { encodePacket, encodeVars } from '../../protocol/index.ts'
import { describeWithPeers } from '../support/peers.ts'
import { RealUwsgi } from '../support/real-uwsgi.ts'
import { Server } from '../support/server.ts'
import { getVars, openUwsgi, readToEnd, uwsgiRequest } from '../support/uwsgi-client.ts'

const app = fileURLToPath(new URL('../apps/oracle/api.py', import.meta.url))
const services = fileURLToPath(new URL('../apps/services', import.meta.url))
const cache = ['--cache2', 'name=default,items=20,blocksize=65536', '--cache2', 'name=other,items=20,blocksize=64']

/** What an expression gives, as test/apps/oracle/api.py shows it. */
const evaluate = async (address: string, expression: string): Promise<string> => {
  const body = Buffer.from(`value ${expression}`)
  const answer = await uwsgiRequest(address, getVars('/', { REQUEST_METHOD: 'POST' }), body)
  return answer.slice(answer.indexOf('\r\n\r\n') + 4)
}

/** All bytes that come back for a packet. */
const ask = async (address: string, modifier1: number, modifier2: number, block = new Uint8Array(0)): Promise<string> => {
  const socket = await openUwsgi(address)
  socket.write(encodePacket(modifier1, modifier2, block))
  return await readToEnd(socket)
}

describeWithPeers('polywsgi and real uWSGI', ['uwsgi'], () => {
  let real: RealUwsgi
  let ours: Server
  beforeAll(async () => {
    real = await RealUwsgi.start(
      ...['--plugin', 'python3,rpc,cache,signal,ping', '--workers', '2', '--buffer-size', '65535', '--wsgi-file', app],
      ...cache,
    )
    ours = await Server.start({
      args: [
        ...['--socket', '127.0.0.1:0', '--workers', '2', '--mount', `/=${app}`, '--mount', `/lua=${services}/app.lua`],
        ...['--mount', `/js=${services}/app.mjs`],
        ...cache,
      ],
    })
  })
  afterAll(async () => {
    await ours[Symbol.asyncDispose]()
    await real[Symbol.asyncDispose]()
  })

  const both = () => [
    ['real uWSGI', 'ours', real.address, ours.uwsgi],
    ['ours', 'real uWSGI', ours.uwsgi, real.address],
  ]

  it('call each other by RPC', async () => {
    for (const [, , from = '', to = ''] of both()) {
      expect(await evaluate(from, `uwsgi.rpc('${to}', b'upper', b'abc\\0\\xff')`)).toBe("bytes b'ABC\\x00\\xff'")
      expect(await evaluate(from, `uwsgi.rpc('${to}', b'count', b'a', b'b', b'c')`)).toBe("bytes b'3'")
      expect(await evaluate(from, `uwsgi.rpc('${to}', b'nobody', b'a')`)).toBe('NoneType None')
      expect(await evaluate(from, `len(uwsgi.rpc('${to}', b'upper', b'x' * 60000))`)).toBe('int 60000')
    }
  })

  it('reach functions of polywsgi in every language from real uWSGI', async () => {
    expect(await evaluate(real.address, `uwsgi.rpc('${ours.uwsgi}', b'lua_echo', b'\\0\\xff')`)).toBe("bytes b'lua:\\x00\\xff'")
    expect(await evaluate(real.address, `uwsgi.rpc('${ours.uwsgi}', b'js_echo', b'\\0\\xff')`)).toBe("bytes b'js:\\x00\\xff'")
  })

  it("read and write each other's caches", async () => {
    for (const [, , from = '', to = ''] of both()) {
      const remote = `default@${to}`
      expect(await evaluate(from, `uwsgi.cache_update('far', b'\\0value\\xff', 0, '${remote}')`)).toBe('bool True')
      expect(await evaluate(to, `uwsgi.cache_get('far')`)).toBe("bytes b'\\x00value\\xff'")
      expect(await evaluate(from, `uwsgi.cache_get('far', '${remote}')`)).toBe("bytes b'\\x00value\\xff'")
      expect(await evaluate(from, `uwsgi.cache_get('far', '@${to}')`)).toBe("bytes b'\\x00value\\xff'")
      expect(await evaluate(from, `uwsgi.cache_exists('far', '${remote}')`)).toBe('bool True')
      expect(await evaluate(from, `uwsgi.cache_set('far', 'again', 0, '${remote}')`)).toBe('NoneType None')
      expect(await evaluate(from, `uwsgi.cache_del('far', '${remote}')`)).toBe('bool True')
      expect(await evaluate(from, `uwsgi.cache_get('far', '${remote}')`)).toBe('NoneType None')
      expect(await evaluate(from, `uwsgi.cache_get('far', 'nobody@${to}')`)).toBe('NoneType None')
      expect(await evaluate(from, `uwsgi.cache_clear('${remote}')`)).toBe('bool True')
    }
  })

  it('raise signals in each other', async () => {
    for (const [, , from = '', to = ''] of both()) {
      expect(await evaluate(from, `uwsgi.signal(17, '${to}')`)).toBe('NoneType None')
    }
  })

  it('answer the same bytes to the packets of signals, pings and RPC', async () => {
    for (const [modifier1, modifier2] of [
      [110, 17],
      [100, 0],
    ] as const) {
      expect(await ask(ours.uwsgi, modifier1, modifier2)).toBe(await ask(real.address, modifier1, modifier2))
    }
    const call = Buffer.from([5, 0, ...Buffer.from('upper'), 3, 0, ...Buffer.from('abc')])
    for (const modifier2 of [0, 1]) {
      expect(await ask(ours.uwsgi, 173, modifier2, call)).toBe(await ask(real.address, 173, modifier2, call))
    }
    const nobody = Buffer.from([6, 0, ...Buffer.from('nobody')])
    expect(await ask(ours.uwsgi, 173, 0, nobody)).toBe(await ask(real.address, 173, 0, nobody))
  })
})

describeWithPeers('spool files', ['uwsgi'], () => {
  const vars = encodeVars([
    ['name', '\0value\xff'],
    ['other', 'x'.repeat(5000)],
  ])

  it('of polywsgi are run by the spooler of real uWSGI', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'polywsgi-spool-'))
    try {
      writeSpoolFile(folder, spoolFileName('host', process.pid, 1), vars, Buffer.from('\0body\xff', 'latin1'))
      await using uwsgi = await RealUwsgi.start(
        ...['--plugin', 'python3', '--workers', '1', '--buffer-size', '65535', '--wsgi-file', app, '--spooler', folder],
        ...cache,
      )
      let seen = 'None'
      while (seen.includes('None')) seen = await evaluate(uwsgi.address, "uwsgi.cache_get('spooled')")
      expect(seen).toContain("(b'body', b'\\\\x00body\\\\xff')")
      expect(seen).toContain("(b'name', b'\\\\x00value\\\\xff')")
      while (readdirSync(folder).some((name) => name.startsWith(spoolFilePrefix)))
        await new Promise((resolve) => setImmediate(resolve))
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('of real uWSGI are read as they were meant', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'polywsgi-spool-'))
    try {
      await using uwsgi = await RealUwsgi.start(
        ...['--plugin', 'python3', '--workers', '1', '--buffer-size', '65535', '--wsgi-file', app, '--spooler', folder],
        ...cache,
      )
      // For later: its own spooler must leave the file to us.
      const at = Math.floor(Date.now() / 1000) + 3600
      const expression = `uwsgi.spool({b'name': b'\\0value\\xff', b'body': b'\\0body\\xff', b'at': b'${at}'})`
      expect(await evaluate(uwsgi.address, expression)).toContain(spoolFilePrefix)
      const [file = ''] = readdirSync(folder).filter((name) => name.startsWith(spoolFilePrefix))
      const { vars, body } = readSpoolFile(join(folder, file))
      expect(Buffer.from(vars.get('name') ?? []).toString('latin1')).toBe('\0value\xff')
      expect(Buffer.from(body).toString('latin1')).toBe('\0body\xff')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

const decorators = '/usr/lib/python3/dist-packages'
const describeDecorators =
  existsSync(`${decorators}/uwsgidecorators.py`) || process.env['CI'] === 'true' ? describe : describe.skip

describeDecorators("uWSGI's own decorators, unmodified (python3-uwsgidecorators)", () => {
  let server: Server
  let folder: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'polywsgi-decorators-'))
    for (const name of ['spool', 'watched']) mkdirSync(join(folder, name))
    server = await Server.start({
      args: [
        ...['--http-socket', '127.0.0.1:0', '--workers', '2', '--mules', '2', '--farm', 'farm:1,2'],
        ...['--spooler', join(folder, 'spool'), '--set', `watched=${join(folder, 'watched')}`],
        ...['--cache2', 'name=default,items=100,blocksize=1024', '--locks', '1', '--pythonpath', decorators],
        ...['--mount', `/=${fileURLToPath(new URL('../apps/decorators/app.py', import.meta.url))}`],
      ],
    })
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  const run = async (code: string): Promise<string> => await (await fetch(server.http, { method: 'POST', body: code })).text()
  const eventually = async (code: string, wanted: string): Promise<void> => {
    for (let answer = ''; answer !== wanted; answer = await run(code)) await new Promise((resolve) => setImmediate(resolve))
  }

  it.each([
    ['postfork runs in every worker, mule and spooler', "uwsgi.cache_num('postfork')", '5'],
    ['rbtimer fires', "uwsgi.cache_num('rbtimer') > 0", 'True'],
    ['timer fires', "uwsgi.cache_num('timer') > 0", 'True'],
    ['cron fires at once when it matches now', "uwsgi.cache_num('cron') > 0", 'True'],
  ])('%s', async (_, code, wanted) => await eventually(code, wanted))

  it.each([
    ['signal runs its handler', 'uwsgi.signal(99)', "uwsgi.cache_num('signal')", '1'],
    ['spool runs its job', "spooled.spool(name='x')", "uwsgi.cache_get('spool')", "b'x'"],
    ['spoolraw runs its job', "spooled_raw.spool({'name': 'raw'})", "uwsgi.cache_get('spoolraw')", "b'raw'"],
    ['spool passes arguments', 'spooled_arguments.spool(1, two=2)', "uwsgi.cache_get('spoolargs')", `b"(1,) [('two', 2)]"`],
    ['mulefunc runs in a mule', "in_mule('hello', n=3)", "uwsgi.cache_get('mulefunc')", "b'hello 3'"],
    ['rpc registers', '0', "uwsgi.call(b'decorated', b'x')", "b'decorated x'"],
    ['lock holds the lock meanwhile', '0', 'locked()', 'True'],
    ['harakiri sets and clears the deadline', '0', 'hurried()', "'in time'"],
    ['mulemsg takes the messages of its mule', "uwsgi.mule_msg(b'direct', 2)", "uwsgi.cache_get('mulemsg')", "b'direct'"],
  ])('%s', async (_, code, check, wanted) => {
    await run(code)
    await eventually(check, wanted)
  })

  it('filemon sees a change', async () => {
    writeFileSync(join(folder, 'watched', 'new'), '')
    await eventually("uwsgi.cache_num('filemon') > 0", 'True')
  })
})
