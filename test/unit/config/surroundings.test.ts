// The real world outside: files of the machine, read within bounds.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type Configuration, readConfiguration } from '../../../host/config/index.ts'
import { largestFileBytes, nodeSurroundings } from '../../../host/config/surroundings.ts'
import packageJson from '../../../package.json' with { type: 'json' }
import { refusalOf } from './world.ts'

const directory = realpathSync(mkdtempSync(join(tmpdir(), 'polywsgi-config-')))
afterAll(() => rmSync(directory, { recursive: true }))

const read = (argv: readonly string[]): Configuration =>
  readConfiguration({ argv, env: {}, cwd: directory, surroundings: nodeSurroundings })

test('a configuration is read from the disk', () => {
  mkdirSync(join(directory, 'apps'))
  for (const name of ['b.lua', 'a.lua']) writeFileSync(join(directory, 'apps', name), '')
  const lines = [
    '[uwsgi]',
    'for-glob = apps/*.lua',
    'mount = /%(_)=%(_)',
    'endfor',
    'if-dir = apps',
    'chdir = %(_)',
    'endif',
    'here = %d %i %V %h %u',
  ]
  writeFileSync(join(directory, 'app.ini'), lines.join('\n'))
  const { settings, opt } = read(['app.ini'])
  expect(settings).toMatchObject({ chdir: 'apps', mount: ['/apps/a.lua=apps/a.lua', '/apps/b.lua=apps/b.lua'] })
  const inode = statSync(join(directory, 'app.ini'), { bigint: true }).ino
  expect(opt.get('here')).toEqual([`${directory}/ ${inode} ${packageJson.version} ${hostname()} ${process.getuid?.()}`])
})

test('a file too large is refused before it is read to its end', () => {
  writeFileSync(join(directory, 'large.ini'), Buffer.alloc(largestFileBytes + 1, '#'))
  expect(refusalOf(() => read(['large.ini']))).toBe(
    'CONFIG_UNREADABLE command line: cannot read large.ini: larger than 1048576 bytes',
  )
  writeFileSync(join(directory, 'full.ini'), Buffer.alloc(largestFileBytes, '#'))
  expect(read(['full.ini']).warnings).toHaveLength(1)
  expect(refusalOf(() => read(['--ini', '/dev/zero']))).toBe(
    'CONFIG_UNREADABLE command line: cannot read /dev/zero: larger than 1048576 bytes',
  )
})

test('a directory is no configuration file', () => {
  mkdirSync(join(directory, 'dir.ini'))
  expect(refusalOf(() => read(['dir.ini']))).toBe('CONFIG_UNREADABLE command line: cannot read dir.ini: it is a directory')
})

test('kinds of paths are told apart', () => {
  expect(nodeSurroundings.kindOf(directory)).toBe('directory')
  expect(nodeSurroundings.kindOf('/dev/null')).toBe('other')
  expect(nodeSurroundings.kindOf(join(directory, 'nope'))).toBeUndefined()
  expect(nodeSurroundings.kindOf(join(directory, 'app.ini', 'below'))).toBeUndefined()
  expect(nodeSurroundings.inode(join(directory, 'nope'))).toBe('')
})

test('the user and the group have names, or at least their numbers', () => {
  const user = nodeSurroundings.user()
  expect(user.uid).toBe(process.getuid?.())
  expect(user.name).not.toBe('')
  expect(user.group).not.toBe('')
})
