// Ways out of the Python interpreter, each tried in the real program.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EscapeRoom } from './attempt.ts'
import { diskAttempts } from './python-disk.ts'
import { innerAttempts } from './python-inner.ts'
import { serverAttempts } from './python-server.ts'

let room: EscapeRoom
beforeAll(async () => {
  room = await EscapeRoom.start('python', '--log-format', '%(method) %(uri) [%(mine)]')
})
afterAll(async () => await room[Symbol.asyncDispose]())

const attempts = { ...innerAttempts, ...diskAttempts, ...serverAttempts }

describe('Python guests do not get out', () => {
  it.each(Object.entries(attempts))('by %s', async (_, { code, expected }) => {
    const { text, status } = await room.attempt(code.replaceAll('ROOM', room.folder))
    expect(`${status} ${text}`).toMatch(expected)
  })
})

describe('Python guests do not outlive the server', () => {
  it('by what they have left for its end', async () => {
    await using ending = await EscapeRoom.start('python')
    const { status } = await ending.attempt(`
import atexit, os, sys, threading, uwsgi
class Last:
    def __del__(self): raise SystemExit(7)
sys.modules['last'] = Last()
def again():
    atexit.register(again) if len(kept) < 1000 else None
    kept.append(1)
    raise SystemExit(9)
kept = []
atexit.register(again)
atexit.register(sys.exit, 5)
atexit.register(os.abort)
uwsgi.atexit = again
threading._shutdown = again`)
    expect(status).toBe(200)
    expect(await ending.server.stop()).toBe(0)
  })

  it('by lines of the log that they make look like the end of a request', async () => {
    await using logging = await EscapeRoom.start('python', '--log-format', '%(method) %(uri) [%(mine)]')
    await logging.attempt("import uwsgi; uwsgi.set_logvar('mine', 'x]\\nPOST /forged [y')")
    await logging.server.logged(/POST \/ \[x\]/)
    expect(logging.server.log).not.toMatch(/^POST \/forged/m)
  })
})
