// What is generated from the API table is committed, and is what the table says now.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { renderLuaAnnotations } from '../../../host/api/render/annotations-lua.ts'
import { renderJsDeclarations } from '../../../host/api/render/declarations-js.ts'
import { renderReference } from '../../../host/api/render/reference.ts'
import { renderPythonStubs } from '../../../host/api/render/stubs-python.ts'
import { differencesIn, renderDifferences } from '../../../scripts/differences.ts'

const root = new URL('../../../', import.meta.url)
const committed = (path: string): string => readFileSync(new URL(path, root), 'utf8')

describe('what npm run gen writes', () => {
  it.each([
    ['bindings/js/types/uwsgi.d.ts', renderJsDeclarations],
    ['bindings/lua/types/uwsgi.lua', renderLuaAnnotations],
    ['bindings/python/types/uwsgi.pyi', renderPythonStubs],
  ])('is committed: %s', (path, render) => {
    expect(committed(path)).toBe(render())
  })

  it('is committed: docs/differences.md', () => {
    expect(committed('docs/differences.md')).toBe(renderDifferences(fileURLToPath(root)))
  })

  it('takes of a text what each mark is about, up to the end of its paragraph', () => {
    const text =
      'First. Does this. Differs from uWSGI: Lua does that.\nAnd that.\n\nMore (Differs from uWSGI: none).\n@param x no'
    expect(differencesIn(text)).toEqual([
      'Does this. Differs from uWSGI: Lua does that. And that.',
      'More Differs from uWSGI: none.',
    ])
    expect(differencesIn('Nothing of the kind.')).toEqual([])
  })

  it('is committed: docs/reference/, and nothing else is there', () => {
    const pages = renderReference()
    expect(readdirSync(new URL('docs/reference/', root)).sort()).toEqual([...pages.keys()].sort())
    for (const [file, text] of pages) expect(committed(`docs/reference/${file}`)).toBe(text)
  })
})
