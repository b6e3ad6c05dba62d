// Directories of code that are watched for changed files.
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { CodeWatch } from '../../../host/master/code-watch.ts'

let folder: string
let watches: CodeWatch[]
let told: (readonly string[])[]
let tooMuch: string[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'polywsgi-code-'))
  watches = []
  told = []
  tooMuch = []
})
afterEach(() => {
  for (const watch of watches) watch.close()
  rmSync(folder, { recursive: true, force: true })
})

const at = (path: string): string => join(folder, path)
const write = (path: string, text = ''): void => writeFileSync(at(path), text)
const start = async (limits?: { files: number; directories: number }): Promise<void> => {
  const watch = new CodeWatch({
    directories: [folder],
    extensions: new Set(['.py', '.lua', '.js']),
    intervalMs: 10,
    onChange: (changed) => told.push(changed.map((path) => path.slice(folder.length + 1))),
    onTooMuch: (directory) => tooMuch.push(directory),
    ...(limits && { limits }),
  })
  watches.push(watch)
  await watch.start()
}

it('tells of a changed file, of one that is new and of one that is gone, in directories below too', async () => {
  mkdirSync(at('below'))
  write('app.py', '1')
  write('below/lib.lua', '1')
  await start()
  write('app.py', 'changed')
  await expect.poll(() => told).toEqual([['app.py']])
  mkdirSync(at('new'))
  write('new/module.js')
  await expect.poll(() => told.slice(1)).toEqual([['new/module.js']])
  rmSync(at('below'), { recursive: true })
  await expect.poll(() => told.slice(2)).toEqual([['below/lib.lua']])
})

it('tells once of an editor that renames a file into its place, and of all that is saved together', async () => {
  write('app.py', '1')
  write('lib.py', '1')
  await start()
  write('.app.py.swp', 'other')
  rmSync(at('app.py'))
  renameSync(at('.app.py.swp'), at('app.py'))
  write('lib.py', 'other')
  await expect.poll(() => told).toEqual([['app.py', 'lib.py']])
})

it('passes over files that are no code, hidden directories, node_modules and __pycache__', async () => {
  for (const directory of ['.git', 'node_modules', '__pycache__']) mkdirSync(at(directory))
  await start()
  for (const path of ['.git/a.py', 'node_modules/a.js', '__pycache__/a.py', 'data.txt', 'a.py~']) write(path)
  write('seen.py')
  await expect.poll(() => told).toEqual([['seen.py']])
})

it('follows links to directories and files, also where they lead in circles', async () => {
  const outside = mkdtempSync(join(tmpdir(), 'polywsgi-code-outside-'))
  try {
    writeFileSync(join(outside, 'lib.py'), '1')
    writeFileSync(join(outside, 'one.lua'), '1')
    mkdirSync(at('own'))
    symlinkSync(folder, at('own/circle'))
    symlinkSync(outside, at('linked'))
    symlinkSync(at('nowhere'), at('broken.py'))
    await start()
    writeFileSync(join(outside, 'lib.py'), 'changed')
    await expect.poll(() => told).toEqual([['linked/lib.py']])
  } finally {
    rmSync(outside, { recursive: true, force: true })
  }
})

it('waits for a directory that is not there yet', async () => {
  rmSync(folder, { recursive: true })
  await start()
  mkdirSync(folder)
  write('app.js')
  await expect.poll(() => told).toEqual([['app.js']])
})

it('looks at a bounded number of files, and says once that there are more', async () => {
  for (let index = 0; index < 5; index += 1) write(`m${index}.py`)
  await start({ files: 3, directories: 10 })
  expect(tooMuch).toEqual([folder])
  for (let index = 0; index < 5; index += 1) write(`m${index}.py`, 'changed')
  await expect.poll(() => told.flat().length).toBe(3)
  expect(tooMuch).toEqual([folder])
})

it('says nothing after its end', async () => {
  write('app.py', '1')
  await start()
  watches[0]!.close()
  const closed = told
  told = []
  write('app.py', 'changed')
  await start()
  write('other.py')
  await expect.poll(() => told).toEqual([['other.py']])
  expect(closed).toEqual([])
})
