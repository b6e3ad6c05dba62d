// What plugins cost that have nothing to do with a request: hello with and without ten of them, whose hooks around requests are
// empty.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Row } from '../row.ts'
import { compareSides } from '../side-by-side.ts'

const count = 10

/** Every hook that the path of a request may call, so that the host has all of them to look at. */
const emptyPlugin = (number: number): string => `export default {
  name: 'empty-${number}',
  modifier1: ${200 + number},
  request: () => 0,
  currentRequest: () => undefined,
  suspend() {},
  resume() {},
  afterRequest() {},
}
`

export const pluginHookRows: readonly Row[] = [
  {
    name: 'plugin-hooks',
    title: `hello with ${count} plugins whose hooks are empty, Lua`,
    needs: ['wrk'],
    async run(context) {
      const directory = mkdtempSync(join(tmpdir(), 'polywsgi-bench-plugins-'))
      try {
        const options = Array.from({ length: count }, (_, number) => {
          const file = join(directory, `empty${number}_plugin.mjs`)
          writeFileSync(file, emptyPlugin(number))
          return ['--plugin', file]
        }).flat()
        const { name, title } = this
        return await compareSides(
          {
            name,
            title,
            language: 'lua',
            sides: [
              { label: `polywsgi, ${count} plugins`, options },
              { label: 'polywsgi, no plugins', options: [] },
            ],
            throughput: 'pluginHooks',
            processorTime: 'pluginCpu',
          },
          context,
        )
      } finally {
        rmSync(directory, { recursive: true })
      }
    },
  },
]
