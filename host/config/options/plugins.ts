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
  {
    name: 'plugin-timeout',
    group: 'plugins',
    type: 'seconds',
    min: 0.1,
    default: 30,
    help: 'How long a hook of a plugin may take while the server or a thread starts, and any hook that runs in the master. One that takes longer is ended, and the plugin dropped.',
    effect: 'works',
  },
] as const satisfies readonly Option[]
