// Claims what `upper` has.
import type { Plugin } from 'polywsgi/plugin'

export default {
  name: 'usurper',
  modifier1: 240,
  request: () => -1,
} satisfies Plugin
