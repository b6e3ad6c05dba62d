// What the sandbox costs: hello with and without it.
import type { Row } from '../row.ts'
import { type Language, languageNames } from '../servers.ts'
import { compareSides } from '../side-by-side.ts'

const languages: readonly Language[] = ['python', 'lua', 'js']

export const sandboxRows: readonly Row[] = languages.map((language) => ({
  name: `sandbox-${language}`,
  title: `hello with the sandbox, ${languageNames[language]}`,
  needs: ['wrk'],
  async run(context) {
    const { name, title } = this
    return await compareSides(
      {
        name,
        title,
        language,
        sides: [
          { label: 'polywsgi, --sandbox', options: ['--sandbox'] },
          { label: 'polywsgi, no sandbox', options: [] },
        ],
        throughput: 'sandbox',
      },
      context,
    )
  },
}))
