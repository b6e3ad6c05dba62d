// Renders docs/reference/: an index of all names, and a page per group with every function, attribute and hook.
import { type ApiEntry, type ApiFunction, type ApiGroup, type ApiParameter, apiGroups } from '../kinds.ts'
import { apiTable, camelCaseName } from '../table/index.ts'
import { defaultText, type Language, parameterName, resultType, returnType } from './type-names.ts'

const note = 'Generated from the API table by `npm run gen`; do not edit.'

/** File names below docs/reference/ to their text. */
export const renderReference = (entries: readonly ApiEntry[] = apiTable): ReadonlyMap<string, string> => {
  const pages = new Map([['README.md', renderIndex(entries)]])
  for (const group of Object.keys(apiGroups) as ApiGroup[]) {
    const members = entries.filter((entry) => entry.group === group)
    if (members.length > 0) pages.set(`${group}.md`, renderGroup(group, members))
  }
  return pages
}

const renderIndex = (entries: readonly ApiEntry[]): string => {
  const sections = (Object.keys(apiGroups) as ApiGroup[]).map((group) => {
    const rows = entries
      .filter((entry) => entry.group === group)
      .map((entry) => `| [\`${entry.name}\`](${group}.md#${entry.name}) | ${firstSentence(entry.doc)} |`)
    return rows.length === 0 ? '' : `## [${apiGroups[group]}](${group}.md)\n\n| name | |\n|---|---|\n${rows.join('\n')}\n`
  })
  return `# The uwsgi module\n\n${note}\n
Every name exists in JavaScript (camelCase, and the official name too), Lua and Python. What is *not defined* is \`undefined\`, \`nil\` or
\`None\`. Bytes are a \`Uint8Array\` whose \`toString()\` decodes UTF-8, a string, or \`bytes\`. Text is accepted where bytes are wanted, and is
sent as UTF-8. A failure is a \`UwsgiError\` with a \`code\`, a Lua error, or the exception named.\n
${sections.filter((text) => text !== '').join('\n')}`
}

const firstSentence = (doc: string): string => (/^.*?\.(?=\s|$)/s.exec(doc)?.[0] ?? doc).replaceAll('\n', ' ')

const renderGroup = (group: ApiGroup, members: readonly ApiEntry[]): string =>
  `# ${apiGroups[group]}\n\n${note}\n\n${members.map(renderEntry).join('\n')}`

const renderEntry = (entry: ApiEntry): string => {
  const parts = [`## ${entry.name}\n`, entry.doc, '']
  if (entry.shape === 'function') parts.push(...renderFunction(entry))
  else if (entry.shape === 'attribute') {
    parts.push(
      `An attribute: \`${resultType('js', entry.type)}\` in JavaScript, \`${resultType('lua', entry.type)}\` in Lua, \`${resultType('python', entry.type)}\` in Python.\n`,
    )
  } else {
    parts.push('A member that is assigned: the server calls it.\n')
    for (const { name, type, doc } of entry.params) parts.push(`- \`${name}\` (${resultType('python', type)}): ${doc}`)
    if (entry.params.length > 0) parts.push('')
  }
  for (const [language, label] of [
    ['python', 'python'],
    ['lua', 'lua'],
    ['js', 'js'],
  ] as const) {
    parts.push(`\`\`\`${label}\n${entry.example[language]}\n\`\`\``)
  }
  return `${parts.join('\n')}\n`
}

const renderFunction = (entry: ApiFunction): string[] => {
  const signatures = (['python', 'lua', 'js'] as const).map(
    (language) => `| ${titles[language]} | \`${signature(language, entry)}\` |`,
  )
  const lines = ['| | |', '|---|---|', ...signatures, '']
  for (const param of entry.params) lines.push(`- \`${param.name}\`: ${param.doc}${facts(param)}`)
  if (entry.params.length > 0) lines.push('')
  for (const raised of entry.raises) lines.push(`- Fails: ${raised}`)
  if (entry.raises.length > 0) lines.push('')
  const names = [...(entry.aliases ?? []), ...(entry.luaAliases ?? []).map((name) => `${name} (Lua)`)]
  if (names.length > 0) lines.push(`Also called ${names.map((name) => `\`${name}\``).join(', ')}.\n`)
  if (entry.unsandboxed !== undefined) lines.push(`Not with \`--sandbox\`: ${entry.unsandboxed}.\n`)
  if (entry.kind === 'blocking') lines.push(`${waits(entry)}\n`)
  if (entry.kind === 'suspending') lines.push('Gives the CPU to another core. In JavaScript it is to be awaited.\n')
  return lines
}

const titles: Readonly<Record<Language, string>> = { python: 'Python', lua: 'Lua', js: 'JavaScript' }
const waits = ({ name }: ApiFunction): string =>
  `May wait: in Lua and Python the core does, with one core the thread; in JavaScript the thread, or nobody by \`await uwsgi.promises.${camelCaseName(name)}()\`.`

const signature = (language: Language, entry: ApiFunction): string => {
  const params = entry.params.map((param) => {
    const name = parameterName(language, param.name)
    if (param.variadic) return language === 'python' ? `*${name}` : '...'
    if (param.default === undefined) return name
    const shown = defaultText(language, param)
    return shown === undefined ? `[${name}]` : `${name} = ${shown}`
  })
  const name = language === 'js' ? camelCaseName(entry.name) : entry.name
  const result = returnType(language, entry).replaceAll('|', '\\|')
  return `uwsgi.${name}(${params.join(', ')})${language === 'lua' ? ' → ' : ' → '}${result}`
}

const facts = ({ min, max, maxBytes, unit }: ApiParameter): string => {
  const said: string[] = []
  if (unit !== undefined) said.push(`in ${unit}`)
  if (min !== undefined && max !== undefined) said.push(`from ${min} to ${max}`)
  else if (min !== undefined) said.push(`at least ${min}`)
  if (maxBytes !== undefined) said.push(`at most ${maxBytes} bytes`)
  return said.length === 0 ? '' : ` (${said.join(', ')})`
}
