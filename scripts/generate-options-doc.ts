// Writes docs/options.md from the options table: `node scripts/generate-options-doc.ts`. A test compares the two.
import { writeFileSync } from 'node:fs'
import { renderOptionsDoc } from '../host/config/options-doc.ts'

writeFileSync(new URL('../docs/options.md', import.meta.url), renderOptionsDoc())
