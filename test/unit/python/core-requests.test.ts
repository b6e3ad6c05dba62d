// What WSGI applications wait for: their request's body, its client, and what they have registered before they yield.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WholeBody } from '../../../host/request/body.ts'
import { HarnessClient } from '../../support/plugin-harness.ts'
import { CoreServer, settle } from './core-server.ts'
import { PythonServer } from './python-harness.ts'

let server: CoreServer

beforeAll(async () => {
  server = await CoreServer.boot({ file: 'cores.py' })
})

const log = async (): Promise<string> => (await server.server.ask('takes_log')).text

/** Comes in the pieces that a test gives. */
class SlowBody extends WholeBody {
  readonly #pieces: Uint8Array[] = []
  #arrival = Promise.withResolvers<void>()

  constructor() {
    super(new Uint8Array(1))
  }

  override get whole(): undefined {
    return undefined
  }

  give(piece: string): void {
    this.#pieces.push(Buffer.from(piece))
    this.#arrival.resolve()
    this.#arrival = Promise.withResolvers()
  }

  canReadNow(): boolean {
    return this.#pieces.length > 0
  }

  arrives(): Promise<void> {
    return this.canReadNow() ? Promise.resolve() : this.#arrival.promise
  }

  override read(): Uint8Array {
    // The empty one is the end, and stays it.
    const piece = this.#pieces[0]?.length === 0 ? this.#pieces[0] : this.#pieces.shift()
    if (piece === undefined) throw new Error('parked')
    return piece
  }
}

describe('a body', () => {
  test('is waited for without holding anybody up', async () => {
    const [first, second] = [new SlowBody(), new SlowBody()]
    const answers = [first, second].map((bodySource) => server.server.ask('reads', { bodySource }))
    await settle()
    for (const piece of ['a\nb', 'c\n']) {
      first.give(piece)
      second.give(piece.toUpperCase())
      await settle()
    }
    expect((await server.server.ask('shows')).status).toBe('200 OK')
    second.give('')
    first.give('d')
    await settle()
    first.give('')
    expect((await Promise.all(answers)).map(({ text }) => text)).toEqual(["['a', 'bc', 'd']", "['A', 'BC']"])
  })

  test('is read whole', async () => {
    const bodySource = new SlowBody()
    const answer = server.server.ask('reads_all', { bodySource })
    for (const piece of ['x'.repeat(1000), 'y'.repeat(70_000), '']) {
      bodySource.give(piece)
      await settle()
    }
    expect((await answer).text).toBe('71000')
  })
})

describe('a slow client', () => {
  test.each(['writes', 'streams'])('is waited for: %s', async (callable) => {
    const client = new HarnessClient()
    client.isSlow = true
    const answer = server.server.ask(callable, { client })
    await settle()
    expect((await server.server.ask('shows')).status).toBe('200 OK')
    for (let turn = 0; turn < 5; turn += 1) {
      client.catchUp(turn < 4)
      await settle()
      server.resume()
      await settle()
    }
    expect((await answer).text).toMatch(/^012/)
    await log()
  })

  test('that leaves meanwhile ends the stream', async () => {
    const client = new HarnessClient()
    client.isSlow = true
    const answer = server.server.ask('streams', { client, query: 's' })
    await settle()
    client.leave()
    await settle()
    server.resume()
    await answer
    expect(await log()).toBe("['s0', 's closed']")
  })
})

