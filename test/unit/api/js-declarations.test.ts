// The declarations of the uwsgi module, used as an editor uses them: by the TypeScript compiler, on programs that are right
// and on lines that are wrong.
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { ApiEntry } from '../../../host/api/kinds.ts'
import { renderJsDeclarations } from '../../../host/api/render/declarations-js.ts'
import { apiTable, camelCaseName } from '../../../host/api/table/index.ts'
import { writeGuest } from './guest-file.ts'

const entries = apiTable as readonly ApiEntry[]
const compiler = fileURLToPath(new URL('../../../node_modules/.bin/tsc', import.meta.url))

/** What the compiler finds in each file, as `file:line`, in order. */
const faultsIn = async (files: Readonly<Record<string, string>>, strict = true): Promise<string[]> => {
  const directory = join(writeGuest('uwsgi.d.ts', renderJsDeclarations()), '..')
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
  // What a guest has: the language, and nothing of a browser or of Node.
  const options = [
    '--noEmit',
    '--strict',
    String(strict),
    '--target',
    'es2024',
    '--lib',
    'es2024',
    '--module',
    'esnext',
    '--types',
    '',
  ]
  const args = [...options, 'uwsgi.d.ts', ...Object.keys(files)]
  const said = await new Promise<string>((resolve) => {
    execFile(compiler, args, { cwd: directory }, (_, stdout, stderr) => resolve(stdout + stderr))
  })
  const faults = said.matchAll(/^(?:(\S+)\((\d+),\d+\): )?error .*/gm)
  return [...faults].map(([fault, file, line]) => (file === undefined ? fault : `${file}:${line}`))
}

