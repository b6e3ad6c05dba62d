// The example of requests that wait for other servers, from its own configuration, in every language.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { companions } from '../support/companions.ts'
import { Server } from '../support/server.ts'

const example = fileURLToPath(new URL('../../examples/async', import.meta.url))

it('the example answers with what the quickest server says, and tells when nobody does', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'polywsgi-example-'))
  await using silent = await companions.silent()
  await using echo = await companions.echo()
  try {
    // The example's own file, but for ports that may be taken on the machine that runs the tests.
    const ini = readFileSync(join(example, 'polywsgi.ini'), 'utf8')
      .replace('127.0.0.1:8080', '127.0.0.1:0')
      .replaceAll('%d', `${example}/`)
      .replaceAll('127.0.0.1:7001', silent.address)
      .replaceAll('127.0.0.1:7002', echo.address)
    writeFileSync(join(folder, 'polywsgi.ini'), ini)
    await using server = await Server.start({ args: [join(folder, 'polywsgi.ini')] })
    for (const path of ['py', 'lua', 'js']) {
      const answers = await Promise.all(Array.from({ length: 20 }, async () => await fetch(`${server.http}/${path}`)))
      const told = await Promise.all(
        answers.map(async (answer) => [answer.status, answer.headers.get('x-server'), await answer.text()].join(' ')),
      )
      expect([path, ...new Set(told)]).toEqual([path, `200 ${echo.address} hello\n`])
    }
    await echo.isEmpty()
    await silent.isEmpty()
    expect(server.log).not.toContain('open at the end')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
