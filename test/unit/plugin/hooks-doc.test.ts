import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { renderHooksDoc } from '../../../host/plugin/hooks-doc.ts'

test('docs/plugin-hooks.md is what the table says (npm run gen writes it)', () => {
  expect(readFileSync(new URL('../../../docs/plugin-hooks.md', import.meta.url), 'utf8')).toBe(renderHooksDoc())
})