const program = `import uwsgi, { cacheGet, promises, workerId } from 'uwsgi'

const numbers: number[] = [
  workerId(), uwsgi.masterpid(), uwsgi.muleId(), uwsgi.signalReceived(), uwsgi.spoolerPid(), ...uwsgi.spoolerPids(),
  uwsgi.connectionFd(), uwsgi.connect('/run/other.sock', 0.5), uwsgi.requestId(), uwsgi.cl(), uwsgi.totalRequests(), ...uwsgi.mem(),
  uwsgi.micros(), uwsgi.queueSlot(), uwsgi.queuePullSlot(), uwsgi.sharedareaRead8(0, 0), uwsgi.sharedareaRead16(0, 0),
  uwsgi.sharedareaRead32(0, 0), uwsgi.numproc, uwsgi.cores, uwsgi.hasThreads, uwsgi.bufferSize, uwsgi.startedOn, uwsgi.queueSize,
  ...uwsgi.versionInfo, uwsgi.SPOOL_OK, uwsgi.SPOOL_RETRY, uwsgi.SPOOL_IGNORE, uwsgi.workers()[0]!.apps[0]!.requests,
]
const large: (number | bigint)[] = [uwsgi.cacheNum('n'), uwsgi.metricGet('m'), uwsgi.sharedareaRead64(0, 8)]
const texts: string[] = [
  uwsgi.version, uwsgi.hostname, ...uwsgi.cacheKeys(), uwsgi.signalWait(), ...uwsgi.rpcList(), uwsgi.muleGetMsg(true, true, 100, 0.5),
  uwsgi.farmGetMsg(), uwsgi.spool({ task: 'resize', picture: 17, body: new Uint8Array(3) }), ...uwsgi.spoolerJobs(), ...uwsgi.spoolers,
  ...uwsgi.queueLast(3), uwsgi.sharedareaRead(0, 0, 4), uwsgi.workers()[0]!.status,
].map((bytes) => bytes.toString())
const bytesOrNothing: (Uint8Array | undefined)[] = [
  cacheGet('key', 'default'), uwsgi.rpc('', 'name', 'text', new Uint8Array(1)), uwsgi.rpc(undefined, 'name'), uwsgi.call('name', 'text'),
  uwsgi.recv(4096), uwsgi.recv(3, 4096), uwsgi.getLogvar('user'), uwsgi.queuePop(), uwsgi.queuePull(), uwsgi.queueGet(0),
  uwsgi.spoolerGetTask(uwsgi.spoolerJobs()[0]!)?.['body'],
]
const success: true[] = [
  uwsgi.log('line'), uwsgi.log(new Uint8Array(3)), uwsgi.addCron(17, 0, 2, -1, -1, -1), uwsgi.registerRpc('double', (text) => text + '!', 1),
  uwsgi.setSpoolerFrequency(5), uwsgi.reload(), uwsgi.stop(),
]
const maybe: (true | undefined)[] = [
  uwsgi.iAmTheSpooler(), uwsgi.cacheExists('k'), uwsgi.cacheSet('k', 'v', 5), uwsgi.cacheUpdate('k', 'v', 5, 'default'),
  uwsgi.cacheDel('k'), uwsgi.cacheInc('n'), uwsgi.cacheDec('n', 2n), uwsgi.cacheMul('n', 3), uwsgi.cacheDiv('n', 4),
  uwsgi.cacheClear(), uwsgi.signalRegistered(1), uwsgi.inFarm('thumbs'), uwsgi.inFarm(), uwsgi.send('data'), uwsgi.send(3, 'data'),
  uwsgi.metricSet('m', 5n), uwsgi.metricInc('m'), uwsgi.metricDec('m'), uwsgi.metricMul('m', 2), uwsgi.metricDiv('m', 2),
  uwsgi.metricSetMax('m', 9), uwsgi.metricSetMin('m', 1), uwsgi.queuePush('x'), uwsgi.queueSet(0, 'x'),
  uwsgi.sendfile('a.css'), uwsgi.sendfile('a.css', 0, 1, 2),
]
const truths: boolean[] = [uwsgi.isLocked(), uwsgi.muleMsg('m', 1), uwsgi.muleMsg('m', 'farm'), uwsgi.isConnected(3), uwsgi.isAReload]
uwsgi.logThisRequest()
uwsgi.lock(0, 0.5)
uwsgi.unlock()
uwsgi.signal(17, '127.0.0.1:3031')
uwsgi.registerSignal(17, 'worker', (signum) => uwsgi.log('signal ' + signum.toFixed()))
uwsgi.addTimer(17, 1)
uwsgi.addMsTimer(17, 1)
uwsgi.addRbTimer(17, 1, 1)
uwsgi.addFileMonitor(17, '/tmp')
uwsgi.farmMsg('thumbs', 'm')
uwsgi.asyncSleep(0.5)
uwsgi.waitFdRead(uwsgi.readyFd(), 0.5)
uwsgi.waitFdWrite(uwsgi.asyncId())
uwsgi.alarm('admin', 'm')
uwsgi.close(3)
uwsgi.disconnect()
uwsgi.setLogvar('user', 'anna')
uwsgi.setprocname('busy')
uwsgi.setUserHarakiri(5)
uwsgi.sharedareaWrite(0, 0, 'data')
uwsgi.sharedareaWrite8(0, 0, 1)
uwsgi.sharedareaWrite16(0, 0, 1)
uwsgi.sharedareaWrite32(0, 0, 1)
uwsgi.sharedareaWrite64(0, 0, 1n)
uwsgi.sharedareaInc32(0, 0)
uwsgi.sharedareaInc64(0, 0, 2n)
uwsgi.sharedareaDec32(0, 0)
uwsgi.sharedareaDec64(0, 0)
uwsgi.sharedareaRlock(0)
uwsgi.sharedareaWlock(0)
uwsgi.sharedareaUnlock(0)
uwsgi.muleMsgHook = (message) => uwsgi.log(message)
uwsgi.postForkHook = uwsgi.afterReqHook = uwsgi.atexit = () => {}
uwsgi.spooler = (env) => (env['task']?.toString() === 'resize' ? uwsgi.SPOOL_OK : uwsgi.SPOOL_IGNORE)
try {
  uwsgi.rpc('', '')
} catch (error) {
  if (error instanceof UwsgiError) uwsgi.log(error.code)
}
const workers: string | true | (string | true)[] | undefined = uwsgi.opt['workers']
const suspended: true = await uwsgi.suspend()
const awaited: [Uint8Array | undefined, Uint8Array | undefined, number, true | undefined] = [
  await uwsgi.promises.cacheGet('key'), await promises.rpc('', 'name', 'text'), await promises.asyncConnect('127.0.0.1:1'),
  await promises.cache_set('key', 'value', 5),
]
const all: (undefined | true)[] = await Promise.all([promises.lock(), uwsgi.promises.cacheDel('key', 'default')])
export { all, awaited, bytesOrNothing, large, maybe, numbers, success, suspended, texts, truths, workers }
`

