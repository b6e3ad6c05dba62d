// The Forth plugin by the hooks a worker calls: requests and their responses, functions, signals, messages, jobs, hooks.
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { ForthError } from '../../../examples/plugins/forth/errors.ts'
import { createForthPlugin } from '../../../examples/plugins/forth/forth_plugin.ts'
import type { GuestFunction } from '../../../host/api/guest-function.ts'
import { ClientError } from '../../../host/errors.ts'
import { type HarnessOptions, PluginHarness } from '../../support/plugin-harness.ts'

const folder = mkdtempSync(join(tmpdir(), 'forth-app-'))
afterAll(() => rmSync(folder, { recursive: true }))

let written = 0
const boot = async (program: string, options?: HarnessOptions): Promise<PluginHarness> => {
  const harness = await PluginHarness.boot(createForthPlugin(), options)
  written += 1
  const file = join(folder, `app${written}.fs`)
  writeFileSync(file, program)
  await harness.mount(file)
  return harness
}

/** A server whose functions by RPC are kept. */
const registry = () => {
  const functions = new Map<string, GuestFunction>()
  const signals = new Map<number, GuestFunction>()
  const server = {
    rpc: { register: (name: string, handler: GuestFunction) => void functions.set(name, handler) },
    signals: { register: (signum: number, _: string, handler: GuestFunction) => void signals.set(signum, handler) },
  } as unknown as NonNullable<HarnessOptions['server']>
  return { functions, signals, server }
}

