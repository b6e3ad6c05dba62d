// The smallest plugin there is: it has a name, and hooks nothing.
import type { Plugin } from 'polywsgi/plugin'

export default { name: 'foobar' } satisfies Plugin
