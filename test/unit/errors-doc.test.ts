// The committed page of error codes is what the tables say.
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { renderErrorsDoc } from '../../host/errors-doc.ts'

it('docs/errors.md is what `npm run gen` writes', () => {
  expect(readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')).toBe(renderErrorsDoc())
})
