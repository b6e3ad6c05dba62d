// Which files are opened: regular ones that lie where they may, whatever is put in their place meanwhile.
import { execFileSync } from 'node:child_process'
import { renameSync, rmSync, unlinkSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkFile, isWithin, openKnown, openWithin } from '../../../host/files/containment.ts'
import { FileTree } from '../../support/file-tree.ts'

let tree: FileTree
let root: string
beforeEach(() => {
  tree = new FileTree()
  root = `${tree.root}/root`
  tree.file('root/a.txt')
  tree.file('root/sub/b.txt')
  tree.file('other/c.txt')
  tree.link('root/in', 'sub')
  tree.link('root/out', '../other')
  tree.link('root/loop', 'loop')
  tree.link('root/dangling', 'nowhere')
  tree.link('root/device', '/dev/null')
  execFileSync('mkfifo', [`${root}/pipe`])
})
afterEach(() => {
  expect(tree.openedBy(process.pid)).toEqual([])
  tree[Symbol.dispose]()
})

const kindOf = async (path: string, roots = [root]): Promise<string> => {
  const found = await openWithin(path, roots)
  if (found.kind === 'open') await found.handle.close()
  return found.kind
}

describe('a file', () => {
  it.each([
    ['a.txt', 'open', 'known'],
    ['in/b.txt', 'open', 'known'],
    ['sub/../a.txt', 'open', 'known'],
    ['out/c.txt', 'outside', 'outside'],
    ['../other/c.txt', 'outside', 'outside'],
    ['device', 'outside', 'outside'],
    ['sub', 'directory', 'directory'],
    ['pipe', 'special', 'special'],
    ['loop', 'absent', 'absent'],
    ['dangling', 'absent', 'absent'],
    ['none', 'absent', 'absent'],
    ['a.txt/', 'absent', 'absent'],
    ['a.txt/b', 'absent', 'absent'],
    ['x'.repeat(5000), 'absent', 'absent'],
  ])('at %s', async (name, opened, checked) => {
    expect(await kindOf(`${root}/${name}`)).toBe(opened)
    expect(checkFile(`${root}/${name}`, [root]).kind).toBe(checked)
  })

  it('may lie in any of the roots, of which some may be links and some may be missing', async () => {
    const roots = [`${tree.root}/missing`, `${root}/out`]
    expect(await kindOf(`${tree.root}/other/c.txt`, roots)).toBe('open')
    expect(checkFile(`${tree.root}/other/c.txt`, roots).kind).toBe('known')
    expect(await kindOf(`${root}/a.txt`, [`${root}/a.txt`])).toBe('open')
    expect(await kindOf(`${root}/a.txt`, [])).toBe('outside')
    expect(checkFile('/dev/null', undefined).kind).toBe('special')
  })

  it('that is not there is told of only where one might be', () => {
    const kinds = [
      'none',
      'sub/none',
      'in/none',
      'none/none',
      '../none',
      '../other/none',
      'out/none',
      '../none/none',
      '/nowhere/none',
    ]
    expect(kinds.map((name) => checkFile(name.startsWith('/') ? name : `${root}/${name}`, [root]).kind)).toEqual([
      ...['absent', 'absent', 'absent', 'absent'],
      ...['outside', 'outside', 'outside', 'outside', 'outside'],
    ])
    expect(checkFile('/nowhere/none', undefined).kind).toBe('absent')
  })

  it('that was checked is opened only while it is the same one', async () => {
    const known = checkFile(`${root}/a.txt`, [root])
    if (known.kind !== 'known') throw new Error(known.kind)
    const same = await openKnown(known)
    expect(same.kind).toBe('open')
    if (same.kind === 'open') await same.handle.close()
    renameSync(tree.file('root/new.txt'), known.path)
    expect((await openKnown(known)).kind).toBe('absent')
    rmSync(known.path)
    tree.link('root/a.txt', '../other/c.txt')
    expect((await openKnown(known)).kind).toBe('absent')
    unlinkSync(known.path)
    expect((await openKnown(known)).kind).toBe('absent')
    execFileSync('mkfifo', [known.path])
    expect((await openKnown(known)).kind).toBe('absent')
  })
})

it('a directory is not within one whose name begins the same', () => {
  expect(['/a', '/a/b', '/ab', '/', '/b'].map((path) => isWithin('/a', path))).toEqual([true, true, false, false, false])
  expect(isWithin('/', '/a')).toBe(true)
})
