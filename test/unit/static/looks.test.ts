// Looks at files: shared by those who ask at once, never older than the question.
import { rmSync } from 'node:fs'
import { expect, it } from 'vitest'
import { areLocal } from '../../../host/static/local-disk.ts'
import { Looks } from '../../../host/static/looks.ts'
import { FileTree } from '../../support/file-tree.ts'

it('a look tells what is so after it was asked for, to all who have asked', async () => {
  using tree = new FileTree()
  const path = tree.file('a', '1')
  const looks = new Looks()
  const sizeOf = (asked: string): Promise<number | undefined> =>
    new Promise((resolve) => looks.at(asked, (stats) => resolve(stats?.size)))
  const first = sizeOf(path)
  tree.file('a', '12')
  const second = sizeOf(path)
  const missing = sizeOf(`${path}/none`)
  tree.file('a', '123')
  expect(await Promise.all([first, second, missing])).toEqual([3, 3, undefined])
  rmSync(path)
  expect(await sizeOf(path)).toBeUndefined()
})

it('a disk is local only when it is known to be', async () => {
  expect(await areLocal(['/proc/self/status'])).toBe(false)
  expect(await areLocal(['/nowhere'])).toBe(false)
})
