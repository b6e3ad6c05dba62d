// A plugin of two files, with a name that the build defines.
import type { Plugin } from 'polywsgi/plugin'
import { respond } from './respond.ts'

declare const VERSION: string

export default {
  name: 'packed',
  modifier1: 250,

  init({ log }) {
    log.text(`packed ${VERSION}`)
  },

  request: respond,
} satisfies Plugin
