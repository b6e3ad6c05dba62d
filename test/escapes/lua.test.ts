// Ways out of the Lua interpreter, each tried in the real program.
import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Server } from '../support/server.ts'
import { EscapeRoom } from './attempt.ts'
import { innerAttempts } from './lua-inner.ts'
import { forgedResponses, serverAttempts } from './lua-server.ts'

let room: EscapeRoom
beforeAll(async () => {
  room = await EscapeRoom.start('lua', '--log-format', '%(method) %(uri) [%(mine)]')
})
afterAll(async () => await room[Symbol.asyncDispose]())

describe('Lua guests do not get out', () => {
  it.each(Object.entries({ ...innerAttempts, ...serverAttempts }))('by %s', async (_, { code, expected }) => {
    const { text, status } = await room.attempt(code.replaceAll('ROOM', room.folder))
    expect(`${status} ${text}`).toMatch(expected)
  })

  it('by lines of the log that look like the end of a request', async () => {
    await room.attempt(`uwsgi.set_logvar('mine', 'x]\\nPOST /forged [y') return 1`)
    await room.server.logged(/POST \/ \[x\]/)
    expect(room.server.log).not.toMatch(/^POST \/forged/m)
  })
})

describe('Lua guests answer nobody but their client', () => {
  it.each(forgedResponses)('with %s', async (_, returned) => {
    const file = room.at('writable/forger.lua')
    writeFileSync(file, `return function(env) return ${returned} end`)
    await using server = await Server.start({ args: ['--sandbox', '--http-socket', '127.0.0.1:0', '--mount', `/=${file}`] })
    const answers = await Promise.allSettled([1, 2, 3].map(() => fetch(server.http)))
    for (const answer of answers) {
      if (answer.status === 'fulfilled') expect(answer.value.headers.get('x-evil')).toBeNull()
    }
    expect(server.process.exitCode).toBeNull()
  })
})
