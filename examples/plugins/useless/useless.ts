// A plugin without hooks: it only has functions for `--hook-*=call:NAME`, and an action of its own.
import type { Plugin } from 'polywsgi/plugin'

export default {
  name: 'useless',

  functions: {
    i_am_useless(argument) {
      console.error(`useless: called with ${argument ?? 'nothing'}`)
    },
    check_port(argument) {
      return Number(argument) > 1023 ? 0 : -1
    },
  },

  hookActions: {
    shout(argument) {
      console.error(`${argument.toUpperCase()}!`)
    },
  },
} satisfies Plugin