describe('the example', () => {
  it('uses nothing of the host but what every plugin can', () => {
    const folder = fileURLToPath(new URL('../../../examples/plugins/forth', import.meta.url))
    const files = globSync('*.ts', { cwd: folder })
    const imported = files.flatMap((file) =>
      [...readFileSync(join(folder, file), 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(
        ([, name]) => name as string,
      ),
    )
    expect(files.length).toBeGreaterThan(15)
    expect([...new Set(imported.filter((name) => !/^\.\/[\w-]+\.ts$/.test(name)))].sort()).toEqual(['node:fs', 'polywsgi/plugin'])
  })
})

describe('a request', () => {
  it('is answered with what the word types, as plain text unless it says otherwise', async () => {
    const harness = await boot(': handle ." hello" ;')
    expect(await harness.request()).toMatchObject({
      status: '200 OK',
      headers: [
        ['Content-Type', 'text/plain; charset=utf-8'],
        ['Content-Length', '5'],
      ],
      text: 'hello',
      result: 0,
    })
  })

  it('has its variables, status and headers', async () => {
    const harness = await boot(`: .var type space ;
      : handle s" X-Before" s" 1" header 404 status s" content-type" s" text/html" header
        request-method .var script-name .var path-info .var query-string .var var" HTTP_X_A" .var s" HTTP_HOST" var .var
        var" NOWHERE" . . ;`)
    const response = await harness.request({ method: 'PUT', path: '/p', query: 'a=b', vars: { HTTP_X_A: '\xff\xfe' } })
    expect(response.status).toBe('404 Not Found')
    expect(response.headers).toEqual([
      ['X-Before', '1'],
      ['content-type', 'text/html'],
      ['Content-Length', '34'],
    ])
    expect(Buffer.from(response.body).toString('latin1')).toBe('PUT  /p a=b \xff\xfe localhost:8080 0 0 ')
  })

  it('gives its body, in pieces or whole, byte for byte', async () => {
    const harness = await boot(': handle 3 body-read type s" |" type body type s" |" type 5 body-read nip . ;')
    const response = await harness.request({ method: 'POST', body: Uint8Array.of(0, 255, 10, 13, 0) })
    expect(Buffer.from(response.body).toString('latin1')).toBe('\0\xff\n|\r\0|0 ')
    expect((await harness.request()).text).toBe('||0 ')
  })

  it('sends what is written at once, and the rest at the end; large responses as they grow', async () => {
    const streaming = await boot(': handle s" one" write ." two" ." three" ;')
    const answer = await streaming.request()
    expect(answer.chunks.map(String)).toEqual(['one', 'twothree'].map((text) => String(Uint8Array.from(Buffer.from(text)))))
    expect(answer.headers.map(([name]) => name)).toEqual(['Content-Type'])
    const large = await boot(': handle 100000 0 do ." 0123456789" loop ;')
    const response = await large.request()
    expect(response.body.length).toBe(1_000_000)
    expect(response.text).toBe('0123456789'.repeat(100_000))
    expect(Math.max(...response.chunks.map((chunk) => chunk.length))).toBeLessThanOrEqual(65_536)
  })

  it('begins with an empty stack, decimal numbers and all its steps, whatever was before', async () => {
    const harness = await boot('variable n : handle depth . 1 n +! n @ . hex 1 2 3 ; 99 hex')
    for (const n of [1, 2, 3]) expect((await harness.request()).text).toBe(`0 ${n} `)
  })

  it('fails by what the host will log and answer', async () => {
    const harness = await boot(': handle ." partly" 1 0 / ;')
    await expect(harness.request()).rejects.toThrow(ForthError)
    const { plugin } = harness
    const error = await harness.request().catch((caught: unknown) => caught)
    expect(plugin.exceptionLog?.(error)?.report).toMatch(/app\d+\.fs:1:25: division by zero\n {2}in handle/)
    expect(plugin.exceptionClass?.(error)).toBe('divisionByZero')
    expect(plugin.exceptionMsg?.(error)).toBe('division by zero')
    expect(plugin.exceptionRepr?.(error)).toBe('divisionByZero: division by zero')
    expect(plugin.backtrace?.(error)).toContain('in handle')
    for (const hook of ['exceptionLog', 'exceptionClass', 'exceptionMsg', 'exceptionRepr', 'backtrace'] as const)
      expect(plugin[hook]?.(new Error('of another'))).toBeUndefined()
  })

  it('fails as the README shows', async () => {
    const readme = readFileSync(new URL('../../../examples/plugins/forth/README.md', import.meta.url), 'utf8')
    const [, program = '', trace = ''] = /^```forth\n(.*?)^```$.*?^```\n(.*?)\n```$/ms.exec(readme) ?? []
    const harness = await boot(program)
    const error = await harness.request().catch((caught: unknown) => caught)
    expect((error as ForthError).traceback.replaceAll(/[^\s(]*\/app\d+\.fs/g, 'average.fs')).toBe(trace)
  })

  it.each([
    ['99 status', 'is not a status'],
    ['s" a b" s" x" header', 'is not a header name'],
    ['s" a" create-value header', 'holds a NUL byte'],
    ['s" " write 404 status', 'already been sent'],
  ])('refuses %s', async (code, message) => {
    const harness = await boot(`create v 65 c, 0 c, 66 c, : create-value v 3 ; : handle ${code} ;`)
    await expect(harness.request()).rejects.toThrow(message)
  })

  it('ends quietly when the client has gone', async () => {
    const harness = await boot(': handle s" x" write 1 0 / ;')
    let sent = 0
    const onSend = (): void => {
      sent += 1
      if (sent === 1) throw new ClientError('CLIENT_GONE', 'gone')
    }
    expect((await harness.request({ onSend })).result).toBe(0)
  })

  it('is served by another word where the mount names one', async () => {
    const harness = await PluginHarness.boot(createForthPlugin())
    const file = join(folder, 'callable.fs')
    writeFileSync(file, ': Other ." other" ;')
    await harness.mount(file, '', 'other')
    expect((await harness.request()).text).toBe('other')
  })
})

describe('a program', () => {
  it.each([
    ['1 0 /', /division by zero$/],
    [': other ;', /it has no word handle$/],
    [': handle', /the definition of handle at .*bad\.fs:1:3 has no ;$/],
  ])('that cannot be loaded is refused: %s', async (program, message) => {
    const harness = await PluginHarness.boot(createForthPlugin())
    const file = join(folder, 'bad.fs')
    writeFileSync(file, program)
    await expect(harness.mount(file)).rejects.toThrow(message)
    await expect(harness.mount(join(folder, 'nowhere.fs'))).rejects.toThrow(/nowhere\.fs/)
  })

  it('has words and memory of its own', async () => {
    const harness = await boot('variable n : name ." first" ; : handle 1 n +! name n @ . ;')
    const file = join(folder, 'second.fs')
    writeFileSync(file, 'variable n : name ." second" ; : handle 1 n +! name n @ . ;')
    await harness.mount(file, '/second')
    const ask = async (mountpoint: string) => (await harness.request({ mountpoint })).text
    expect([await ask(''), await ask(''), await ask('/second')]).toEqual(['first1 ', 'first2 ', 'second1 '])
  })

  it('logs what it types outside of requests, line by line', async () => {
    const harness = await boot('." one" cr ." two" : handle ;')
    expect(harness.logLines).toEqual(['one', 'two'])
  })

  it('is stopped after as many steps as the option says', async () => {
    const harness = await PluginHarness.boot(createForthPlugin())
    ;(harness.context.options as Map<string, number>).set('forth-max-steps', 5000)
    const file = join(folder, 'endless.fs')
    writeFileSync(file, ': handle begin again ;')
    await harness.mount(file)
    await expect(harness.request()).rejects.toThrow('more than 5000 (forth-max-steps)')
  })
})

describe('what the server calls', () => {
  it('functions, with their arguments alone on the stack', async () => {
    const { functions, server } = registry()
    const harness = await boot(
      `: count-args depth 2 / n>s ;     ' count-args s" count" 0 register-rpc
       : echo ;                         ' echo s" echo" 1 register-rpc
       : none 2drop 0 0 ;               ' none s" none" 1 register-rpc
       : bad 2drop 1 0 / ;              ' bad s" bad" 1 register-rpc
       : odd 7 ;                        s" odd" ' odd uwsgi.register-rpc
       : handle 1 2 3 ;`,
      { server },
    )
    const call = (name: string, ...args: Uint8Array[]) => harness.plugin.rpc?.(functions.get(name)?.handler, args)
    const one = Uint8Array.of(0, 255, 0)
    expect(String(Buffer.from(call('count', one, one, one) as Uint8Array))).toBe('3')
    expect(call('echo', one)).toEqual(one)
    expect(call('echo', new Uint8Array(0))).toEqual(new Uint8Array(0))
    expect(call('none', one)).toBeUndefined()
    expect(() => call('bad', one)).toThrow('division by zero')
    expect(() => call('odd')).toThrow('a function called by RPC leaves an address and a length; odd left 1 cells')
    expect(functions.get('echo')?.owner).toBe(harness.plugin)
  })

  it('handlers of signals, whose output is no part of a response', async () => {
    const { signals, server } = registry()
    const harness = await boot("variable n : on ( n -- ) dup n ! . ; ' on 17 register-signal : handle n @ . ;", { server })
    expect(harness.plugin.signalHandler?.(17, signals.get(17)?.handler)).toBe(true)
    expect(harness.logLines).toEqual(['17 '])
    expect((await harness.request()).text).toBe('17 ')
  })

  it('mules, spoolers and hooks by the names of their words', async () => {
    const harness = await boot(`: handle ; : say type cr ;
      : post-fork-hook s" forked" say ; : after-req-hook s" after" say ; : atexit s" exit" say ;
      : mule-msg-hook say ; : spooler s" name" pairs-get say s" body" pairs-get say uwsgi.spool-ok ;`)
    const { plugin, context, logLines } = harness
    await plugin.fixup?.(context)
    await harness.request()
    expect(plugin.muleMsg?.(Buffer.from('message'))).toBe(true)
    expect(plugin.spooler?.('/job', new Map([['name', Buffer.from('anna')]]), Buffer.from('BODY'))).toBe(-2)
    harness.close()
    expect(logLines).toEqual(['forked', 'after', 'message', 'anna', 'BODY', 'exit'])
  })

  it('nothing, where a program has no such word', async () => {
    const { plugin, context } = await boot(': handle ;')
    await plugin.fixup?.(context)
    expect(plugin.muleMsg?.(Buffer.from('message'))).toBe(false)
    expect(plugin.spooler?.('/job', new Map(), new Uint8Array(0))).toBe(0)
  })

  it('a program of a mule', async () => {
    const harness = await PluginHarness.boot(createForthPlugin())
    const file = join(folder, 'mule.fth')
    writeFileSync(file, '." in a mule"')
    expect(await harness.plugin.mule?.(file, harness.context)).toBe(true)
    expect(harness.logLines).toEqual(['in a mule'])
    expect(await harness.plugin.mule?.('other.py', harness.context)).toBe(false)
  })
})
