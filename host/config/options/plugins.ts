// Option group: plugins beside the three languages that are always there.
import type { Option } from '../option.ts'

export const plugins = [
  {
    name: 'plugin',
    aliases: ['plugins', 'need-plugin', 'need-plugins'],
    group: 'plugins',
    type: 'list',
    item: 'text',
    separator: ',',
    value: 'NAME|FILE',
    help: 'Load plugins, separated by commas. The plugins python, lua and js are always there.',
    effect: 'works',
  },
  {
    name: 'plugins-dir',
    aliases: ['plugin-dir'],
    group: 'plugins',
    type: 'list',
    item: 'text',
    value: 'DIRECTORY',
    help: 'Look for plugins in this directory.',
    effect: 'accepted',
    note: 'name the file of a plugin with plugin',
  },
  {
    name: 'build-plugin',
    group: 'plugins',
    type: 'text',
    value: 'FILE',
    help: 'Build a plugin from its source.',
    effect: 'accepted',
    note: 'nothing is built; a plugin is loaded from the JavaScript or TypeScript file that plugin names',
  },
] as const satisfies readonly Option[]