describe('a yielded chunk', () => {
  test('gives the others a turn', async () => {
    const answers = Promise.all(['a', 'b'].map((query) => server.server.ask('streams', { query })))
    for (let turn = 0; turn < 4; turn += 1) {
      await settle()
      for (const wait of server.waiting.splice(0)) wait.resolve()
    }
    expect((await answers).map(({ text }) => text)).toEqual(['012', '012'])
    expect(await log()).toBe(
      "['a0', 'b0', 'a1', 'b1', 'a2', 'a closed', 'b2', 'b closed']".replace("'a closed', 'b2'", "'b2', 'a closed'"),
    )
  })

  test('waits for what was registered, and says what came', async () => {
    const waits = server.server.harness.context.server.waits as { -readonly [K in 'readyFd' | 'isTimedOut']: unknown } & {
      addFd: (...args: unknown[]) => void
    }
    const added: unknown[][] = []
    waits.addFd = (...args) => void added.push(args.slice(1))
    const answer = server.server.ask('waits')
    await settle()
    expect(added).toEqual([[7, 'read', 3000]])
    waits.readyFd = 7
    server.resume()
    await settle()
    server.resume()
    await settle()
    expect(added[1]).toEqual([8, 'write', 0])
    waits.readyFd = -1
    waits.isTimedOut = true
    server.resume()
    await settle()
    server.resume()
    expect((await answer).text).toBe('(7, None)(None, True)')
    waits.isTimedOut = false
  })
})

test('the environ has what belongs to cores only where there are some', async () => {
  expect((await server.server.ask('shows')).text).toBe("[0, False, '-', None, True]")
  const plain = await PythonServer.boot('cores.py')
  expect((await plain.ask('shows')).text).toBe("[0, False, '-', '-', False]")
})

describe('applications of different directories', () => {
  const root = mkdtempSync(join(tmpdir(), 'cores-'))
  afterAll(() => rmSync(root, { recursive: true }))

  test('find their own modules, whoever ran meanwhile', async () => {
    for (const name of ['a', 'b']) {
      const directory = mkdtempSync(join(root, name))
      writeFileSync(join(directory, 'late.py'), `NAME = '${name}'`)
      const code = `import uwsgi\ndef application(e, s):\n    s('200 OK', [])\n    uwsgi.suspend()\n    import late\n    uwsgi.suspend()\n    import sys
    return [late.NAME.encode(), sys.modules['late'].NAME.encode(), sys.path[0][-7].encode()]`
      writeFileSync(join(directory, 'app.py'), code)
      await server.server.harness.mount(join(directory, 'app.py'), `/${name}`)
    }
    const answers = Promise.all(['a', 'b', 'a'].map((name) => server.server.harness.request({ mountpoint: `/${name}` })))
    for (let turn = 0; turn < 3; turn += 1) {
      await settle()
      server.resume()
    }
    expect((await answers).map(({ text }) => text)).toEqual(['aaa', 'bbb', 'aaa'])
  })

  test('take turns while one waits where it may not call anything more', async () => {
    const code = `import uwsgi\ndef deep(n):\n    try: return deep(n + 1)\n    except RecursionError:\n        uwsgi.suspend()\n        return n
def application(e, s):\n    s('200 OK', [])\n    return [str(deep(0) > 100).encode()]`
    const [deep, other] = ['deep', 'other'].map((name) => join(mkdtempSync(join(root, name)), 'app.py')) as [string, string]
    writeFileSync(deep, code)
    writeFileSync(other, `def application(e, s):\n    s('200 OK', [])\n    return [b'other']`)
    const { harness } = server.server
    await harness.mount(deep, '/deep')
    await harness.mount(other, '/other')
    const waiting = harness.request({ mountpoint: '/deep' })
    await settle()
    expect((await harness.request({ mountpoint: '/other' })).text).toBe('other')
    server.resume()
    expect((await waiting).text).toBe('True')
  })
})

test('the request that code runs for is the one of its core', async () => {
  const { plugin } = server.server.harness
  const seen: (string | undefined)[] = []
  const waits = server.server.harness.context.server.waits as { commit: () => Promise<void> | undefined }
  const commit = waits.commit
  waits.commit = () => {
    seen.push(plugin.currentRequest?.()?.getVar('QUERY_STRING'))
    return commit()
  }
  const answers = Promise.all(['a', 'b'].map((query) => server.server.ask('streams', { query })))
  for (let turn = 0; turn < 4; turn += 1) {
    await settle()
    expect(plugin.currentRequest?.()).toBeUndefined()
    server.resume()
  }
  await answers
  waits.commit = commit
  expect(seen).toEqual(['a', 'b', 'b', 'a', 'a', 'b'])
})
