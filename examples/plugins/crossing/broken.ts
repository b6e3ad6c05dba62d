// Fails when it is prepared.
import type { Plugin } from 'polywsgi/plugin'

export default {
  name: 'broken',
  init() {
    throw new Error('no connection to the database')
  },
} satisfies Plugin
