// A file with a guest's source in a directory of its own, removed when the tests of the file are over.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

const directories: string[] = []
afterAll(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
})

/** @returns the path of the file */
export const writeGuest = (name: string, source: string): string => {
  const directory = mkdtempSync(join(tmpdir(), 'polywsgi-guest-'))
  directories.push(directory)
  const path = join(directory, name)
  writeFileSync(path, source)
  return path
}
