// --help: the working options by group, those of plugins by plugin, then the names of the accepted ones, in lines of at most 100 columns.
import { defaultText, isRepeatable, spelledNames, valueName } from './describe.ts'
import { type Option, type OptionGroup, optionGroups } from './option.ts'
import type { OptionTable } from './option-table.ts'
import { shown } from './shown.ts'
import { wrap } from './wrap.ts'

const width = 100
const indent = ' '.repeat(8)

const introduction = [
  'Usage: polywsgi [OPTION]... [CONFIG | APP]...',
  '',
  'Serves JavaScript, Lua and Python applications over HTTP and the uwsgi protocol.',
  '',
  '  polywsgi --http-socket :8080 app.py',
  '  polywsgi --http-socket :8080 --mount /py=app.py --mount /lua=app.lua --mount /js=app.js',
  '  polywsgi app.ini',
  '  polywsgi init plugin NAME',
  '  polywsgi ctl --help',
  '',
  ...wrap(
    'CONFIG is a file of options (.ini .yaml .yml .json .toml .xml, with :SECTION if need be), APP an application to load at the root (.py .wsgi .lua .js .mjs). An option is also read from the environment: POLYWSGI_HTTP_SOCKET is --http-socket. The command line wins over the environment, and that over files. BYTES may end in k, m or g.',
    width,
  ),
]

/** Without a line break at the end. */
export const renderHelp = (table: OptionTable): string => {
  const lines = [...introduction]
  for (const group of Object.keys(optionGroups) as OptionGroup[]) {
    const working = table.own.filter((option) => option.group === group && option.effect === 'works')
    if (working.length > 0) lines.push('', `${optionGroups[group]}:`, ...working.flatMap(entry))
  }
  for (const { plugin, rows } of table.ofPlugins) {
    if (rows.length > 0) lines.push('', `Options of the plugin ${shown(plugin)}:`, ...rows.flatMap(entry))
  }
  const accepted = table.own.filter(({ effect }) => effect === 'accepted').map(({ name }) => `--${name}`)
  lines.push('', 'Accepted, but without effect in this version (docs/options.md tells why):')
  lines.push(...wrap(accepted.join(', '), width - 2).map((line) => `  ${line}`))
  return lines.join('\n')
}

const entry = (option: Option): readonly string[] => {
  const value = valueName(option)
  const isBare = 'bare' in option && option.bare !== undefined
  const suffix = value === undefined ? '' : isBare ? ` [${value}]` : ` ${value}`
  const names = wrap(`${spelledNames(option).join(', ')}${suffix}`, width - 2).map((line) => `  ${line}`)
  return [...names, ...wrap(helpText(option), width - indent.length).map((line) => `${indent}${line}`)]
}

const helpText = (option: Option): string => {
  const standard = defaultText(option)
  const parts = [option.help]
  if (isRepeatable(option)) parts.push('May be repeated.')
  if (option.type === 'flag' && option.alwaysOn !== undefined) parts.push('Always on.')
  if (standard !== undefined) parts.push(`Default: ${standard}.`)
  return parts.join(' ')
}
