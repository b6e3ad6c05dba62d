// Writes the pages of docs/ that come from tables in the source. Tests compare the committed pages with what this writes.
import { writeFileSync } from 'node:fs'
import { renderErrorsDoc } from '../host/errors-doc.ts'

writeFileSync(new URL('../docs/errors.md', import.meta.url), renderErrorsDoc())
