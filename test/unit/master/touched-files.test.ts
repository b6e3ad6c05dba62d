// Files that are watched for their time of change.
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { TouchedFiles } from '../../../host/master/touched-files.ts'

let folder: string
let files: TouchedFiles
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'polywsgi-touched-'))
  files = new TouchedFiles(10)
})
afterEach(() => {
  files.close()
  rmSync(folder, { recursive: true, force: true })
})

it('tells of a file that is made, changed, and made again', async () => {
  const path = join(folder, 'f')
  let count = 0
  files.watch(path, () => (count += 1))
  writeFileSync(path, '')
  await expect.poll(() => count).toBe(1)
  utimesSync(path, 1, 1)
  await expect.poll(() => count).toBe(2)
  rmSync(path)
  // Another file, looked at in the same rounds, tells that the end of the first was seen.
  const other = join(folder, 'other')
  let seen = 0
  files.watch(other, () => (seen += 1))
  writeFileSync(other, '')
  await expect.poll(() => seen).toBe(1)
  utimesSync(other, 1, 1)
  await expect.poll(() => seen).toBe(2)
  expect(count).toBe(2)
  writeFileSync(path, '')
  utimesSync(path, 1, 1)
  await expect.poll(() => count).toBeGreaterThanOrEqual(3)
})

it('says nothing of files as they were, nor after its end', async () => {
  const path = join(folder, 'f')
  writeFileSync(path, '')
  let count = 0
  files.watch(path, () => (count += 1))
  const other = new TouchedFiles(10)
  let rounds = 0
  other.watch(join(folder, 'o'), () => (rounds += 1))
  writeFileSync(join(folder, 'o'), '')
  await expect.poll(() => rounds).toBe(1)
  expect(count).toBe(0)
  files.close()
  utimesSync(path, 1, 1)
  utimesSync(join(folder, 'o'), 1, 1)
  await expect.poll(() => rounds).toBe(2)
  expect(count).toBe(0)
  other.close()
})
