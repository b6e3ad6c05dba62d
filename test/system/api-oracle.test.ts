// The same expressions of the uwsgi module in the same program behind real uWSGI and behind polywsgi: types, values and
// exception classes must be the same. Each one that differs is listed here with what docs/differences.md says about it.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeWithPeers } from '../support/peers.ts'
import { RealUwsgi } from '../support/real-uwsgi.ts'
import { Server } from '../support/server.ts'
import { getVars, uwsgiRequest } from '../support/uwsgi-client.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = `${root}test/apps/oracle`
const differencesDoc = readFileSync(`${root}docs/differences.md`, 'utf8')

const common = [
  ...['--workers', '1', '--buffer-size', '65535', '--mule', '--mule', '--farm', 'farm:1,2', '--locks', '4'],
  ...['--cache2', 'name=default,items=20,blocksize=64,keysize=16', '--cache2', 'name=other,items=20,blocksize=64'],
  ...['--queue', '8', '--queue-blocksize', '512', '--sharedarea', '1', '--metric', 'mine', '--alarm', 'loud log:'],
]

const ask = async (address: string, expressions: readonly string[], modifier1: number): Promise<string[]> => {
  const vars = getVars('/', { REQUEST_METHOD: 'POST' })
  const answer = await uwsgiRequest(address, vars, Buffer.from(expressions.join('\n')), modifier1)
  return answer.slice(answer.indexOf('\r\n\r\n') + 4).split('\n')
}

const languages = [
  { name: 'Python', plugin: 'python3', flag: '--wsgi-file', file: 'api.py', list: 'api.expressions.txt', modifier1: 0 },
  { name: 'Lua', plugin: 'lua51', flag: '--lua', file: 'api.lua', list: 'api-lua.expressions.txt', modifier1: 6 },
]

for (const { name, plugin, flag, file, list, modifier1 } of languages) {
  describeWithPeers(`the uwsgi module in ${name}, beside real uWSGI's`, ['uwsgi'], () => {
    // A line is an expression; behind ` #! ` stands a text of docs/differences.md for one that differs.
    const lines = readFileSync(`${folder}/${list}`, 'utf8').trimEnd().split('\n')
    const cases = lines.map((line) => line.split(' #! ') as [string, string?])
    const expressions = cases.map(([expression]) => expression)
    let theirs: string[]
    let ours: string[]
    let spool: string

    beforeAll(async () => {
      spool = mkdtempSync(join(tmpdir(), 'polywsgi-oracle-'))
      for (const owner of ['theirs', 'ours']) mkdirSync(join(spool, owner))
      const app = `${folder}/${file}`
      const real = await RealUwsgi.start(
        ...['--plugin', `${plugin},rpc,cache,signal`, flag, app, '--spooler', join(spool, 'theirs')],
        ...common,
      )
      theirs = await ask(real.address, expressions, modifier1)
      await real[Symbol.asyncDispose]()
      const server = await Server.start({
        args: ['--socket', '127.0.0.1:0', flag, app, '--spooler', join(spool, 'ours'), ...common],
      })
      ours = await ask(server.uwsgi, expressions, modifier1)
      await server[Symbol.asyncDispose]()
    })
    afterAll(() => rmSync(spool, { recursive: true, force: true }))

    it.each(cases.map(([expression, difference], index) => [expression, difference, index] as const))(
      'gives the same: %s',
      (_, difference, index) => {
        if (difference === undefined) {
          expect(ours[index]).toBe(theirs[index])
          return
        }
        expect(ours[index], 'it is listed as a difference and is none').not.toBe(theirs[index])
        expect(differencesDoc).toContain(difference)
      },
    )
  })
}
