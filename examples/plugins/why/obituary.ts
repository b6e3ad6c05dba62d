// Tells of each worker that is ended for its deadline, and of what it had to serve last. No app can: it is what has been ended.
import type { MasterContext, Plugin } from 'polywsgi/plugin'

let log: MasterContext['log']
let count = 0

export default {
  name: 'obituary',
  init(context) {
    log = context.log
  },
  harakiri(workerId) {
    count += 1
    log.text(`obituary: worker ${workerId} is ended, ${count} so far`)
  },
} satisfies Plugin
