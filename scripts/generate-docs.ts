// Writes the pages of docs/ and the guests' declarations that come from tables in the source. Tests compare the committed
// files with what this writes.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { renderLuaAnnotations } from '../host/api/render/annotations-lua.ts'
import { renderJsDeclarations } from '../host/api/render/declarations-js.ts'
import { renderReference } from '../host/api/render/reference.ts'
import { renderPythonStubs } from '../host/api/render/stubs-python.ts'
import { renderOptionsDoc } from '../host/config/options-doc.ts'
import { renderErrorsDoc } from '../host/errors-doc.ts'
import { renderHookOptionsDoc } from '../host/hooks/hook-options-doc.ts'
import { renderHooksDoc } from '../host/plugin/hooks-doc.ts'
import { renderPluginFilesDoc } from '../host/plugin/plugin-files-doc.ts'
import { renderDifferences } from './differences.ts'

const root = new URL('../', import.meta.url)

const write = (path: string, text: string): void => {
  mkdirSync(new URL('.', new URL(path, root)), { recursive: true })
  writeFileSync(new URL(path, root), text)
}

write('docs/errors.md', renderErrorsDoc())
write('docs/options.md', renderOptionsDoc())
write('docs/plugin-hooks.md', renderHooksDoc())
write('docs/hooks.md', renderHookOptionsDoc())
write('docs/plugin-files.md', renderPluginFilesDoc())
write('docs/differences.md', renderDifferences(fileURLToPath(root)))
write('bindings/js/types/uwsgi.d.ts', renderJsDeclarations())
write('bindings/lua/types/uwsgi.lua', renderLuaAnnotations())
write('bindings/python/types/uwsgi.pyi', renderPythonStubs())

const pages = renderReference()
const reference = new URL('docs/reference/', root)
mkdirSync(reference, { recursive: true })
// A group that is gone must not leave its page behind.
for (const file of readdirSync(reference)) if (!pages.has(file)) rmSync(new URL(file, reference))
for (const [file, text] of pages) write(`docs/reference/${file}`, text)
