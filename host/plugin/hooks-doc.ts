// docs/plugin-hooks.md, made from the hook table. Pure: the script writes the text, a test compares it with the committed file.
import { type HookEntry, hookTable, impossibleHooks } from './hook-table.ts'

const threadNames = { M: 'master', W: 'worker', U: 'mule', S: 'spooler' } as const

const opening = `# Hooks of plugins

Every hook of the plugin interface ([host/plugin/plugin.ts](../host/plugin/plugin.ts) tells what each gets and returns), in the
order of a server's life. *Request first* means: request plugins by modifier1, then general ones in load order; *general first*
the other way round; *load*: in load order; *one*: only the plugin that it is about. Where it says *first wins*, a plugin that
takes it ends the asking.

A plugin whose hook throws while the server or a thread starts, or does not return within \`plugin-timeout\`, is dropped with a
line in the log, unless \`need-plugin\` names it: then the server does not start. What a hook throws later is a line in the log.`

export const renderHooksDoc = (): string => {
  const rows = Object.entries(hookTable as Readonly<Record<string, HookEntry>>).map(([name, entry]) => [
    `\`${name}\``,
    entry.uwsgi === undefined ? '' : `\`${entry.uwsgi}\``,
    entry.threads.map((thread) => threadNames[thread]).join(', '),
    entry.isFirstWins === true ? `${entry.order}, first wins` : entry.order,
    entry.when,
  ])
  const impossible = Object.entries(impossibleHooks).map(([name, { uwsgi, reason }]) => [`\`${name}\``, `\`${uwsgi}\``, reason])
  return `${[
    opening,
    table(['Hook', 'In uWSGI', 'Runs in', 'Order', 'When'], rows),
    '## Hooks that cannot be',
    'A plugin that has one of these is refused with the reason.',
    table(['Hook', 'In uWSGI', 'Why'], impossible),
  ].join('\n\n')}\n`
}

const table = (heads: readonly string[], rows: ReadonlyArray<readonly string[]>): string =>
  [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
