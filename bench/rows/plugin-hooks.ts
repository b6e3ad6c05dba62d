// What plugins cost that have nothing to do with a request: hello with and without ten of them, whose hooks around requests are
// empty. Both sides are polywsgi; the one without plugins stands where the peer stands in other rows.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeClient, helloPlan, judgeLoad, measureLoad } from '../load.ts'
import type { Row } from '../row.ts'
import { defaultWorkers, type Language, startPolywsgi, urlOf } from '../servers.ts'

const count = 10
const language: Language = 'lua'

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
      await using servers = new AsyncDisposableStack()
      servers.defer(() => rmSync(directory, { recursive: true }))
      const options = Array.from({ length: count }, (_, number) => {
        const file = join(directory, `empty${number}_plugin.mjs`)
        writeFileSync(file, emptyPlugin(number))
        return ['--plugin', file]
      }).flat()
      const plain = servers.use(await startPolywsgi('hello', [language]))
      const laden = servers.use(await startPolywsgi('hello', [language], defaultWorkers, options))
      const targets = [
        { label: `polywsgi, ${count} plugins`, side: 'polywsgi', url: urlOf(laden.httpPort, language), server: laden.child },
        { label: 'polywsgi, no plugins', side: 'peer', url: urlOf(plain.httpPort, language), server: plain.child },
      ] as const
      const lines = await measureLoad(targets, helloPlan, context)
      const client = describeClient(helloPlan, context.settings.seconds, context.settings.rounds)
      const verdicts = judgeLoad(lines, this.name, 'pluginHooks')
      return { kind: 'load', name: this.name, title: this.title, client, lines, verdicts, notes: [] }
    },
  },
]