/** Each of them is wrong for one reason. */
const wrong = [
  'uwsgi.cacheSet("key")',
  'uwsgi.cacheGet(17)',
  'uwsgi.cacheGet("key").toString()',
  'uwsgi.cacheInc("key", "1")',
  'uwsgi.registerSignal(17, "worker", (signum: string) => signum)',
  'uwsgi.registerRpc("name", (n: number) => n)',
  'uwsgi.registerRpc("name")',
  'uwsgi.call("name", 17)',
  'uwsgi.spool("job")',
  'uwsgi.SPOOL_OK = 1',
  'uwsgi.workerId(1)',
  'uwsgi.spooler = () => "done"',
  'uwsgi.workers()[0]!.nothing',
  'uwsgi.mem()[2].toFixed()',
  'const text: string = uwsgi.sharedareaRead(0, 0)',
  'uwsgi.noSuchFunction()',
  'new UwsgiBytes(3)',
  'uwsgi.promises.log("line")',
  'uwsgi.promises.suspend()',
  'uwsgi.promises.cacheGet(17)',
  'uwsgi.promises.lock(0, "long")',
  'const value: Uint8Array | undefined = uwsgi.promises.cacheGet("key")',
  'const done: true = uwsgi.suspend()',
  'uwsgi.promises = uwsgi.promises',
  'uwsgi.promises.cacheGet = uwsgi.promises.cacheGet',
]

describe('the declarations of the uwsgi module', () => {
  it('let a program call every function by its JavaScript name, and pass on what it answers', async () => {
    const used = new Set([...program.matchAll(/\b\w+\b/g)].map(([word]) => word))
    expect(entries.map(({ name }) => camelCaseName(name)).filter((name) => !used.has(name))).toEqual([])
    expect(await faultsIn({ 'program.ts': program })).toEqual([])
  })

  it('have every function that may wait as one that gives a promise, under all its names', async () => {
    const waiting = entries.filter((entry) => entry.shape === 'function' && entry.kind === 'blocking')
    const names = waiting.flatMap(({ name }) => [name, camelCaseName(name)])
    const lines = names.map((name) => `uwsgi.promises.${name} satisfies (...args: never[]) => Promise<unknown>`)
    expect(await faultsIn({ 'names.ts': `import uwsgi from 'uwsgi'\n${lines.join('\n')}\nexport {}\n` })).toEqual([])
  })

  it('let every example of the reference through', async () => {
    const bodies = entries.map(({ example }, index) => `export async function example${index}() {\n${example.js}\n}\n`)
    // They are short: what may be undefined is not asked for.
    expect(await faultsIn({ 'examples.ts': `import uwsgi from 'uwsgi'\n${bodies.join('')}` }, false)).toEqual([])
  })

  it('refuse what the module would refuse, line by line', async () => {
    const faults = await faultsIn({ 'wrong.ts': `import uwsgi from 'uwsgi'\n${wrong.join('\n')}\nexport {}\n` })
    expect([...new Set(faults)]).toEqual(wrong.map((_, index) => `wrong.ts:${index + 2}`))
  })
})

describe('the declarations of uwsgi/fs and uwsgi/env', () => {
  const declarations = readFileSync(new URL('../../../bindings/js/types/files.d.ts', import.meta.url), 'utf8')
  const imports = "import fs, { readFile } from 'uwsgi/fs'\nimport env from 'uwsgi/env'\n"

  it('take what is right', async () => {
    const right = `${imports}
fs.writeFile('a', new Uint8Array(readFile('b', 1, 2)))
fs.appendFile('a', String(fs.readFile('b')))
const facts: [string, number, Date, string[], string | undefined] =
  [fs.stat('a').type, fs.stat('a').size, fs.stat('a').modified, fs.readdir('.'), env['HOME']]
fs.mkdir('d')
fs.rename('a', 'd/a')
fs.remove('d/a')
export { facts }
`
    expect(await faultsIn({ 'files.d.ts': declarations, 'right.ts': right })).toEqual([])
  })

  it('refuse what is wrong', async () => {
    const lines = ['fs.readFile(5)', "fs.writeFile('a', 5)", 'fs.readFile = readFile', "env['A'] = 'b'", "fs.open('a')"]
    expect(await faultsIn({ 'files.d.ts': declarations, 'wrong.ts': `${imports}${lines.join('\n')}\n` })).toEqual(
      lines.map((_, index) => `wrong.ts:${index + 3}`),
    )
  })
})
