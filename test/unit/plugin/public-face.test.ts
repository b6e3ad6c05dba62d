// The bindings of the three languages are plugins like any other: what they import of the host, everybody can.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import * as face from '../../../host/plugin/index.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

interface Named {
  readonly name: string
  readonly file: string
  readonly isType: boolean
}

/** What statements of one kind name, each with the file it comes from, from the root. */
const namesIn = (path: string, statement: 'import' | 'export'): Named[] => {
  const text = readFileSync(join(root, path), 'utf8')
  const form = new RegExp(`^${statement} (type )?\\{([^}]*)\\} from '(\\.[^']+)'`, 'gm')
  return Array.from(text.matchAll(form)).flatMap(([, allTypes, list = '', from = '']) =>
    list
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
      .map((item) => ({
        name: item.replace(/^type /, '').replace(/ as .*$/, ''),
        file: normalize(join(dirname(path), from)),
        isType: allTypes !== undefined || item.startsWith('type '),
      })),
  )
}

it('the bindings import nothing of the host that polywsgi/plugin does not export', () => {
  const exported = namesIn('host/plugin/index.ts', 'export')
  const files = globSync('bindings/**/*.ts', { cwd: root, exclude: ['**/types/**'] })
  const imported = files.flatMap((path) => namesIn(path, 'import')).filter(({ file }) => file.startsWith('host/'))
  expect(imported.length).toBeGreaterThan(100)
  const missing = imported.filter(
    ({ name, file, isType }) =>
      !exported.some((other) => other.name === name && other.file === file && (isType || !other.isType)),
  )
  expect([...new Set(missing.map(({ name, file }) => `${name} of ${file}`))]).toEqual([])
  // No other form of import, which the form above would not see.
  const others = files.filter((path) =>
    /^(?:import|export) (?!type \{|\{).*'\.\.\/\.\.\/host|import\('\.\.\/\.\.\/host/m.test(
      readFileSync(join(root, path), 'utf8'),
    ),
  )
  expect(others).toEqual([])
})

it('what it exports as a value is one', () => {
  const values = namesIn('host/plugin/index.ts', 'export').filter(({ isType }) => !isType)
  expect(values.length).toBeGreaterThan(10)
  expect(values.filter(({ name }) => (face as Record<string, unknown>)[name] === undefined)).toEqual([])
})
