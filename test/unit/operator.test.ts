// What an operator asks the server for, by files, by code that changes and by letters.
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Configuration } from '../../host/config/index.ts'
import { Operator, type OperatorOptions } from '../../host/operator.ts'
import { load } from './config/world.ts'

let folder: string
let operators: Operator[]
let asked: string[]
let log: string[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'polywsgi-operator-'))
  operators = []
  asked = []
  log = []
})
afterEach(() => {
  for (const operator of operators) operator.close()
  rmSync(folder, { recursive: true, force: true })
})

const make = (args: readonly string[], more: Partial<OperatorOptions> = {}): Operator => {
  let isPaused = false
  const operator = new Operator({
    configuration: load(args) as Configuration,
    logger: { text: (line: string) => log.push(line) } as never,
    logFile: {
      isFile: true,
      reopen: async () => void asked.push('log reopen'),
      rotate: async () => void asked.push('log rotate'),
    },
    cwd: folder,
    reload: (kind) => asked.push(`reload ${kind}`),
    stop: (isUrgent) => asked.push(isUrgent ? 'stop at once' : 'stop'),
    togglePause: () => (isPaused = !isPaused),
    changeWorkers: () => undefined,
    stats: () => ['statistics'],
    work: () => ['what runs'],
    ...more,
  })
  operators.push(operator)
  return operator
}
const start = async (args: readonly string[], more?: Partial<OperatorOptions>): Promise<void> => await make(args, more).start()
const at = (name: string): string => join(folder, name)

it('a touched file asks for its kind of reload, whether it was there or not', async () => {
  writeFileSync(at('w'), '')
  await start(['--touch-reload', 'r', '--touch-chain-reload', 'c', '--touch-workers-reload', 'w', '--touch-mules-reload', 'm'])
  for (const name of ['r', 'c', 'm']) writeFileSync(at(name), '')
  writeFileSync(at('w'), 'changed')
  await expect
    .poll(() => [...asked].sort(), { timeout: 30_000 })
    .toEqual(['reload chain', 'reload graceful', 'reload mules', 'reload workers'])
  expect(log).toContain('*** c has been touched: chain reload ***')
})

it('a touched file asks for a change of the log', async () => {
  await start(['--logto', 'log', '--touch-logreopen', 'o', '--touch-logreopen', 'o2', '--touch-logrotate', 'r'])
  for (const name of ['o', 'o2', 'r']) writeFileSync(at(name), '')
  await expect.poll(() => [...asked].sort(), { timeout: 30_000 }).toEqual(['log reopen', 'log reopen', 'log rotate'])
  expect(log).toContain('*** o2 has been touched: log reopen ***')
  expect(log).toContain('*** r has been touched: log rotate ***')
})

it('l and L change the log, and say why not where it is no file', async () => {
  await start(['--master-fifo', 'fifo'])
  appendFileSync(at('fifo'), 'lL')
  await expect.poll(() => asked).toEqual(['log reopen', 'log rotate'])
  expect(log).toEqual(['master-fifo: log reopen', 'master-fifo: log rotate'])
  log.length = 0
  const refuse = async (): Promise<never> => {
    throw new Error('there is no file')
  }
  await start(['--master-fifo', 'fifo2'], { logFile: { isFile: false, reopen: refuse, rotate: refuse } })
  appendFileSync(at('fifo2'), 'lL')
  await expect.poll(() => log).toContain('log rotate: there is no file')
  expect(log).toContain('log reopen: there is no file')
})

it('changed code of any language asks for a reload, and the log names the file', async () => {
  for (const directory of ['py', 'path']) mkdirSync(at(directory))
  const args = ['--autoreload=0.01', '--mount', '/a=py/app.py', '--lua', 'lua/app.lua', '--pythonpath', 'path']
  await start(args)
  expect(log).toEqual([`[autoreload] watching ${['lua', 'py', 'path'].map(at).join(', ')}`])
  for (const path of ['py/app.py', 'path/lib.js', 'lua/app.lua']) {
    if (path.startsWith('lua')) mkdirSync(at('lua'))
    writeFileSync(at(path), '')
    await expect.poll(() => log.at(-1), { timeout: 30_000 }).toBe(`[autoreload] ${at(path)} has changed: reloading`)
  }
  expect(asked).toEqual(new Array(3).fill('reload graceful'))
})

it('letters in the master FIFO are carried out, and what cannot be done is told', async () => {
  await start(['--master-fifo', 'fifo', '--pidfile', 'pid'])
  appendFileSync(at('fifo'), 'rcwqQ+sppPE?\n')
  await expect.poll(() => log.length).toBe(9)
  expect(asked).toEqual(['reload graceful', 'reload chain', 'reload workers', 'stop', 'stop at once'])
  expect(log).toEqual([
    "master-fifo: 'E' does nothing: there is no emperor",
    "master-fifo: '?' is no command",
    'master-fifo: graceful reload',
    'master-fifo: chain reload',
    'master-fifo: reload of the workers',
    'master-fifo: the number of workers does not change without the option cheaper',
    'statistics',
    '*** PAUSE: requests wait (SIGTSTP or p again to go on) ***',
    '*** RESUME ***',
  ])
  expect(readFileSync(at('pid'), 'utf8')).toBe(`${process.pid}\n`)
})

it('+ and - say how many workers are to run', async () => {
  let workers = 2
  await start(['--master-fifo', 'fifo'], { changeWorkers: (by) => (workers += by) })
  appendFileSync(at('fifo'), '++-')
  await expect.poll(() => log).toEqual([3, 4, 3].map((count) => `master-fifo: ${count} workers are to run`))
})

it('a digit chooses the FIFO that is read', async () => {
  await start(['--master-fifo', 'zero', '--master-fifo', 'one'])
  appendFileSync(at('zero'), '5')
  appendFileSync(at('zero'), '1')
  await expect.poll(() => log).toEqual(['master-fifo: there is no slot 5', `active master fifo is now ${at('one')}`])
  expect(() => readFileSync(at('zero'))).toThrow('ENOENT')
  appendFileSync(at('one'), 'c')
  await expect.poll(() => asked).toEqual(['reload chain'])
})

it('garbage of any length is told about in a few lines', async () => {
  await start(['--master-fifo', 'fifo'])
  appendFileSync(at('fifo'), '?'.repeat(50_000))
  await expect.poll(() => log).toContain('master-fifo: what comes after the first 64 bytes is dropped')
  appendFileSync(at('fifo'), 'c')
  await expect.poll(() => asked).toEqual(['reload chain'])
  expect(log.filter((line) => line.includes('no command')).length).toBeLessThan(5)
})

it('more than ten slots are refused', () => {
  const args = Array.from({ length: 11 }, (_, index) => ['--master-fifo', `fifo${index}`]).flat()
  expect(() => make(args)).toThrow('master-fifo: 11 are given, 10 is the most')
})
